// Which robots of a folder of public models are read, what of the others is not supported, and how far masses
// and zero poses are from MuJoCo's own: `npm run build && node dist/bench/robots.js <folder>`.

import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join, relative } from "node:path";
import { pathToFileURL } from "node:url";
import { loadPhysics } from "../sim/rapier.ts";
import { genericTask } from "../tasks/generic.ts";
import { loadRobotFile } from "../tasks/robotFiles.ts";
import { Rollout, randomPolicy } from "../tasks/rollout.ts";
import { compareWithMujoco } from "./mujocoModel.ts";

/** What happened to one file. */
interface Outcome {
  readonly file: string;
  readonly text: string;
  /** Kinds of what is not supported; none where the file was read. */
  readonly missing: readonly string[];
}

const [folder = ""] = process.argv.slice(2);
if (!existsSync(folder)) process.stdout.write(`no folder "${folder}": nothing to read\n`);
else await report(folder);

async function report(folder: string): Promise<void> {
  const files = readdirSync(folder, { recursive: true, encoding: "utf8" })
    .map((name) => join(folder, name))
    .filter((path) => /\.(xml|urdf)$/.test(path) && isRobot(path))
    .sort();
  const outcomes: Outcome[] = [];
  for (const file of files) {
    const outcome = { file: relative(folder, file), ...(await tryFile(file)) };
    process.stdout.write(`${outcome.file.padEnd(60)} ${outcome.text}\n`);
    outcomes.push(outcome);
  }
  const counts = new Map<string, number>();
  for (const { missing } of outcomes)
    for (const what of new Set(missing)) counts.set(what, (counts.get(what) ?? 0) + 1);
  const numRead = outcomes.filter(({ missing }) => missing.length === 0).length;
  process.stdout.write(`\n${numRead} of ${outcomes.length} files are read; files that want\n`);
  for (const [what, count] of [...counts].sort((a, b) => b[1] - a[1]))
    process.stdout.write(`${`${count}`.padStart(4)}  ${what}\n`);
}

/** Files that are only ever included have no bodies of their own. */
function isRobot(path: string): boolean {
  return /<worldbody|<robot\b/.test(readFileSync(path, "utf8"));
}

async function tryFile(file: string): Promise<Omit<Outcome, "file">> {
  const url = pathToFileURL(file);
  let loaded: Awaited<ReturnType<typeof loadRobotFile>>;
  try {
    loaded = await loadRobotFile(url);
  } catch (error) {
    const lines = (error as Error).message.split("\n").filter((line) => /:\d+: /.test(line));
    const missing = lines.map(kindOf);
    return { text: `✗ ${lines[0]?.trim() ?? (error as Error).message}`, missing };
  }
  const { model, warnings } = loaded;
  const compared = file.endsWith(".xml") ? ` ${await compareWithMujoco(file, model)}` : "";
  const text = `✓ ${model.links.length} links, ${model.actuators.length} drives, ${warnings.length} warnings`;
  return { text: `${text},${compared} ${await tryTask(loaded.model)}`, missing: [] };
}

/** Whether the generic task stays finite under random actions. */
async function tryTask(model: Parameters<typeof genericTask>[1]): Promise<string> {
  try {
    const rollout = new Rollout(await loadPhysics(), genericTask("robot", model), 1);
    for (let i = 0; i < 200; i++) rollout.step(randomPolicy);
    const text = `200 steps, ${rollout.envs.numBroken} lost, ${rollout.overshoot().toFixed(2)} beyond`;
    rollout.free();
    return text;
  } catch (error) {
    return `no task: ${(error as Error).message.slice(0, 70)}`;
  }
}

/** A problem without its place and its numbers, to count it by. */
function kindOf(line: string): string {
  return line
    .replace(/^.*?:\d+: /, "")
    .replaceAll(/"[^"]*"/g, '"…"')
    .replaceAll(/-?\d+(\.\d+)?(e-?\d+)?/g, "n")
    .slice(0, 90);
}
