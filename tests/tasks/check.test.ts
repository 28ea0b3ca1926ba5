// The checker finds what is wrong with a task: each mistake fails the check that is meant for it.
import { beforeAll, describe, expect, test } from "vitest";
import { loadPhysics, type Physics } from "../../sim/rapier.ts";
import type { Task } from "../../sim/task.ts";
import { checks, subjectOf } from "../../tasks/check.ts";
import { createTask } from "../../tasks/index.ts";

let physics: Physics;
let hopper: Task;
beforeAll(async () => {
  physics = await loadPhysics();
  hopper = await createTask("hopper");
});

/** Names of the failing checks with what they say. */
function failures(task: Task): Map<string, string> {
  const subject = subjectOf(physics, task, 120);
  const failed = new Map<string, string>();
  for (const { name, run } of checks) {
    try {
      run(subject);
    } catch (error) {
      failed.set(name, (error as Error).message);
    }
  }
  return failed;
}

test("a sound task passes", () => {
  expect(failures(hopper)).toEqual(new Map());
});

let numObserved = 0;
const mistakes: readonly (readonly [string, string, RegExp, (task: Task) => Partial<Task>])[] = [
  [
    "a name used twice",
    "names and sizes fit",
    /"a" is used twice/,
    ({ observation }) => {
      const names = observation.names.map((name, k) => (k < 2 ? "a" : name));
      return { observation: { ...observation, names } };
    },
  ],
  [
    "a control step between physics steps",
    "a control step is a whole number of physics steps",
    /controlDt 0.0207 s is not a whole multiple/,
    () => ({ controlDt: 0.0207 }),
  ],
  [
    "an observation that is NaN",
    "random actions stay finite",
    /observation 3 ".*" is NaN at step 1/,
    ({ observe }) => ({
      observe(world, out) {
        observe(world, out);
        out[3] = Number.NaN;
      },
    }),
  ],
  [
    "an observation beyond its bounds",
    "observations are within their bounds",
    /beyond \[-0.001, 0.001\]/,
    ({ observation }) => ({ observation: { ...observation, low: -0.001, high: 0.001 } }),
  ],
  [
    "a constant element",
    "no observed element is constant",
    /^2 ".*" stays at 7$/,
    ({ observe }) => ({
      observe(world, out) {
        observe(world, out);
        out[2] = 7;
      },
    }),
  ],
  [
    "a reward that is not the sum of its terms",
    "terms sum to the reward",
    /differ by up to 0.1/,
    ({ reward }) => ({ reward: (...given) => reward(...given) + 0.125 }),
  ],
  [
    "a mirror that turns left into itself and right into left",
    "a mirror shows a mirror's image as the thing itself",
    /element 0 of the actions, mirrored twice, is not itself/,
    ({ observation: { size } }) => {
      const indices = Array.from({ length: size }, (_, i) => i);
      const observations = { indices, signs: indices.map(() => 1) };
      return { mirror: { observations, actions: { indices: [1, 2, 0], signs: [1, 1, 1] } } };
    },
  ],
  [
    "a start in the air",
    "starts are on the ground and within the ranges",
    /throws a link/,
    ({ reset }) => ({
      reset(world, rng) {
        reset(world, rng);
        world.start.velocities[0] = 30;
      },
    }),
  ],
  [
    "a start that is always the same",
    "other seeds give other starts",
    /seeds 1 and 2 begin alike/,
    () => ({ reset: () => undefined }),
  ],
  [
    "a number kept outside the world",
    "a reset leaves nothing behind",
    /a used world and a fresh one part/,
    ({ observe }) => ({
      observe(world, out) {
        observe(world, out);
        out[2] = numObserved++;
      },
    }),
  ],
];

describe("finds", () => {
  test.each(mistakes)("%s", (_, check, message, changed) => {
    const failed = failures({ ...hopper, ...changed(hopper) });
    expect(failed.get(check)).toMatch(message);
  });
});
