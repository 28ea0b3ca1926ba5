// Our robots beside MuJoCo's own reading of the same files.
import { readdirSync, readFileSync } from "node:fs";
import load, { type MainModule, type MjModel } from "@mujoco/mujoco";
import { beforeAll, describe, expect, test } from "vitest";
import { add, direction, multiply, rotate, toMatrix } from "../../sim/frames.ts";
import { linkMass } from "../../sim/inertia.ts";
import { parseMjcf } from "../../sim/mjcf.ts";
import type { Link, Quat, RobotModel, Vec3 } from "../../sim/model.ts";

const folder = new URL("../../../tasks/", import.meta.url); // from dist/tests/sim
const files = readdirSync(folder).filter((name) => name.endsWith(".xml"));
const tolerance = 1e-3; // relative; what comes out is far below

let mujoco: MainModule;
beforeAll(async () => {
  mujoco = await load();
});

/** Poses of the links at the zero pose, as the product of their frames. */
function zeroPoses(model: RobotModel): Map<string, { position: Vec3; rotation: Quat }> {
  const poses = new Map<string, { position: Vec3; rotation: Quat }>();
  for (const { name, parent, position, rotation } of model.links) {
    const outer = parent === null ? undefined : poses.get(parent)!;
    poses.set(name, {
      position: outer ? add(outer.position, rotate(outer.rotation, position)) : position,
      rotation: outer ? multiply(outer.rotation, rotation) : rotation,
    });
  }
  return poses;
}

function slice(array: ArrayLike<number>, index: number, width: number): number[] {
  return Array.from({ length: width }, (_, i) => array[index * width + i]!);
}

function expectNear(actual: readonly number[], wanted: readonly number[], scale: number): void {
  for (const [i, value] of wanted.entries()) {
    expect(Math.abs(actual[i]! - value)).toBeLessThanOrEqual(tolerance * scale);
  }
}

/** MuJoCo's inertia of body `id` as xx yy zz xy xz yz along the body's axes. */
function inertiaOf(model: MjModel, id: number): number[] {
  const [w, x, y, z] = slice(model.body_iquat, id, 4) as [number, number, number, number];
  const r = toMatrix([x, y, z, w]);
  const moments = slice(model.body_inertia, id, 3);
  const entry = (i: number, j: number) =>
    moments.reduce((sum, moment, k) => sum + r[3 * i + k]! * moment * r[3 * j + k]!, 0);
  return [entry(0, 0), entry(1, 1), entry(2, 2), entry(0, 1), entry(0, 2), entry(1, 2)];
}

function expectSameMass(link: Link, model: MjModel, id: number): void {
  const { mass, position, inertia } = linkMass(link);
  expectNear([mass], [model.body_mass[id]!], mass);
  expectNear(position, slice(model.body_ipos, id, 3), 1);
  expectNear(inertia, inertiaOf(model, id), Math.max(...inertia));
}

describe.each(files)("%s", (file) => {
  const text = readFileSync(new URL(file, folder), "utf8");
  const { model, warnings } = parseMjcf(text, { file });

  test("is read without a warning", () => {
    expect(warnings.filter((warning) => !warning.includes("<touch>"))).toEqual([]);
  });

  test("has MuJoCo's masses, inertias, zero pose and joints", () => {
    const theirs = mujoco.MjModel.from_xml_string(text)!;
    const data = new mujoco.MjData(theirs);
    data.qpos.set(theirs.qpos0);
    mujoco.mj_kinematics(theirs, data);
    const poses = zeroPoses(model);
    expect(theirs.nbody).toBe(model.links.length + 1);
    for (const [index, link] of model.links.entries()) {
      const id = index + 1; // theirs has the world first
      expectSameMass(link, theirs, id);
      const { position, rotation } = poses.get(link.name)!;
      expectNear(position, slice(data.xpos, id, 3), 1);
      expectNear([...toMatrix(rotation)], slice(data.xmat, id, 9), 1);
    }
    const joints = model.links.flatMap(({ joints }) => joints);
    expect(theirs.njnt).toBe(joints.length);
    for (const [j, joint] of joints.entries()) {
      if (joint.type === "free" || joint.type === "ball") continue;
      expectNear(direction(joint.axis)!, slice(theirs.jnt_axis, j, 3), 1);
      expectNear(joint.range ?? [0, 0], slice(theirs.jnt_range, j, 2), 1);
      expectNear([joint.armature ?? 0], [theirs.dof_armature[theirs.jnt_dofadr[j]!]!], 1);
      expectNear([joint.damping ?? 0], [theirs.dof_damping[theirs.jnt_dofadr[j]!]!], 1);
      expectNear([joint.stiffness ?? 0], [theirs.jnt_stiffness[j]!], 1);
    }
    data.delete();
    theirs.delete();
  });
});
