import { describe, expect, test } from "vitest";
import type { RobotModel } from "../../sim/model.ts";
import { loadPhysics } from "../../sim/rapier.ts";
import { createRng, type Rng } from "../../sim/rng.ts";
import { Simulation, type SimulationOptions } from "../../sim/simulation.ts";
import type { World } from "../../sim/world.ts";
import { ant, hopper, link, upright } from "./models.ts";

const physics = await loadPhysics();
const robots = { ant, hopper } as const;
type Robot = keyof typeof robots;

function randomise(world: World, rng: Rng): void {
  world.setControls(Float32Array.from(world.model.actuators, () => 2 * rng.uniform() - 1));
}

function bits(world: World): string {
  return [...world.linkPositions, ...world.linkRotations, ...world.linkVelocities].join();
}

/** The path of world `who` under its own seed, while the others act and are reset at random. */
function path(model: RobotModel, options: SimulationOptions, who: number, steps: number): string[] {
  const simulation = new Simulation(physics, model, options);
  const rngs = simulation.worlds.map((_, i) => createRng(i === who ? 1000 : i));
  const resets = createRng(77);
  const states: string[] = [];
  for (let t = 0; t < steps; t++) {
    for (const [i, world] of simulation.worlds.entries()) {
      if (i !== who && resets.uniform() < 0.02) world.place();
      randomise(world, rngs[i]!);
    }
    simulation.step(5);
    states.push(bits(simulation.worlds[who]!));
  }
  simulation.free();
  return states;
}

describe.each(Object.keys(robots) as Robot[])("%s", (name) => {
  const model = robots[name]();

  test("a robot's path with motor rows is the same alone and among many that fall and are reset", () => {
    const alone = path(model, {}, 0, 200);
    expect(path(model, { numWorlds: 6 }, 3, 200)).toEqual(alone);
    expect(path(model, { numWorlds: 40 }, 39, 40)).toEqual(alone.slice(0, 40));
  });

  test("a robot's path with torques is the same among 40 wherever it stands in the row", () => {
    const options = { numWorlds: 40, settings: { actuation: "torques" } } as const;
    expect(path(model, options, 39, 40)).toEqual(path(model, options, 0, 40));
  });

  test("with torques the path depends on how many share the world, once they are 64", () => {
    const settings = { actuation: "torques" } as const;
    const alone = path(model, { settings }, 0, 10);
    expect(path(model, { settings, numWorlds: 8 }, 7, 10)).toEqual(alone);
    expect(path(model, { settings, numWorlds: 64 }, 0, 10)).not.toEqual(alone);
  });

  test("robots that stand apart go the same way, rounded otherwise", () => {
    const options = { numWorlds: 3, settings: { spacing: 4 } } as const;
    const [first, third] = [path(model, options, 0, 3), path(model, options, 2, 3)];
    expect(third).not.toEqual(first);
    const positions = (states: string[]) =>
      states
        .at(-1)!
        .split(",", 3 * model.links.length)
        .map(Number);
    for (const [i, value] of positions(first).entries())
      expect(positions(third)[i]).toBeCloseTo(value, 2);
  });

  test("the memory view changes nothing", () => {
    for (const actuation of ["rows", "torques"] as const) {
      const settings = { actuation };
      expect(path(model, { settings, useMemoryView: false }, 0, 100)).toEqual(
        path(model, { settings }, 0, 100),
      );
    }
  });

  test.each(["rows", "torques"] as const)("a reset leaves nothing behind: %s", (actuation) => {
    const simulation = new Simulation(physics, model, { settings: { actuation } });
    const [world] = simulation.worlds as [World];
    const junk = createRng(5);
    const fresh = path(model, { settings: { actuation } }, 0, 60);
    for (let episode = 0; episode < 5; episode++) {
      for (let t = 0; t < 20 + 30 * episode; t++) {
        randomise(world, junk);
        simulation.step(5);
      }
      world.zeroStart();
      world.place();
      const rng = createRng(1000);
      for (let t = 0; t < 60; t++) {
        randomise(world, rng);
        simulation.step(5);
        expect(bits(world), `episode ${episode}, step ${t}`).toBe(fresh[t]);
      }
    }
  });

  test("hundreds of resets in touch with the ground leave nothing behind", () => {
    const fresh = path(model, {}, 0, 40);
    const simulation = new Simulation(physics, model);
    const [world] = simulation.worlds as [World];
    const junk = createRng(6);
    for (let episode = 0; episode < 400; episode++) {
      for (let t = 0; t < 8; t++) {
        randomise(world, junk);
        simulation.step(5);
      }
      world.zeroStart();
      world.place();
    }
    const rng = createRng(1000);
    for (let t = 0; t < 40; t++) {
      randomise(world, rng);
      simulation.step(5);
      expect(bits(world), `step ${t}`).toBe(fresh[t]);
    }
  });

  test("placing a start and reading it back agree", () => {
    const simulation = new Simulation(physics, model);
    const [world] = simulation.worlds as [World];
    const rng = createRng(3);
    for (const [i, c] of world.plan.coordinates.entries()) {
      world.start.positions[i] = Math.min(Math.max(rng.normal() * 0.5, c.low), c.high);
      world.start.velocities[i] = rng.normal();
    }
    world.start.freePoses.set([0.1, 0.2, 1.5, 0.5, 0.5, -0.5, 0.5]);
    world.start.freeVelocities.set([1, 2, 3, 0.4, 0.5, 0.6]);
    const wanted = [Array.from(world.start.positions), Array.from(world.start.velocities)] as const;
    world.place();
    for (const i of wanted[0].keys()) {
      expect(world.jointPositions[i]).toBeCloseTo(wanted[0][i]!, 5);
      expect(world.jointVelocities[i]).toBeCloseTo(wanted[1][i]!, 4);
    }
  });

  test("snapshot and restore continue bit for bit", () => {
    const simulation = new Simulation(physics, model, { numWorlds: 2 });
    const rng = createRng(1);
    const act = (s: Simulation, r: Rng): void => {
      for (const world of s.worlds) randomise(world, r);
      s.step(5);
    };
    for (let t = 0; t < 80; t++) act(simulation, rng);
    const snapshot = simulation.snapshot();
    const state = rng.state();
    const other = new Simulation(physics, model, { numWorlds: 2 });
    other.restore(snapshot);
    const again = createRng(0);
    again.restore(state);
    expect(other.hash()).toBe(simulation.hash());
    for (let t = 0; t < 200; t++) {
      act(simulation, rng);
      act(other, again);
    }
    expect(other.hash()).toBe(simulation.hash());
    expect(other.worlds[0]!.time).toBe(simulation.worlds[0]!.time);
  });

  test("joints stay near their limits and anchors under bang-bang torques", () => {
    const timestep = name === "ant" ? 0.01 : 0.005;
    const simulation = new Simulation(physics, model, { settings: { timestep, pgsIterations: 4 } });
    const [world] = simulation.worlds as [World];
    for (const [i, { low, high }] of world.plan.coordinates.entries())
      world.start.positions[i] = Math.min(Math.max(0, low), high);
    world.place();
    const rng = createRng(2);
    let overshoot = 0;
    for (let t = 0; t < 600; t++) {
      world.setControls(Float32Array.from(model.actuators, () => (rng.uniform() < 0.5 ? -1 : 1)));
      simulation.step(5);
      for (const [i, { low, high }] of world.plan.coordinates.entries())
        overshoot = Math.max(
          overshoot,
          low - world.jointPositions[i]!,
          world.jointPositions[i]! - high,
        );
    }
    expect(world.healthy).toBe(true);
    expect(overshoot).toBeLessThan(0.1);
  });
});

test("a body whose state is not finite makes its world unhealthy, and only its own", () => {
  const simulation = new Simulation(physics, ant(), { numWorlds: 3 });
  simulation.worlds[1]!.push(0, [Number.NaN, 0, 0]);
  simulation.step(5);
  expect(simulation.worlds.map((world) => world.healthy)).toEqual([true, false, true]);
  simulation.worlds[1]!.place();
  simulation.step(5);
  expect(simulation.worlds.map((world) => world.healthy)).toEqual([true, true, true]);
  expect(simulation.worlds[1]!.linkPositions.every(Number.isFinite)).toBe(true);
});

test("memory stays flat over resets", () => {
  const simulation = new Simulation(physics, hopper());
  const [world] = simulation.worlds as [World];
  const reset = (count: number): void => {
    for (let i = 0; i < count; i++) {
      world.place();
      simulation.step(1);
    }
  };
  reset(200);
  const before = physics.memory.buffer.byteLength;
  reset(3000);
  expect(physics.memory.buffer.byteLength).toBe(before);
});

test("links of one robot meet, those of others and excluded ones do not", () => {
  const ball = (name: string, x: number) =>
    link(name, null, {
      position: [x, 0, 0],
      joints: [{ name: `${name}:free`, type: "free" }],
      geoms: [{ shape: { type: "sphere", radius: 0.1 }, position: [0, 0, 0], rotation: upright }],
    });
  const model: RobotModel = {
    name: "balls",
    links: [ball("a", 0), ball("b", 0.15)],
    actuators: [],
  };
  const settings = { selfCollision: true, gravity: [0, 0, 0] } as const;
  const apart = (m: RobotModel, s: object): number => {
    const simulation = new Simulation(physics, m, { numWorlds: 2, settings: s });
    simulation.step(100);
    const [first, second] = simulation.worlds as [World, World];
    expect(bits(first)).toBe(bits(second));
    return first.linkPositions[3]! - first.linkPositions[0]!;
  };
  expect(apart(model, settings)).toBeGreaterThan(0.19);
  expect(apart(model, { ...settings, selfCollision: false })).toBeCloseTo(0.15, 6);
  expect(apart({ ...model, contactExclusions: [["a", "b"]] }, settings)).toBeCloseTo(0.15, 6);
});

test("links are kept apart by a joint only where their geoms could meet", () => {
  const ball = (name: string, group: number) =>
    link(name, null, {
      joints: [{ name: `${name}:free`, type: "free" }],
      geoms: [
        {
          shape: { type: "sphere", radius: 0.1 },
          position: [0, 0, 0],
          rotation: upright,
          group,
          affinity: group,
        },
      ],
    });
  const numKeptApart = (group: number, selfCollision: boolean): number => {
    const model: RobotModel = {
      name: "balls",
      links: [ball("a", group), ball("b", group)],
      actuators: [],
      contactExclusions: [["a", "b"]],
    };
    const simulation = new Simulation(physics, model, { settings: { selfCollision } });
    const { length } = simulation.worlds[0]!.assembly.extras;
    simulation.free();
    return length;
  };
  expect(numKeptApart(1, true)).toBe(1);
  expect(numKeptApart(0, true)).toBe(0);
  expect(numKeptApart(1, false)).toBe(0);
});
