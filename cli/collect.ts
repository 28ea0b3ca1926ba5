// salle collect: whole episodes of an expert, a trained policy or an agent that knows nothing, as a dataset.

import { existsSync, rmSync } from "node:fs";
import { Command } from "commander";
import { type DatasetInfo, readEpisodes, readInfo } from "../finetune/dataset.ts";
import type { Task } from "../sim/task.ts";
import type { Spectator } from "../tasks/experts/demonstrate.ts";
import { createTask } from "../tasks/index.ts";
import { type CollectOptions, EpisodeCollector } from "../train/collect.ts";
import { DatasetWriter, infoOfTask } from "../train/datasetWriter.ts";
import { readRunConfig } from "../train/policy.ts";
import { collectProtocol } from "../train/protocol.ts";
import { SnapshotThread } from "../train/snapshotThread.ts";
import { commandLine } from "./dataEdit.ts";
import { describeDataset } from "./describeDataset.ts";
import { wholeNumber } from "./numbers.ts";
import { print } from "./output.ts";
import {
  type Agent,
  agentNamed,
  agents,
  type PlayOptions,
  playBlindly,
  playExpert,
  playPolicy,
} from "./playing.ts";
import { recordingHeader } from "./recordingFile.ts";
import { findRun } from "./runFolders.ts";
import { salleVersion } from "./version.ts";

interface Options extends Omit<PlayOptions, "record"> {
  readonly agent: string;
  readonly out: string;
  readonly append?: boolean;
  readonly snapshots?: string;
  readonly protocol?: string;
}

export function collectCommand(): Command {
  return new Command("collect")
    .argument("<run or task>", "a run for --agent trained, a task for the others")
    .requiredOption("--out <folder>", "the dataset to write, a new folder")
    .option("--agent <kind>", agents.join(", "), "trained")
    .option("--episodes <n>", "number of episodes", "50")
    .option("--seed <n>", "of the starts", "0")
    .option("--append", "add to a dataset of the same task: so mixtures are made")
    .option(
      "--snapshots <n>",
      "keep the simulator's state before every n-th step, to begin from again",
    )
    .option(
      "--protocol <name>",
      "d4rl: five datasets of a run, <out>-random, -medium, -medium-replay, -medium-expert, -expert",
    )
    .option("--checkpoint <which>", "best, last, ope or a step; best where there is one")
    .option("--runs <folder>", "where runs are", "runs")
    .addHelpText(
      "after",
      `
Every episode keeps its rows and its recording, from which the simulator's state at any step is had again.
An episode is whole on the disk once it ends: what Ctrl-C or a crash cuts is left out.

Examples:
  salle collect lift-cube --agent person --episodes 100 --out datasets/lift-cube-person
  salle collect lift-cube --agent random --episodes 20 --append --out datasets/lift-cube-person
  salle collect insert-peg --agent expert --snapshots 5 --out datasets/insert-peg
  salle collect runs/hopper-sac --protocol d4rl --episodes 100 --out datasets/hopper
  salle data info datasets/lift-cube-person`,
    )
    .action(collect);
}

async function collect(name: string, options: Options): Promise<void> {
  if (options.protocol !== undefined) return collectKinds(name, options);
  const agent = agentNamed(options.agent);
  const trained = agent === "trained" ? readRunConfig(findRun(name, options.runs)) : undefined;
  const task = await createTask(trained?.task ?? name);
  const header = await recordingHeader({
    seed: Number(options.seed),
    policy: trained ? `${name}, ${options.checkpoint ?? "best"}` : agent,
    build: trained?.train.physics,
  });
  const snapshots = openSnapshots(trained?.task ?? name, options);
  const writer = openWriter(options, task, header);
  try {
    const kept = snapshots && { snapshotsOf: (recording: Uint8Array) => snapshots.take(recording) };
    await playInto(writer, { header, firstOnly: true, ...kept }, agent, name, options);
  } catch (error) {
    writer.close();
    if (!options.append && readEpisodes(options.out).length === 0)
      rmSync(options.out, { recursive: true });
    throw error;
  } finally {
    snapshots?.dispose();
  }
  writer.close();
  print(`wrote ${options.out}`);
  for (const line of describeDataset(options.out)) print(line);
}

/** D4RL's five kinds of datasets, of one run. */
async function collectKinds(name: string, options: Options): Promise<void> {
  if (options.protocol !== "d4rl")
    throw new Error(`--protocol wants d4rl, got "${options.protocol}"`);
  const run = findRun(name, options.runs);
  const seed = wholeNumber("--seed", options.seed, 0);
  const build = readRunConfig(run).train.physics;
  const header = await recordingHeader({ seed, policy: name, build });
  const numEpisodes = wholeNumber("--episodes", options.episodes, 1);
  const { physics, gitCommit } = header;
  const provenance = { salle: salleVersion, gitCommit, physics, command: commandLine() };
  const paths = await collectProtocol({
    run,
    out: options.out,
    numEpisodes,
    seed,
    header,
    provenance,
  });
  for (const path of paths) {
    print(`wrote ${path}`);
    for (const line of describeDataset(path)) print(line);
  }
}

function openSnapshots(task: string, { snapshots }: Options): SnapshotThread | undefined {
  if (snapshots === undefined) return undefined;
  return new SnapshotThread(task, wholeNumber("--snapshots", snapshots, 1));
}

async function playInto(
  writer: DatasetWriter,
  collecting: CollectOptions,
  agent: Agent,
  name: string,
  options: PlayOptions,
): Promise<void> {
  const collector = (env: ConstructorParameters<typeof EpisodeCollector>[0]) =>
    new EpisodeCollector(env, writer, collecting);
  if (agent === "trained") await playPolicy(name, options, collector);
  else if (agent === "zero" || agent === "random")
    await playBlindly(name, agent, options, collector);
  else await playExpert(name, agent, options, collectingSpectator(writer, collecting));
}

function collectingSpectator(writer: DatasetWriter, options: CollectOptions): Spectator {
  let collector: EpisodeCollector | undefined;
  return {
    reset(envs, seed) {
      collector?.dispose();
      const header = { ...options.header, seed };
      collector = new EpisodeCollector(envs, writer, { ...options, header });
      collector.begin();
    },
    step: (_envs, action) => collector!.add(action),
  };
}

function openWriter(
  { out, append = false }: Options,
  task: Task,
  { physics, gitCommit }: CollectOptions["header"],
): DatasetWriter {
  const provenance = { salle: salleVersion, gitCommit, physics, command: commandLine() };
  const info = infoOfTask(task, provenance);
  if (!append) return DatasetWriter.create(out, info);
  if (!existsSync(out))
    throw new Error(`--append wants a dataset that is there, and ${out} is not`);
  checkSame(out, readInfo(out), info);
  return DatasetWriter.open(out);
}

function checkSame(out: string, there: DatasetInfo, wanted: Omit<DatasetInfo, "format">): void {
  for (const key of ["task", "observationSize", "actionSize", "controlDt"] as const) {
    if (there[key] !== wanted[key])
      throw new Error(`${out} has ${key} ${there[key]}, and these episodes have ${wanted[key]}`);
  }
}
