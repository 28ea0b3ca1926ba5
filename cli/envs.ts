// salle envs: which tasks there are, what each observes and earns, and whether a task is sound.

import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { Command } from "commander";
import { loadPhysics } from "../sim/rapier.ts";
import { physicsDefaults } from "../sim/settings.ts";
import { type Mirror, substepsOf, type Task } from "../sim/task.ts";
import { type Check, checks, subjectOf } from "../tasks/check.ts";
import { tasksFolder } from "../tasks/files.ts";
import { createTask, tasks } from "../tasks/index.ts";
import { randomPolicy } from "../tasks/rollout.ts";
import { addCommand } from "./envsAdd.ts";
import { print, table } from "./output.ts";

export function envsCommand(): Command {
  return new Command("envs")
    .addCommand(listCommand())
    .addCommand(showCommand())
    .addCommand(checkCommand())
    .addCommand(addCommand());
}

/** What the list says of a task. */
export interface TaskSummary {
  readonly id: string;
  readonly robot: string;
  readonly observations: number;
  readonly actions: number;
  /** Control steps a second. */
  readonly controlRate: number;
  readonly maxEpisodeSteps: number;
  readonly rewardTerms: readonly string[];
}

function summaryOf(task: Task): TaskSummary {
  return {
    id: task.id,
    robot: task.model.name,
    observations: task.observation.size,
    actions: task.action.size,
    controlRate: rounded(1 / task.controlDt),
    maxEpisodeSteps: task.maxEpisodeSteps,
    rewardTerms: task.rewardTerms,
  };
}

function listCommand(): Command {
  return new Command("list")
    .description("list the tasks")
    .option("--json", "print the list as JSON")
    .action(async ({ json = false }: { json?: boolean }) => {
      const all = await Promise.all([...Object.keys(tasks), ...ownTasks()].map(createTask));
      const summaries = all.map(summaryOf);
      if (json) return print(JSON.stringify(summaries, null, 2));
      const head = ["id", "robot", "observed", "actions", "rate", "episode", "reward terms"];
      const rows = summaries.map((each) => [
        each.id,
        each.robot,
        `${each.observations}`,
        `${each.actions}`,
        `${each.controlRate} Hz`,
        `${each.maxEpisodeSteps} steps, ${rounded(each.maxEpisodeSteps / each.controlRate)} s`,
        each.rewardTerms.join(" "),
      ]);
      for (const line of table([head, ...rows])) print(line);
      print("\n`salle envs show <id>` explains one.");
    });
}

/** Files of the current folder's own tasks. */
function ownTasks(): string[] {
  if (!existsSync(tasksFolder)) return [];
  const names = readdirSync(tasksFolder).filter((name) => /\.(json|m?[jt]s)$/.test(name));
  return names.map((name) => join(tasksFolder, name));
}

function showCommand(): Command {
  return new Command("show")
    .description("explain a task: every observed element, actions, terms, settings")
    .argument("<task>", "an id such as hopper-hop-v0, hopper-hop or hopper, or a robot's file")
    .option("--json", "print it as JSON")
    .action(async (name: string, { json = false }: { json?: boolean }) => {
      const task = await createTask(name);
      if (json) return print(JSON.stringify(factsOf(task), null, 2));
      for (const line of describeTask(task)) print(line);
    });
}

function factsOf(task: Task) {
  const { observation, action, randomization = {} } = task;
  const settings = { ...physicsDefaults, ...task.settings };
  return { ...summaryOf(task), observation, action, settings, randomization };
}

function describeTask(task: Task): string[] {
  const { observation, action, model, controlDt, maxEpisodeSteps } = task;
  const { settings } = factsOf(task);
  const substeps = substepsOf(task, settings.timestep);
  const mark = (present: unknown) => (present ? "yes" : "no");
  const joints = model.links.flatMap((link) => link.joints);
  return [
    ...table([
      ["task", task.id],
      ["robot", `${model.name}: ${model.links.length} links, ${joints.length} joints`],
      ["control step", `${controlDt} s, ${substeps} physics steps of ${settings.timestep} s`],
      ["episode", `${maxEpisodeSteps} steps, ${rounded(maxEpisodeSteps * controlDt)} s, at most`],
      ["reward", `the sum of ${task.rewardTerms.join(", ")}`],
      ["says success", mark(task.success)],
      ["has levels", mark(task.hasLevels)],
    ]),
    ...section(
      `observation [${observation.size}]`,
      numbered(observation.names, task.mirror?.observations),
    ),
    ...section(
      `action [${action.size}], each in [-1, 1]`,
      numbered(action.names, task.mirror?.actions),
    ),
    ...section("randomisation", settingRows(task.randomization ?? { none: "" })),
    ...section("physics settings", settingRows(settings)),
  ];
}

function section(title: string, rows: readonly (readonly string[])[]): string[] {
  return ["", title, ...table(rows).map((line) => `  ${line}`)];
}

/** Names by index, and which element, of which sign, each is in a mirror. */
function numbered(names: readonly string[], mirror?: Mirror): string[][] {
  return names.map((name, index) => {
    const image =
      mirror && `mirrored ${mirror.signs[index]! < 0 ? "−" : "+"}${mirror.indices[index]}`;
    return [`${index}`, name, image ?? ""];
  });
}

function settingRows(settings: object): string[][] {
  return Object.entries(settings).map(([name, value]) => [
    name,
    typeof value === "string" ? value : JSON.stringify(value),
  ]);
}

function checkCommand(): Command {
  return new Command("check")
    .description("check that a task is sound; the exit code is 1 where it is not")
    .argument("<task>", "an id, or a robot's or a task's file")
    .option("--steps <count>", "control steps under each of three policies", Number, 1000)
    .action(async (name: string, { steps }: { steps: number }) => {
      if (!Number.isInteger(steps) || steps < 1)
        throw new Error(`--steps is a whole number from 1, got ${steps}`);
      const subject = subjectOf(await loadPhysics(), await createTask(name), steps);
      const width = Math.max(...checks.map((check) => check.name.length));
      let numFailed = 0;
      for (const check of checks) {
        const { ok, detail } = judge(check, subject);
        if (!ok) numFailed++;
        print(`${ok ? "✓ ok    " : "✗ failed"}  ${check.name.padEnd(width)}  ${detail}`.trimEnd());
      }
      const { numSteps, seconds } = subject.survey(randomPolicy);
      print(`\n${Math.round(numSteps / seconds)} control steps a second with 1 robot, 1 thread`);
      print(numFailed === 0 ? `${subject.task.id} is sound` : `${numFailed} checks failed`);
      process.exitCode = numFailed === 0 ? 0 : 1;
    });
}

/** Runs a check; whatever it throws is what it found. */
function judge(check: Check, subject: ReturnType<typeof subjectOf>) {
  try {
    return { ok: true, detail: check.run(subject) };
  } catch (error) {
    return { ok: false, detail: error instanceof Error ? error.message : String(error) };
  }
}

function rounded(value: number): number {
  return Number(value.toPrecision(6));
}
