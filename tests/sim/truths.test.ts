// Physics against closed forms.

import { expect, test } from "vitest";
import type { RobotModel } from "../../sim/model.ts";
import { loadPhysics } from "../../sim/rapier.ts";
import { floor, type PhysicsSettings } from "../../sim/settings.ts";
import { Simulation } from "../../sim/simulation.ts";
import type { World } from "../../sim/world.ts";
import { link, looseBody, pendulum, upright } from "./models.ts";

const physics = await loadPhysics();
const gravity = 9.81;

function alone(model: RobotModel, settings: Partial<PhysicsSettings> = {}): [Simulation, World] {
  const simulation = new Simulation(physics, model, { settings });
  return [simulation, simulation.worlds[0]!];
}

test("a pendulum swings with the period of its length and inertia", () => {
  const [simulation, world] = alone(pendulum(1), { timestep: 0.002 });
  world.start.positions[0] = 0.1;
  world.place();
  const crossings: number[] = [];
  let before = world.jointPositions[0]!;
  while (crossings.length < 9) {
    simulation.step(1);
    const now = world.jointPositions[0]!;
    if (before < 0 !== now < 0) crossings.push(world.time - (0.002 * now) / (now - before));
    before = now;
  }
  const period = (crossings[8]! - crossings[0]!) / 4;
  const [mass, length, inertia] = [2, 1, 0.01];
  const amplitude = 1 + 0.1 ** 2 / 16;
  const small = 2 * Math.PI * Math.sqrt((inertia + mass * length ** 2) / (mass * gravity * length));
  expect(period / (small * amplitude)).toBeCloseTo(1, 2);
});

test("a body falls by g t² / 2", () => {
  const [simulation, world] = alone(looseBody({ shape: { type: "sphere", radius: 0.1 } }, []));
  simulation.step(100);
  // Symplectic Euler on the substep h falls by g t (t + h) / 2.
  const substep = 0.01 / 4;
  expect(world.linkPositions[2]).toBeCloseTo((-gravity * (1 + substep)) / 2, 3);
  expect(world.linkVelocities[2]).toBeCloseTo(-gravity, 3);
});

test("a body whose weight is carried to a share falls by the rest of g", () => {
  const ball = looseBody({ shape: { type: "sphere", radius: 0.1 } }, []);
  const links = ball.links.map((each) => ({ ...each, gravityCompensation: 0.75 }));
  const [simulation, world] = alone({ ...ball, links });
  simulation.step(100);
  expect(world.linkVelocities[2]).toBeCloseTo(-gravity / 4, 3);
});

test("a sliding block stops after v² / (2 μ g)", () => {
  const shape = { type: "box", halfExtents: [0.2, 0.2, 0.1] } as const;
  const [simulation, world] = alone(looseBody({ shape, friction: 0.4 }, [floor(0.4)]));
  world.start.freePoses.set([0, 0, 0.1, ...upright]);
  world.start.freeVelocities.set([3, 0, 0, 0, 0, 0]);
  world.place();
  simulation.step(300);
  expect(world.linkVelocities[0]).toBeCloseTo(0, 2);
  expect(world.linkPositions[0]! / (3 ** 2 / (2 * 0.4 * gravity))).toBeCloseTo(1, 1);
});

test("a spinning body keeps its angular momentum and its energy", () => {
  const moments = [0.1, 0.2, 0.3] as const;
  const inertial = { mass: 1, position: [0, 0, 0] as const, rotation: upright, moments };
  const body = link("body", null, { joints: [{ name: "free", type: "free" }], inertial });
  const model: RobotModel = { name: "spin", links: [body], actuators: [] };
  const [simulation, world] = alone(model, { gravity: [0, 0, 0], timestep: 0.005 });
  world.start.freeVelocities.set([0, 0, 0, 1, 2, 3]);
  world.place();
  const before = momentum(world, moments);
  simulation.step(400);
  const after = momentum(world, moments);
  for (let i = 0; i < 3; i++) expect(Math.abs(after[i]! - before[i]!)).toBeLessThan(0.03);
  expect(after[3]! / before[3]!).toBeCloseTo(1, 1);
});

/** Angular momentum in the world's axes, and the energy. */
function momentum(world: World, moments: readonly number[]): [number, number, number, number] {
  const [x, y, z, w] = world.linkRotations as unknown as [number, number, number, number];
  const spin = Array.from(world.linkAngularVelocities);
  const turn = (v: readonly number[], s: number): number[] => {
    const t = [y * v[2]! - z * v[1]!, z * v[0]! - x * v[2]!, x * v[1]! - y * v[0]!].map(
      (a) => 2 * s * a,
    );
    return [
      v[0]! + w * t[0]! + s * (y * t[2]! - z * t[1]!),
      v[1]! + w * t[1]! + s * (z * t[0]! - x * t[2]!),
      v[2]! + w * t[2]! + s * (x * t[1]! - y * t[0]!),
    ];
  };
  const local = turn(spin, -1);
  const energy = local.reduce((sum, rate, i) => sum + 0.5 * moments[i]! * rate * rate, 0);
  const [a, b, c] = turn(
    local.map((rate, i) => rate * moments[i]!),
    1,
  );
  return [a!, b!, c!, energy];
}

test.each(["rows", "torques"] as const)(
  "a motor spins up as τ/d (1 − exp(−d t/I)): %s",
  (actuation) => {
    const inertial = {
      mass: 1,
      position: [0, 0, 0] as const,
      rotation: upright,
      moments: [0.2, 0.2, 0.2] as const,
    };
    const joint = { name: "axle", type: "hinge", axis: [0, 1, 0], anchor: [0, 0, 0] } as const;
    const wheel = link("wheel", null, {
      joints: [{ ...joint, damping: 0.1, armature: 0.05 }],
      inertial,
    });
    const motor = { name: "motor", type: "motor", joint: "axle", gear: 2 } as const;
    const [simulation, world] = alone(
      { name: "wheel", links: [wheel], actuators: [motor] },
      { actuation },
    );
    world.setControls([0.25]);
    simulation.step(100);
    const expected = (0.5 / 0.1) * (1 - Math.exp((-0.1 * 1) / 0.25));
    expect(world.jointVelocities[0]! / expected).toBeCloseTo(1, 2);
    expect(world.jointTorques[0]).toBeCloseTo(0.5, 9);
  },
);

test.each(["rows", "torques"] as const)(
  "dry friction stops a wheel after I ω² / (2 f), and one that is driven against it stays: %s",
  (actuation) => {
    const moments = [0.2, 0.2, 0.2] as const;
    const inertial = { mass: 1, position: [0, 0, 0] as const, rotation: upright, moments };
    const axle = { name: "axle", type: "hinge", axis: [0, 1, 0], anchor: [0, 0, 0] } as const;
    const wheel = link("wheel", null, { joints: [{ ...axle, frictionLoss: 0.5 }], inertial });
    const motor = { name: "motor", type: "motor", joint: "axle", gear: 1 } as const;
    const model: RobotModel = { name: "wheel", links: [wheel], actuators: [motor] };
    const [simulation, world] = alone(model, { actuation });
    world.start.velocities[0] = 2;
    world.place();
    simulation.step(40); // half of the time to rest, 0.8 s
    expect(world.jointVelocities[0]).toBeCloseTo(1, 2);
    simulation.step(60);
    expect(world.jointVelocities[0]).toBeCloseTo(0, 4);
    expect(Math.abs(world.jointPositions[0]! / ((0.2 * 2 ** 2) / (2 * 0.5)) - 1)).toBeLessThan(
      0.01,
    );
    const rest = world.jointPositions[0]!;
    world.setControls([0.48]);
    simulation.step(100);
    expect(world.jointPositions[0]! - rest).toBeCloseTo(0, 3);
    world.setControls([0.9]);
    simulation.step(50);
    expect(world.jointVelocities[0]! / (((0.9 - 0.5) / 0.2) * 0.5)).toBeCloseTo(1, 1);
  },
);

test("an elastic chain rests where its springs carry its weight", () => {
  const stiffness = 200; // N/m
  const masses = [1, 2, 3];
  const links = masses.map((mass, i) =>
    link(`m${i}`, i === 0 ? null : `m${i - 1}`, {
      position: [0, 0, -0.5],
      joints: [
        {
          name: `s${i}`,
          type: "slide",
          axis: [0, 0, 1],
          anchor: [0, 0, 0],
          stiffness,
          damping: 10,
        },
      ],
      inertial: { mass, position: [0, 0, 0], rotation: upright, moments: [0.1, 0.1, 0.1] },
    }),
  );
  const [simulation, world] = alone({ name: "chain", links, actuators: [] });
  simulation.step(1500);
  for (let i = 0; i < 3; i++) {
    const carried = masses.slice(i).reduce((a, b) => a + b);
    expect(world.jointPositions[i]).toBeCloseTo((-carried * gravity) / stiffness, 3);
  }
});

test("a resting box presses with its weight, and its sensors say so", () => {
  const shape = { type: "box", halfExtents: [0.2, 0.2, 0.1] } as const;
  const model = looseBody({ shape, mass: 3 }, [floor()]);
  const site = { name: "imu", position: [0, 0, 0], rotation: upright } as const;
  const [body] = model.links;
  const sensors = ["touch", "force", "accelerometer", "gyro"] as const;
  const [simulation, world] = alone({
    ...model,
    links: [{ ...body!, position: [0, 0, 0.1], sites: [site] }],
    sensors: sensors.map((type) => ({ name: type, type, site: "imu" })),
  });
  simulation.step(200);
  expect(world.contacts.touches(0)).toBe(true);
  expect(world.contacts.touches(0, -1)).toBe(true);
  expect(world.sensors.read("touch")[0]! / (3 * gravity)).toBeCloseTo(1, 1);
  expect(world.sensors.read("force")[2]! / (3 * gravity)).toBeCloseTo(1, 1);
  expect(world.sensors.read("accelerometer")[2]).toBeCloseTo(gravity, 1);
  expect(Math.abs(world.sensors.read("gyro")[0]!)).toBeLessThan(1e-3);
});

test("a servo reaches its target and stays within its force", () => {
  const joint = { damping: 0.5, armature: 0.05 };
  const base = pendulum(0.3, joint);
  const servo = { name: "servo", type: "position", joint: "swing", kp: 200, kv: 5 } as const;
  const ranged = { ...servo, controlRange: [-1, 1] as const };
  const [simulation, world] = alone({ ...base, actuators: [ranged] });
  world.setControls([0.5]);
  simulation.step(300);
  // kp (u − q) = m g l sin q
  const q = world.jointPositions[0]!;
  expect(200 * (0.5 - q)).toBeCloseTo(2 * gravity * 0.3 * Math.sin(q), 1);
  const weak = { ...ranged, forceRange: [-1, 1] as const };
  const [other, feeble] = alone({ ...base, actuators: [weak] });
  feeble.setControls([0.5]);
  other.step(500);
  expect(2 * gravity * 0.3 * Math.sin(feeble.jointPositions[0]!)).toBeLessThan(1.1);
});
