// Small robots for tests and benchmarks.

import type { Geom, Joint, Link, Quat, RobotModel, Vec3 } from "../../sim/model.ts";
import { floor } from "../../sim/settings.ts";

export const upright: Quat = [0, 0, 0, 1];
const origin: Vec3 = [0, 0, 0];
const alongX: Quat = [0, Math.SQRT1_2, 0, Math.SQRT1_2]; // z axis turned to x

export function link(name: string, parent: string | null, parts: Partial<Link>): Link {
  return { name, parent, position: origin, rotation: upright, joints: [], geoms: [], ...parts };
}

export function hinge(name: string, axis: Vec3, more: Partial<Joint> = {}): Joint {
  return { name, type: "hinge", axis, anchor: origin, ...more } as Joint;
}

export function slide(name: string, axis: Vec3, more: Partial<Joint> = {}): Joint {
  return { name, type: "slide", axis, anchor: origin, ...more } as Joint;
}

/** A point-like mass on a massless rod of length `length`, swinging about y; hangs at angle 0. */
export function pendulum(length: number, more: Partial<Joint> = {}): RobotModel {
  const inertial = {
    mass: 2,
    position: [0, 0, -length] as const,
    rotation: upright,
    moments: [0.01, 0.01, 0.01] as const,
  };
  return {
    name: "pendulum",
    links: [link("bob", null, { joints: [hinge("swing", [0, 1, 0], more)], inertial })],
    actuators: [{ name: "motor", type: "motor", joint: "swing", gear: 5 }],
  };
}

export function looseBody(geom: Partial<Geom> & Pick<Geom, "shape">, scenery: Geom[]): RobotModel {
  return {
    name: "loose",
    links: [
      link("body", null, {
        joints: [{ name: "free", type: "free" }],
        geoms: [{ position: origin, rotation: upright, ...geom }],
      }),
    ],
    actuators: [],
    scenery,
  };
}

const thigh = { shape: { type: "capsule", radius: 0.08, halfLength: 0.14 } as const };

/** An 18 kg, 8-joint quadruped after gym's ant. */
export function ant(): RobotModel {
  const links: Link[] = [
    link("torso", null, {
      position: [0, 0, 0.75],
      joints: [{ name: "root", type: "free" }],
      geoms: [
        { shape: { type: "sphere", radius: 0.25 }, position: origin, rotation: upright, mass: 10 },
      ],
      sites: [{ name: "imu", position: origin, rotation: upright }],
    }),
  ];
  const actuators: RobotModel["actuators"][number][] = [];
  for (let leg = 0; leg < 4; leg++) {
    const c = [1, -1, -1, 1][leg]!;
    const s = [1, 1, -1, -1][leg]!;
    const half: Vec3 = [c * 0.1, s * 0.1, 0];
    const turn: Quat = [-s * 0.5, c * 0.5, 0, Math.SQRT1_2]; // z axis turned to (c, s, 0)/√2
    const hip = hinge(`hip${leg}`, [0, 0, 1], { range: [-0.6, 0.6], damping: 1, armature: 0.02 });
    const ankle = hinge(`ankle${leg}`, [-s * Math.SQRT1_2, c * Math.SQRT1_2, 0], {
      range: [0.5, 1.4],
      damping: 1,
      armature: 0.02,
    });
    links.push(
      link(`upper${leg}`, "torso", {
        position: [c * 0.2, s * 0.2, 0],
        joints: [hip],
        geoms: [{ ...thigh, position: half, rotation: turn, mass: 1 }],
      }),
      link(`lower${leg}`, `upper${leg}`, {
        position: [c * 0.2, s * 0.2, 0],
        joints: [ankle],
        geoms: [
          {
            shape: { type: "capsule", radius: 0.08, halfLength: 0.28 },
            position: [c * 0.2, s * 0.2, 0],
            rotation: turn,
            mass: 1,
            friction: 1,
          },
        ],
      }),
    );
    actuators.push(
      { name: `hip${leg}`, type: "motor", joint: `hip${leg}`, gear: 40 },
      { name: `ankle${leg}`, type: "motor", joint: `ankle${leg}`, gear: 40 },
    );
  }
  const sensors = [
    { name: "gyro", type: "gyro", site: "imu" },
    { name: "accelerometer", type: "accelerometer", site: "imu" },
  ] as const;
  return { name: "ant", links, actuators, sensors, scenery: [floor()] };
}

/** A 4-link planar hopper. */
export function hopper(): RobotModel {
  const bone = (half: number, radius: number, mass: number, z: number): Geom => {
    const shape = { type: "capsule", radius, halfLength: half } as const;
    return { shape, position: [0, 0, z], rotation: upright, mass };
  };
  const joint = (name: string, low: number, high: number) =>
    hinge(name, [0, -1, 0], { range: [low, high], damping: 1, armature: 0.03 });
  const foot: Geom = {
    shape: { type: "capsule", radius: 0.06, halfLength: 0.195 },
    position: [0.065, 0, -0.1],
    rotation: alongX,
    mass: 5,
    friction: 2,
  };
  return {
    name: "hopper",
    links: [
      link("torso", null, {
        position: [0, 0, 1.31],
        joints: [slide("x", [1, 0, 0]), slide("z", [0, 0, 1]), hinge("pitch", [0, 1, 0])],
        geoms: [bone(0.2, 0.05, 3.7, 0)],
      }),
      link("thigh", "torso", {
        position: [0, 0, -0.2],
        joints: [joint("hip", -2.6, 0.1)],
        geoms: [bone(0.225, 0.05, 4, -0.225)],
      }),
      link("shin", "thigh", {
        position: [0, 0, -0.45],
        joints: [joint("knee", -2.6, 0.1)],
        geoms: [bone(0.25, 0.04, 2.8, -0.25)],
      }),
      link("foot", "shin", {
        position: [0, 0, -0.5],
        joints: [joint("ankle", -0.78, 0.78)],
        geoms: [foot],
      }),
    ],
    actuators: ["hip", "knee", "ankle"].map((name) => {
      return { name, type: "motor" as const, joint: name, gear: 200 };
    }),
    scenery: [floor()],
  };
}
