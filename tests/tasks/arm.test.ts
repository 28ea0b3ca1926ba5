// The arm: kinematics that agree with the physics, a hand that goes where it is sent, a grip that holds.
import { beforeAll, describe, expect, test } from "vitest";
import { Envs } from "../../sim/env.ts";
import type { RobotModel } from "../../sim/model.ts";
import { loadPhysics, type Physics } from "../../sim/rapier.ts";
import { createRng } from "../../sim/rng.ts";
import { Simulation } from "../../sim/simulation.ts";
import type { Task } from "../../sim/task.ts";
import { Hand } from "../../tasks/arm/hand.ts";
import { Chain } from "../../tasks/arm/kinematics.ts";
import { benchWorkspace } from "../../tasks/arm/parts.ts";
import { loadArm } from "../../tasks/arm/scene.ts";
import { createExpert } from "../../tasks/experts/index.ts";
import { createTask } from "../../tasks/index.ts";
import { between } from "../../tasks/posture.ts";

let physics: Physics;
let arm: RobotModel;
let lift: Task;
beforeAll(async () => {
  physics = await loadPhysics();
  arm = await loadArm();
  const { randomization: _, ...plain } = await createTask("lift-cube");
  lift = plain;
});

describe("kinematics", () => {
  test("find the tool where the physics puts it", () => {
    const chain = new Chain(arm, "tool");
    const { worlds } = new Simulation(physics, arm);
    const world = worlds[0]!;
    const rng = createRng(1);
    for (let trial = 0; trial < 20; trial++) {
      for (const [i, { low, high }] of world.plan.coordinates.entries())
        world.start.positions[i] = between(rng, low, high);
      world.place();
      chain.forward(world.start.positions);
      const { position, rotation } = world.sensors.site("tool");
      for (let k = 0; k < 3; k++) expect(chain.tool[k]).toBeCloseTo(position[k]!, 5);
      const alike = rotation.reduce((sum, value, k) => sum + value * chain.tool[3 + k]!, 0);
      expect(Math.abs(alike)).toBeCloseTo(1, 6);
    }
  });

  test("reach every corner of the workspace, pointing down, whichever way it is turned", () => {
    const chain = new Chain(arm, "tool");
    const { x, y, z, yaw } = benchWorkspace;
    for (let corner = 0; corner < 16; corner++) {
      const half = yaw[corner & 1]! / 2;
      const place = [x[(corner >> 1) & 1]!, y[(corner >> 2) & 1]!, z[(corner >> 3) & 1]!];
      const angles = Float64Array.of(0, 0.6, 1.7, 0, 0.8, 0);
      const left = chain.inverse([...place, -Math.sin(half), Math.cos(half), 0, 0], angles, 30);
      expect(left).toBeLessThan(1e-4);
    }
  });

  test("want a chain of hinges", () => {
    expect(() => new Chain(arm, "heel")).toThrow(/has no site "heel"/);
  });
});

/** An env of the lifting task, its world and its hand. */
function bench(seed: number): { envs: Envs; hand: Hand } {
  const envs = new Envs(physics, lift, { seed, autoReset: false });
  envs.reset();
  return { envs, hand: new Hand(lift.model, { workspace: benchWorkspace }) };
}

describe("the hand", () => {
  test("goes as far as it is sent, without tilting", () => {
    const { envs, hand } = bench(1);
    const world = envs.simulation.worlds[0]!;
    const before = Array.from(hand.tool(world).position);
    const yaw = hand.tool(world).yaw;
    for (let i = 0; i < 5; i++) envs.step(Float32Array.of(0.5, -0.5, 0.5, 0.5, -1));
    for (let i = 0; i < 8; i++) envs.step(Float32Array.of(0, 0, 0, 0, -1));
    const { position } = hand.tool(world);
    for (const [k, shift] of [0.05, -0.05, 0.05].entries())
      expect(Math.abs(position[k]! - before[k]! - shift)).toBeLessThan(0.002);
    expect(hand.tool(world).yaw - yaw).toBeCloseTo(0.25, 2);
    const { rotation } = world.sensors.site("tool");
    expect(Math.hypot(rotation[0]!, rotation[1]!)).toBeGreaterThan(0.99999);
    envs.free();
  });

  test("never leaves its workspace by more than its sway", () => {
    const { envs, hand } = bench(2);
    const world = envs.simulation.worlds[0]!;
    const { x, y, z } = hand.workspace;
    const rng = createRng(3);
    for (let run = 0; run < 8; run++) {
      const action = Float32Array.from({ length: 5 }, () => (rng.uniform() < 0.5 ? -1 : 1));
      for (let i = 0; i < 25; i++) {
        envs.step(action);
        for (const [k, [low, high]] of [x, y, z].entries()) {
          expect(hand.tool(world).position[k]).toBeGreaterThan(low - 0.02);
          expect(hand.tool(world).position[k]).toBeLessThan(high + 0.02);
        }
      }
    }
    envs.free();
  });

  test("keeps hold of a cube that it shakes", () => {
    const { envs, hand } = bench(4);
    const world = envs.simulation.worlds[0]!;
    const cube = world.linkIndex("cube");
    const expert = createExpert(lift);
    const action = new Float32Array(5);
    expert.reset(createRng(0));
    for (let i = 0; i < 60 && !lift.terminated(world); i++) {
      expert.act(world, action);
      envs.step(action);
    }
    expect(lift.success!(world)).toBe(true);
    const offset = (): number[] =>
      [0, 1, 2].map((k) => world.linkPositions[3 * cube + k]! - hand.tool(world).position[k]!);
    const held = offset();
    for (let i = 0; i < 40; i++) {
      const side = i % 8 < 4 ? 1 : -1;
      envs.step(Float32Array.of(side, -side, side, 0, 1));
    }
    for (const [k, value] of offset().entries())
      expect(Math.abs(value - held[k]!)).toBeLessThan(0.005);
    envs.free();
  });
});
