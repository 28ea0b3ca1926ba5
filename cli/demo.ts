// salle demo: somebody drives a task's robot in a page, and the episodes that went well become a dataset.

import { existsSync, readdirSync, rmSync } from "node:fs";
import { Command } from "commander";
import { readEpisodes, readInfo } from "../finetune/dataset.ts";
import { loadPhysics } from "../sim/rapier.ts";
import { encodeRecording } from "../sim/recording.ts";
import type { Task } from "../sim/task.ts";
import { createTask } from "../tasks/index.ts";
import { DatasetWriter, infoOfTask } from "../train/datasetWriter.ts";
import { type DemoHeader, demonstratedEpisode } from "../train/demonstration.ts";
import type { DemoHost } from "../viewer/demo.ts";
import { startViewer } from "../viewer/server.ts";
import { carryTasks } from "./carryTasks.ts";
import { commandLine } from "./dataEdit.ts";
import { describeDataset } from "./describeDataset.ts";
import { wholeNumber } from "./numbers.ts";
import { print } from "./output.ts";
import { recordingHeader } from "./recordingFile.ts";
import { salleVersion } from "./version.ts";

interface Options {
  readonly out: string;
  readonly seed?: string;
  readonly host: string;
  readonly port: string;
}

export function demoCommand(): Command {
  return new Command("demo")
    .argument("<task>", "what to drive")
    .requiredOption("--out <folder>", "the dataset: a new folder, or one of this task to add to")
    .option("--seed <n>", "of the first start; the number of episodes there where missing")
    .option("--host <address>", "address to bind", "127.0.0.1")
    .option("--port <port>", "first port to try", "8080")
    .addHelpText(
      "after",
      `
Opens a page where keys or a gamepad drive the robot, at its own speed; the keys are on the screen.
Space keeps an episode, backspace leaves it, r begins anew. What is kept was simulated here once more.

Examples:
  salle demo lift-cube --out datasets/lift-cube-mine
  salle demo push-t --out datasets/push-t-mine`,
    )
    .action(demo);
}

async function demo(name: string, { out, seed, host, port }: Options): Promise<void> {
  const task = await createTask(name);
  const numThere = existsSync(out) && readdirSync(out).length > 0 ? episodesThere(out, task) : null;
  const first = seed === undefined ? (numThere ?? 0) : wholeNumber("--seed", seed, 0);
  const header = await recordingHeader({ seed: first, policy: "demo" });
  const { source } = task;
  const parameters = source === undefined ? {} : { source };
  const writer = numThere === null ? create(out, task, header) : DatasetWriter.open(out);
  const driven = await createDemoHost(
    task,
    writer,
    { ...header, parameters },
    first,
    numThere ?? 0,
  );
  const viewer = await startViewer({
    path: "runs",
    host,
    port: wholeNumber("--port", port, 0),
    demo: driven,
  });
  const url = new URL(viewer.url);
  url.pathname = "/demo.html";
  print(`drive ${task.id} at ${url.href}`);
  print("stop with Ctrl-C");
  await new Promise((resolve) => {
    process.once("SIGINT", resolve);
    process.once("SIGTERM", resolve);
  });
  await viewer.close();
  writer.close();
  finish(out, numThere);
}

/** What a page drives, and how its episodes get into a dataset: one after another. */
export async function createDemoHost(
  task: Task,
  writer: DatasetWriter,
  header: DemoHeader,
  seed: number,
  numThere: number,
): Promise<DemoHost> {
  const physics = await loadPhysics();
  const { id, action } = task;
  const empty = encodeRecording({
    header: { ...header, task: id, seed, slot: 0, actionSize: action.size },
    start: { type: "seed" },
    actions: new Float32Array(0),
    checksums: [],
    ending: null,
  });
  let numEpisodes = numThere;
  return {
    template: await carryTasks(empty),
    place: writer.path,
    numEpisodes: () => numEpisodes,
    async save(bytes) {
      const episode = demonstratedEpisode(physics, task, bytes, header);
      writer.add(episode);
      numEpisodes++;
      const { success } = episode.info;
      const { rewards } = episode;
      const episodeReturn = rewards.reduce((sum, reward) => sum + reward, 0);
      return { type: "kept", numEpisodes, length: rewards.length, episodeReturn, success };
    },
  };
}

function episodesThere(out: string, task: Task): number {
  const info = readInfo(out);
  if (info.task !== task.id)
    throw new Error(`${out} has episodes of ${info.task}, not of ${task.id}`);
  return readEpisodes(out).length;
}

function create(out: string, task: Task, { gitCommit, physics }: DemoHeader): DatasetWriter {
  const provenance = { salle: salleVersion, gitCommit, physics, command: commandLine() };
  return DatasetWriter.create(out, infoOfTask(task, provenance));
}

/** Says what is there now; a new dataset without episodes is none. */
function finish(out: string, numThere: number | null): void {
  if (numThere === null && readEpisodes(out).length === 0) {
    rmSync(out, { recursive: true });
    print("no episode was kept");
  } else for (const line of describeDataset(out)) print(line);
}
