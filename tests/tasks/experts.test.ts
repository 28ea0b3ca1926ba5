// Experts solve their tasks; people's flaws make them fail at times.
import { beforeAll, describe, expect, test } from "vitest";
import { loadPhysics, type Physics } from "../../sim/rapier.ts";
import { createRng } from "../../sim/rng.ts";
import { demonstrate } from "../../tasks/experts/demonstrate.ts";
import { createExpert, hasExpert } from "../../tasks/experts/index.ts";
import { createTask, tasks } from "../../tasks/index.ts";

const sparse = Object.keys(tasks).filter((id) => hasExpert(id) && !id.includes("dense"));
const seeds = Array.from({ length: 20 }, (_, i) => i);

let physics: Physics;
beforeAll(async () => {
  physics = await loadPhysics();
});

describe.each(sparse)("%s", (id) => {
  test("is solved by its expert from nearly every start, with a return of 1", async () => {
    const played = demonstrate(physics, await createTask(id), "expert", seeds);
    const solved = played.filter(({ success }) => success);
    expect(solved.length).toBeGreaterThanOrEqual(19);
    for (const { episodeReturn } of solved) expect(episodeReturn).toBe(1);
  });

  test("shows the same demonstrations again for the same seeds", async () => {
    const task = await createTask(id);
    const play = () => demonstrate(physics, task, "person", [1, 2]);
    expect(play()).toEqual(play());
  });
});

describe.each(sparse.map((id) => id.replace("-v0", "-dense-v0")))("%s", (id) => {
  test("pays an expert more than idling, and most at the end", async () => {
    const task = await createTask(id);
    const [expert] = demonstrate(physics, task, "expert", [3]);
    expect(expert!.length).toBe(task.maxEpisodeSteps);
    expect(expert!.episodeReturn / expert!.length).toBeGreaterThan(0.5);
    const still = { speed: 0, tremble: 0, drift: 0, aim: 0, pauses: 0, haste: 0 };
    const [idle] = demonstrate(physics, task, still, [3]);
    expect(idle!.episodeReturn / idle!.length).toBeLessThan(0.4);
  });
});

test("a task without an expert says so", async () => {
  const task = await createTask("pendulum");
  expect(() => createExpert(task)).toThrow(/task "pendulum-swingup-v0" has no expert; known: lift/);
});

test("a pause moves nothing and keeps what is held", async () => {
  const task = await createTask("lift-cube");
  const pausing = { speed: 1, tremble: 0, drift: 0, aim: 0, pauses: 1, haste: 0 };
  expect(demonstrate(physics, task, pausing, [1])[0]).toMatchObject({
    success: false,
    length: 120,
  });
  expect(createExpert(task, pausing).reset(createRng(1))).toBeUndefined();
});
