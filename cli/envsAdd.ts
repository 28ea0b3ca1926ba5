// salle envs add: reads a user's robot, says what it is made of and what is not supported, and writes a task.

import { existsSync, mkdirSync, writeFileSync } from "node:fs";
import { join, relative, resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { Command } from "commander";
import { linkMass } from "../sim/inertia.ts";
import type { Joint, RobotModel } from "../sim/model.ts";
import { fileTaskId, loadTaskFile, tasksFolder } from "../tasks/files.ts";
import { genericDefaults } from "../tasks/generic.ts";
import { tasks } from "../tasks/index.ts";
import { loadRobotFile } from "../tasks/robotFiles.ts";
import { print, table } from "./output.ts";

interface AddOptions {
  readonly name?: string;
  readonly floating?: boolean;
  readonly module?: boolean;
  readonly force?: boolean;
}

export function addCommand(): Command {
  return new Command("add")
    .description("make a task of your own robot's file")
    .argument("<robot>", "an MJCF (.xml) or URDF (.urdf) file")
    .option("--name <name>", "the task's name; the file's where missing")
    .option("--floating", "the URDF's root link is free to move (MJCF says so itself)")
    .option("--module", "write a module whose reward is yours to change, not a file of settings")
    .option("--force", "write over a task of that name")
    .addHelpText(
      "after",
      `
Writes ${tasksFolder}/<name>.json (or .mjs) in the current folder, where every command finds the task by
its name. A robot with a free trunk gets a task of walking, any other one of reaching poses.

Examples:
  salle envs add my_robot.xml
  salle envs add arm.urdf --name arm --module
  salle envs check my-robot`,
    )
    .action(add);
}

async function add(robot: string, options: AddOptions): Promise<void> {
  const { name = fileTaskId(robot), floating = false, module = false, force = false } = options;
  if (fileTaskId(`${name}.json`) !== name)
    throw new Error(`a task's name has small letters, digits and "-", got "${name}"`);
  if (Object.keys(tasks).some((id) => id === name || id.startsWith(`${name}-`)))
    throw new Error(`"${name}" is the name of one of Salle's tasks; choose another with --name`);
  if (!existsSync(robot)) throw new Error(`there is no file "${robot}"`);
  const loaded = await loadRobotFile(pathToFileURL(robot), { floatingBase: floating });
  for (const line of describeRobot(loaded.model)) print(line);
  if (loaded.warnings.length > 0) print("\nleft out, without harm to the motion");
  for (const warning of loaded.warnings) print(`  ${warning}`);
  const others = [".json", ".mjs"].map((ending) => join(tasksFolder, name + ending));
  const there = others.find((path) => existsSync(path));
  if (there && !force) throw new Error(`${there} is there already; --force writes over it`);
  const path = join(tasksFolder, name + (module ? ".mjs" : ".json"));
  mkdirSync(tasksFolder, { recursive: true });
  const target = relative(resolve(tasksFolder), resolve(robot)).replaceAll("\\", "/");
  writeFileSync(path, module ? moduleText(target, floating) : settingsText(target, floating));
  const task = await loadTaskFile(pathToFileURL(path));
  const { observation, action, rewardTerms } = task;
  print(
    `\nwrote ${path}: task "${task.id}", ${observation.size} observed, ${action.size} actions,`,
  );
  print(`reward ${rewardTerms.join(" + ")}. Is it sound? salle envs check ${task.id}`);
}

function settingsText(robot: string, floatingBase: boolean): string {
  return `${JSON.stringify({ robot, ...(floatingBase && { floatingBase }), ...genericDefaults }, null, 2)}\n`;
}

function moduleText(robot: string, floatingBase: boolean): string {
  const options = floatingBase ? ", { floatingBase: true }" : "";
  return `// Yours to change: what is not given here is the generic task's. docs/robots.md lists what \`salle\` has.

export async function createTask(id, salle) {
  const file = new URL(${JSON.stringify(robot)}, import.meta.url);
  const { model } = await salle.loadRobotFile(file${options});
  const task = salle.genericTask(id, model, { targetSpeed: ${genericDefaults.targetSpeed} });
  return {
    ...task,
    rewardTerms: [...task.rewardTerms, "smooth"],
    reward(world, action, terms) {
      terms[task.rewardTerms.length] = -0.01 * salle.meanSquare(world.jointVelocities);
      return task.reward(world, action, terms) + terms[task.rewardTerms.length];
    },
  };
}
`;
}

function describeRobot(model: RobotModel): string[] {
  const joints = model.links.flatMap((link) => link.joints);
  const mass = model.links.reduce((sum, link) => sum + linkMass(link).mass, 0);
  const count = (type: Joint["type"]) => joints.filter((joint) => joint.type === type).length;
  const kinds = (["free", "hinge", "slide", "ball"] as const).filter((type) => count(type) > 0);
  const rows = model.links.map((link) => [
    `  ${link.name}`,
    link.parent === null ? "" : `on ${link.parent}`,
    `${Number(linkMass(link).mass.toPrecision(4))} kg`,
    `${link.geoms.length} geoms`,
    link.joints.map(describeJoint).join(", ") || "fixed",
  ]);
  const drives = model.actuators.map(({ name, type, joint, gear = 1, kp, kv }) => [
    `  ${name}`,
    type,
    `on ${joint}`,
    [`gear ${gear}`, kp === undefined ? "" : `kp ${kp}`, kv === undefined ? "" : `kv ${kv}`]
      .filter(Boolean)
      .join(" "),
  ]);
  return [
    `${model.name}: ${model.links.length} links, ${Number(mass.toPrecision(5))} kg, joints: ${kinds.map((type) => `${count(type)} ${type}`).join(", ") || "none"}`,
    ...table(rows),
    "",
    `${drives.length} drives, ${(model.sensors ?? []).length} sensors`,
    ...table(drives),
  ];
}

function describeJoint(joint: Joint): string {
  if (joint.type === "free" || joint.type === "ball") return `${joint.name} ${joint.type}`;
  const { name, type, range } = joint;
  const ends = range?.map((end) => Number(end.toPrecision(3))).join(" … ");
  return `${name} ${type}${ends ? ` ${ends} ${type === "hinge" ? "rad" : "m"}` : ""}`;
}
