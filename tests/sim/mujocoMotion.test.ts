// Our robots' motion beside MuJoCo's: the same file, start and torques, 0.2 s in the air and on the ground.
import { readFileSync } from "node:fs";
import load, { type MainModule } from "@mujoco/mujoco";
import { beforeAll, expect, test } from "vitest";
import { parseMjcf } from "../../sim/mjcf.ts";
import { loadPhysics } from "../../sim/rapier.ts";
import { createRng } from "../../sim/rng.ts";
import { Simulation } from "../../sim/simulation.ts";
import type { World } from "../../sim/world.ts";
import type { Rest } from "../../tasks/planar.ts";
import { startOnGround } from "../../tasks/posture.ts";

const folder = new URL("../../../tasks/", import.meta.url); // from dist/tests/sim
const timestep = 0.005; // s
const numSteps = 40; // 0.2 s
const hold = 4; // steps of one torque

let mujoco: MainModule;
beforeAll(async () => {
  mujoco = await load();
});

interface Motion {
  readonly rest: Rest;
  /** Height of the lowest point at the start, in m. */
  readonly lift: number;
  /** Largest action. */
  readonly strength: number;
  /** Whether joints have the rotor inertia that the file says. */
  readonly rotors: boolean;
}

/** Largest difference of a joint in rad or m and of a link's place in m, and the farthest any joint moved. */
async function differences(
  file: string,
  { rest, lift, strength, rotors }: Motion,
): Promise<{ joint: number; position: number; turned: number }> {
  const full = readFileSync(new URL(file, folder), "utf8");
  const text = rotors ? full : full.replaceAll(/armature="[^"]*"/g, 'armature="0"');
  const { model } = parseMjcf(text, { file });
  const settings = { timestep, solverIterations: 4, pgsIterations: 4 };
  const simulation = new Simulation(await loadPhysics(), model, { settings });
  const world = simulation.worlds[0]!;
  const theirs = mujoco.MjModel.from_xml_string(text)!;
  theirs.opt.timestep = timestep;
  const data = new mujoco.MjData(theirs);
  const numRoot = place(world, rest, lift, data.qpos);
  const rng = createRng(3);
  let [joint, position, turned] = [0, 0, 0];
  let action = new Float32Array(model.actuators.length);
  for (let step = 0; step < numSteps; step++) {
    if (step % hold === 0) action = action.map(() => strength * (2 * rng.uniform() - 1));
    world.setControls(action);
    simulation.step(1);
    for (const [i, value] of action.entries()) data.ctrl[i] = value;
    mujoco.mj_step(theirs, data);
    mujoco.mj_kinematics(theirs, data);
    for (let c = 0; c < world.jointPositions.length; c++)
      joint = Math.max(joint, Math.abs(world.jointPositions[c]! - data.qpos[numRoot + c]!));
    for (let c = 0; c < world.jointPositions.length; c++)
      turned = Math.max(turned, Math.abs(world.jointPositions[c]! - world.start.positions[c]!));
    for (let l = 0; l < 3 * model.links.length; l++)
      position = Math.max(position, Math.abs(world.linkPositions[l]! - data.xpos[3 + l]!));
  }
  simulation.free();
  data.delete();
  theirs.delete();
  return { joint, position, turned };
}

/** Puts both robots at rest `lift` above the ground; returns how many of MuJoCo's numbers come before the joints. */
function place(world: World, rest: Rest, lift: number, qpos: { [index: number]: number }): number {
  const { start, model } = world;
  const free = model.links[0]!.joints[0]!.type === "free";
  for (const [name, value] of Object.entries(rest)) start.positions[world.jointIndex(name)] = value;
  startOnGround(world, free ? -1 : world.jointIndex("root_z"), lift);
  world.place();
  const numRoot = free ? 7 : 0;
  if (free) {
    const [x, y, z, qx, qy, qz, qw] = start.freePoses;
    for (const [i, value] of [x, y, z, qw, qx, qy, qz].entries()) qpos[i] = value!;
  }
  for (const [c, value] of start.positions.entries()) qpos[numRoot + c] = value;
  return numRoot;
}

const ankles = ["front_left", "front_right", "back_left", "back_right"].map(
  (leg) => `${leg}_ankle`,
);
const ant: Rest = Object.fromEntries(ankles.map((name) => [name, 0.9])); // rad
const hopper: Rest = { hip: 0.3, knee: -0.6, ankle: 0.3 }; // rad

// Measured: joints 0.016, 0.030, 0.115, 0.116 rad of 0.30, 0.18, 0.65, 0.63 that they turned; places 5.5, 8.0,
// 15, 12 mm. Rapier has no rotor inertia: it is added to the link that the joint moves, which is the most
// of it, as the same without rotors shows: joints 0.0012, 0.014, 0.0050, 0.0072 rad, places 3.7, 4.8, 2.9,
// 1.3 mm.
test.each([
  ["ant.xml", "in the air", ant, 1, true, 0.2, 0.025, 0.008],
  ["ant.xml", "on the ground", ant, 0.001, true, 0.2, 0.045, 0.012],
  ["hopper.xml", "in the air", hopper, 1, true, 0.2, 0.17, 0.022],
  ["hopper.xml", "on the ground", hopper, 0.001, true, 0.2, 0.17, 0.018],
  ["ant.xml", "in the air without rotors", ant, 1, false, 0.05, 0.002, 0.006],
  ["ant.xml", "on the ground without rotors", ant, 0.001, false, 0.05, 0.02, 0.0075],
  ["hopper.xml", "in the air without rotors", hopper, 1, false, 0.1, 0.0075, 0.0045],
  ["hopper.xml", "on the ground without rotors", hopper, 0.001, false, 0.1, 0.011, 0.002],
] as const)("%s %s moves as in MuJoCo", async (...row) => {
  const [file, , rest, lift, rotors, strength, joint, position] = row;
  const found = await differences(file, { rest, lift, strength, rotors });
  expect(found.joint).toBeLessThan(joint);
  expect(found.position).toBeLessThan(position);
  expect(found.turned).toBeGreaterThan(joint);
});
