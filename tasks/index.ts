// The tasks, by id. A new task is one file and one line.

import { didYouMean } from "../sim/source.ts";
import type { Task } from "../sim/task.ts";
import type { TaskSource } from "../sim/vecEnv.ts";
import { antRun } from "./ant.ts";
import { cartpoleSwingup } from "./cartpole.ts";
import { findTaskFile, loadTaskFile, tasksFolder } from "./files.ts";
import { halfcheetahRun } from "./halfcheetah.ts";
import { hopperHop } from "./hopper.ts";
import { humanoid } from "./humanoid.ts";
import { insertPeg } from "./insertPeg.ts";
import { liftCube } from "./liftCube.ts";
import { openDrawer } from "./openDrawer.ts";
import { pendulumSwingup } from "./pendulum.ts";
import { pushT } from "./pushT.ts";
import { quadrupedWalk } from "./quadruped.ts";
import { reacher } from "./reacher.ts";
import { stackCubes } from "./stackCubes.ts";
import { twoArmLift } from "./twoArmLift.ts";
import { walker2d } from "./walker2d.ts";

/** Makes a task; the first of a domain is the one that the domain's name alone stands for. */
export const tasks: Readonly<Record<string, (id: string) => Promise<Task>>> = {
  "pendulum-swingup-v0": pendulumSwingup,
  "cartpole-swingup-v0": cartpoleSwingup,
  "reacher-easy-v0": (id) => reacher(id, { targetRadius: 0.05 }),
  "reacher-hard-v0": (id) => reacher(id, { targetRadius: 0.015 }),
  "hopper-hop-v0": hopperHop,
  "walker2d-walk-v0": (id) => walker2d(id, { targetSpeed: 1.5 }),
  "walker2d-run-v0": (id) => walker2d(id, { targetSpeed: 3 }),
  "halfcheetah-run-v0": halfcheetahRun,
  "ant-run-v0": antRun,
  "humanoid-stand-v0": (id) => humanoid(id, { targetSpeed: 0, base: 0.5 }),
  "humanoid-walk-v0": (id) => humanoid(id, { targetSpeed: 1.2, base: 0.3 }),
  "quadruped-walk-v0": (id) => quadrupedWalk(id, { roughness: 0 }),
  "quadruped-rough-v0": (id) => quadrupedWalk(id, { roughness: 0.06 }),
  "lift-cube-v0": (id) => liftCube(id, { dense: false }),
  "lift-cube-dense-v0": (id) => liftCube(id, { dense: true }),
  "stack-cubes-v0": (id) => stackCubes(id, { dense: false }),
  "stack-cubes-dense-v0": (id) => stackCubes(id, { dense: true }),
  "insert-peg-v0": (id) => insertPeg(id, { dense: false }),
  "insert-peg-dense-v0": (id) => insertPeg(id, { dense: true }),
  "open-drawer-v0": (id) => openDrawer(id, { dense: false }),
  "open-drawer-dense-v0": (id) => openDrawer(id, { dense: true }),
  "push-t-v0": (id) => pushT(id, { dense: false }),
  "push-t-dense-v0": (id) => pushT(id, { dense: true }),
  "two-arm-lift-v0": (id) => twoArmLift(id, { dense: false }),
  "two-arm-lift-dense-v0": (id) => twoArmLift(id, { dense: true }),
};

/** The registered id that a name stands for: `reacher-easy-v0`, `reacher-easy` and `reacher` are one. */
export function taskId(name: string): string {
  const found = registered(name);
  if (found) return found;
  const ids = Object.keys(tasks);
  const short = ids.flatMap((id) => [id, id.replace(/-v\d+$/, ""), id.replace(/-.*$/, "")]);
  throw new Error(
    `unknown task "${name}"${didYouMean(name, short)}; known: ${ids.join(", ")}, and files: ./robot.xml, ./robot.urdf, or what lies in ${tasksFolder}/`,
  );
}

function registered(name: string): string | undefined {
  const ids = Object.keys(tasks);
  return ids.find((id) => id === name) ?? ids.find((id) => id.startsWith(`${name}-`));
}

/** The task that a name stands for: a registered one, a file's path or URL, or one of salle-tasks/. */
export async function createTask(name: string): Promise<Task> {
  const file = registered(name) ? undefined : await findTaskFile(name);
  if (file) return await loadTaskFile(file);
  const id = taskId(name);
  return await tasks[id]!(id);
}

/** Where a thread finds the task that a name stands for, whichever folder it runs in. */
export async function taskSource(name: string): Promise<TaskSource> {
  const file = registered(name) ? undefined : await findTaskFile(name);
  return { module: import.meta.url, name: "createTask", args: [file?.href ?? taskId(name)] };
}
