// A robot's masses and zero pose beside MuJoCo's own reading of the same file.

import { readdirSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import load, { type MainModule } from "@mujoco/mujoco";
import { add, multiply, rotate } from "../sim/frames.ts";
import { linkMass, toInertial } from "../sim/inertia.ts";
import type { Quat, RobotModel, Vec3 } from "../sim/model.ts";

let loaded: Promise<MainModule> | undefined;

/** The largest differences in words; says so where MuJoCo cannot read the file. */
export async function compareWithMujoco(file: string, model: RobotModel): Promise<string> {
  loaded ??= load();
  const mujoco = await loaded;
  const root = dirname(file);
  try {
    // Its own file system needs the files that the robot includes.
    for (const name of readdirSync(root, { recursive: true, encoding: "utf8" })) {
      if (!/\.(xml|stl|obj)$/i.test(name)) continue;
      const path = `/robot/${name}`;
      mujoco.FS.mkdirTree(dirname(path), 0o777);
      mujoco.FS.writeFile(path, readFileSync(join(root, name)));
    }
    const theirs = mujoco.MjModel.from_xml_path(`/robot/${file.slice(root.length + 1)}`);
    if (!theirs) return "MuJoCo cannot read it,";
    const data = new mujoco.MjData(theirs);
    data.qpos.set(theirs.qpos0);
    mujoco.mj_kinematics(theirs, data);
    const { nbody, body_mass: masses, body_inertia: moments } = theirs;
    const text = difference(model, { numBodies: nbody, masses, moments, positions: data.xpos });
    data.delete();
    theirs.delete();
    return text;
  } catch (error) {
    return `MuJoCo: ${String((error as Error).message ?? error).slice(0, 60)},`;
  }
}

interface Theirs {
  readonly numBodies: number;
  readonly masses: ArrayLike<number>;
  readonly moments: ArrayLike<number>;
  readonly positions: ArrayLike<number>;
}

function difference(model: RobotModel, { numBodies, masses, moments, positions }: Theirs): string {
  if (numBodies !== model.links.length + 1)
    return `${model.links.length} links where MuJoCo has ${numBodies - 1},`;
  const poses = new Map<string, { readonly position: Vec3; readonly rotation: Quat }>();
  let [massError, momentError, positionError] = [0, 0, 0];
  for (const [index, link] of model.links.entries()) {
    const outer = link.parent === null ? undefined : poses.get(link.parent)!;
    const position = outer
      ? add(outer.position, rotate(outer.rotation, link.position))
      : link.position;
    const rotation = outer ? multiply(outer.rotation, link.rotation) : link.rotation;
    poses.set(link.name, { position, rotation });
    const mass = masses[index + 1]!;
    massError = Math.max(massError, Math.abs(linkMass(link).mass - mass) / (mass || 1));
    const ours = [...toInertial(linkMass(link)).moments].sort((a, b) => a - b);
    const sorted = [0, 1, 2].map((i) => moments[3 * (index + 1) + i]!).sort((a, b) => a - b);
    for (let i = 0; i < 3; i++)
      momentError = Math.max(momentError, Math.abs(ours[i]! - sorted[i]!) / (sorted[2]! || 1));
    for (let i = 0; i < 3; i++)
      positionError = Math.max(
        positionError,
        Math.abs(position[i]! - positions[3 * (index + 1) + i]!),
      );
  }
  return `masses ${massError.toExponential(0)}, moments ${momentError.toExponential(0)}, poses ${positionError.toExponential(0)} m,`;
}
