// A robot's image in a mirror moves as the mirrored robot does.
import { beforeAll, describe, expect, test } from "vitest";
import { parseMjcf } from "../../sim/mjcf.ts";
import type { Joint, Link } from "../../sim/model.ts";
import { loadPhysics, type Physics } from "../../sim/rapier.ts";
import { createRng, type Rng } from "../../sim/rng.ts";
import { Simulation } from "../../sim/simulation.ts";
import { type Mirror, substepsOf, type Task } from "../../sim/task.ts";
import type { World } from "../../sim/world.ts";
import { createTask, tasks } from "../../tasks/index.ts";
import { mirrorActions, mirrorJoints } from "../../tasks/mirror.ts";

const numSteps = 24;
const tolerance = 4e-3; // rounding in float32; a wrong sign gives 0.1 and more
const seeds = [1, 2, 3];
// Floating, without ends of its joints' ranges or legs that meet, and with its constraints solved to the end: a
// few sweeps over joints in their order tell left from right, and so does which foot or joint meets its bounds first.
const settings = {
  solverIterations: 8,
  pgsIterations: 100,
  gravity: [0, 0, 0],
  selfCollision: false,
} as const;
const symmetric = ["ant-run", "humanoid-stand", "humanoid-walk", "quadruped-walk", "walker2d-run"];

let physics: Physics;
beforeAll(async () => {
  physics = await loadPhysics();
});

function imageOf({ indices, signs }: Mirror, values: ArrayLike<number>): number[] {
  return indices.map((index, i) => signs[i]! * values[index]!);
}

/** Element by element, for vectors of space: signs of (x, y, z, …). */
function flip(values: Float64Array, signs: readonly number[]): Float64Array {
  return values.map((value, i) => signs[i % signs.length]! * value);
}

/** Puts `image` at the mirrored start of `world`. */
function placeImage(task: Task, world: World, image: World): void {
  image.zeroStart();
  const names = world.plan.coordinates.map(({ name }) => name);
  const joints = mirrorJoints(task.model, names);
  for (const part of ["positions", "velocities"] as const)
    image.start[part].set(imageOf(joints, world.start[part]));
  // Positions and quaternions, velocities and turning rates; only link 0 is free.
  image.start.freePoses.set(flip(world.start.freePoses, [1, -1, 1, -1, 1, -1, 1]).subarray(0, 7));
  image.start.freeVelocities.set(
    flip(world.start.freeVelocities, [1, -1, 1, -1, 1, -1]).subarray(0, 6),
  );
  if (task.id.startsWith("quadruped")) {
    const commands = world.memory.subarray(0, 9); // ahead, left, heading, three times
    image.memory.set(flip(commands, [1, -1, -1]));
  }
  image.place();
}

function limitless(link: Link): Link {
  const joints = link.joints.map((joint): Joint => {
    if (joint.type !== "hinge") return joint;
    const { range: _, ...endless } = joint;
    return endless;
  });
  return { ...link, joints };
}

interface Moment {
  readonly observation: Float32Array;
  readonly reward: number;
}

function act(task: Task, simulation: Simulation, action: Float32Array): Moment {
  const [world] = simulation.worlds as [World];
  world.setControls(action);
  simulation.step(substepsOf(task, simulation.settings.timestep));
  const observation = new Float32Array(task.observation.size);
  task.observe(world, observation);
  const reward = task.reward(world, action, new Float32Array(task.rewardTerms.length));
  return { observation, reward };
}

/** Largest differences between a robot's image and the mirrored robot. */
function differences(task: Task, rng: Rng): { observation: number; reward: number } {
  const { observations, actions } = task.mirror!;
  const { memorySize = 0 } = task;
  const floating = { ...task.model, links: task.model.links.map(limitless), scenery: [] };
  const options = { settings: { ...task.settings, ...settings }, memorySize };
  const pair = [1, 2].map(() => new Simulation(physics, floating, options));
  const [mine, other] = pair as [Simulation, Simulation];
  const [world, image] = [mine.worlds[0]!, other.worlds[0]!];
  world.zeroStart();
  task.reset(world, rng);
  world.start.freeVelocities.set(Array.from({ length: 6 }, () => 0.5 * rng.normal()));
  world.place();
  placeImage(task, world, image);
  const most = { observation: 0, reward: 0 };
  for (let step = 0; step < numSteps; step++) {
    const action = Float32Array.from(
      { length: task.action.size },
      () => 0.5 * rng.uniform() - 0.25,
    );
    const moment = act(task, mine, action);
    const seen = act(task, other, Float32Array.from(imageOf(actions, action)));
    const wanted = imageOf(observations, moment.observation);
    for (const [k, value] of seen.observation.entries())
      most.observation = Math.max(most.observation, Math.abs(value - wanted[k]!));
    most.reward = Math.max(most.reward, Math.abs(seen.reward - moment.reward));
  }
  for (const simulation of pair) simulation.free();
  return most;
}

test.each(symmetric)("%s: the image acts as the mirrored robot", async (name) => {
  const task = await createTask(name);
  for (const seed of seeds) {
    const { observation, reward } = differences(task, createRng(seed));
    expect(observation).toBeLessThan(tolerance);
    expect(reward).toBeLessThan(tolerance);
  }
});

describe.each(Object.keys(tasks))("%s", (id) => {
  test("is itself again after two mirrors, and changes in one", async () => {
    const { mirror, observation, action } = await createTask(id);
    if (!mirror) return;
    for (const [part, { size }] of [
      [mirror.observations, observation],
      [mirror.actions, action],
    ] as const) {
      const values = Array.from({ length: size }, (_, i) => i + 1);
      expect(imageOf(part, values)).not.toEqual(values);
      expect(imageOf(part, imageOf(part, values))).toEqual(values);
    }
  });
});

test("a robot whose sides differ has no mirror", () => {
  const robot = (axis: string, kp: string): string => `<mujoco model="lopsided"><worldbody>
    <body name="a"><joint name="left_hip" axis="1 0 0"/><geom size="0.1"/></body>
    <body name="b"><joint name="right_hip" axis="${axis}"/><geom size="0.1"/></body></worldbody>
    <actuator><position name="l" joint="left_hip" kp="5" ctrlrange="-1 1"/>
    <position name="r" joint="right_hip" kp="${kp}" ctrlrange="-1 1"/></actuator></mujoco>`;
  const read = (axis: string, kp: string) => parseMjcf(robot(axis, kp), { file: "r.xml" }).model;
  expect(mirrorActions(read("1 0 0", "5"))).toEqual({ indices: [1, 0], signs: [-1, -1] });
  expect(mirrorActions(read("-1 0 0", "5"))).toEqual({ indices: [1, 0], signs: [1, 1] });
  expect(() => mirrorActions(read("0 1 0", "5"))).toThrow(
    'joint "left_hip" of lopsided has no image "right_hip"',
  );
  expect(() => mirrorActions(read("1 0 0", "6"))).toThrow(
    'drive "l" of lopsided is no image of "r"',
  );
});
