// The experts, by task. A task's variants, sparse and dense, share one.

import type { RobotModel } from "../../sim/model.ts";
import type { Task } from "../../sim/task.ts";
import { demonstrator, type Expert, type Flaws, flawless, type Script } from "./expert.ts";
import { insertPegScript } from "./insertPeg.ts";
import { liftCubeScript } from "./liftCube.ts";
import { openDrawerScript } from "./openDrawer.ts";
import { pushTScript } from "./pushT.ts";
import { stackCubesScript } from "./stackCubes.ts";
import { twoArmLiftScript } from "./twoArmLift.ts";

interface Entry {
  readonly script: (model: RobotModel) => Script;
  /** The action's elements that say how something is held. */
  readonly held: readonly number[];
  /** The flaws with which about three of four episodes succeed, as people's do. */
  readonly person: Flaws;
}

const flawsOfPeople: Flaws = {
  speed: 0.7,
  tremble: 0.25,
  drift: 0.05,
  aim: 0.01,
  pauses: 0.01,
  haste: 0.2,
};

/** Steadier ones, for what needs a finer touch. */
const carefulPeople: Flaws = { ...flawsOfPeople, tremble: 0.12, drift: 0.03, aim: 0.005 };

const experts: Readonly<Record<string, Entry>> = {
  "lift-cube": { script: liftCubeScript, held: [4], person: flawsOfPeople },
  "stack-cubes": { script: stackCubesScript, held: [4], person: { ...flawsOfPeople, aim: 0.004 } },
  "insert-peg": {
    script: insertPegScript,
    held: [4],
    person: { ...carefulPeople, tremble: 0.08, haste: 0.1 },
  },
  "open-drawer": { script: openDrawerScript, held: [4], person: flawsOfPeople },
  "push-t": {
    script: pushTScript,
    held: [],
    person: { ...flawsOfPeople, tremble: 0.15, aim: 0.004 },
  },
  "two-arm-lift": { script: twoArmLiftScript, held: [4, 9], person: carefulPeople },
};

/** How well an expert does: every time, as people do, or with flaws of one's own. */
export type Skill = "expert" | "person" | Flaws;

/** Whether a task has an expert. */
export function hasExpert(taskId: string): boolean {
  return entryOf(taskId) !== undefined;
}

/** A task's scripted expert; reset it before each episode. */
export function createExpert(task: Task, skill: Skill = "expert"): Expert {
  const entry = entryOf(task.id);
  if (!entry)
    throw new Error(`task "${task.id}" has no expert; known: ${Object.keys(experts).join(", ")}`);
  const flaws = skill === "expert" ? flawless : skill === "person" ? entry.person : skill;
  return demonstrator(task.id, entry.script(task.model), flaws, task.action.size, entry.held);
}

function entryOf(taskId: string): Entry | undefined {
  return experts[taskId.replace(/(-dense)?-v\d+$/, "")];
}
