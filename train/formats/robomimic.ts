// robomimic's HDF5 (ARISE): a group a demonstration, with observations by key and the next ones.
//
// Ours have one key, "flat". `dones` is 1 at a terminal state alone; an attribute says of a time limit, which
// robomimic has no place for. mask/train and mask/valid deal the demonstrations out 9 to 1, by lot.

import type { Dataset } from "../../finetune/dataset.ts";
import type { WrittenEpisode } from "../datasetWriter.ts";
import { splitEpisodes } from "../selectEpisodes.ts";
import {
  checkShape,
  closeRows,
  type Format,
  infoOf,
  joinColumns,
  noteOf,
  withLast,
} from "./format.ts";
import { Hdf5Reader, Hdf5Writer } from "./hdf5.ts";

const validShare = 0.1;
const gymType = 2; // robomimic's number for Gym environments

export const robomimic: Format = {
  ending: ".hdf5",
  loses: "recordings and snapshots",

  async write(dataset, path) {
    const { info, episodes, numSteps } = dataset;
    const writer = await Hdf5Writer.create(path);
    const env = { env_name: info.task, env_type: gymType, env_kwargs: {} };
    const args = { total: BigInt(numSteps), env_args: JSON.stringify(env), salle: noteOf(dataset) };
    writer.group("data", args);
    for (const index of episodes.keys()) writeDemo(writer, index, dataset);
    writeMasks(writer, episodes.length);
    writer.close();
  },

  async open(path, hints) {
    const file = await Hdf5Reader.open(path);
    const demos = file.names("data").sort((a, b) => numberOf(a) - numberOf(b));
    if (demos.length === 0) throw new Error(`${path} wants demonstrations in "data", it has none`);
    const { keys, left } = observationKeys(file, `data/${demos[0]}/obs`);
    const widths = keys.map((key) => file.shape(`data/${demos[0]}/obs/${key}`).width);
    const args = argsOf(file);
    const found = {
      ...args,
      observationSize: widths.reduce((a, b) => a + b, 0),
      actionSize: file.shape(`data/${demos[0]}/actions`).width,
    };
    const { extras: _, ...info } = infoOf(path, file.attribute("data", "salle"), hints, found);
    const hasNext = file.has(`data/${demos[0]}/next_obs`);
    return {
      info: { ...info, extras: {} },
      numEpisodes: demos.length,
      remarks: [
        ...(left.length > 0 ? [`left out what is no row of numbers: ${left.join(", ")}`] : []),
        ...(hasNext ? [] : ["it has no next_obs: last steps that are not terminal were dropped"]),
      ],
      episode: (index) => readDemo(file, `data/${demos[index]}`, keys, widths, info.actionSize),
      close: () => file.close(),
    };
  },
};

function writeDemo(writer: Hdf5Writer, index: number, dataset: Dataset): void {
  const { info, observations, actions, rewards } = dataset.episode(index);
  const { length, seed, policy, success, terminated } = info;
  const { observationSize, actionSize } = dataset.info;
  const key = `data/demo_${index}`;
  const about = { num_samples: BigInt(length), seed: BigInt(seed), policy };
  writer.group(key, {
    ...about,
    success: BigInt(success),
    truncated: BigInt(!terminated),
  });
  for (const name of ["obs", "next_obs"]) writer.group(`${key}/${name}`);
  const [shape, end] = [[length, observationSize], length * observationSize];
  writer.floats(`${key}/obs/flat`, observations.slice(0, end), shape);
  writer.floats(`${key}/next_obs/flat`, observations.slice(observationSize), shape);
  const clipped = actions.map((action) => Math.min(1, Math.max(-1, action)));
  writer.floats(`${key}/actions`, clipped, [length, actionSize]);
  writer.floats(`${key}/rewards`, rewards, [length]);
  const dones = new Int32Array(length);
  dones[length - 1] = terminated ? 1 : 0;
  writer.integers(`${key}/dones`, dones);
}

function writeMasks(writer: Hdf5Writer, numEpisodes: number): void {
  const parts =
    numEpisodes < 2
      ? [[...new Array(numEpisodes).keys()]]
      : splitEpisodes(numEpisodes, [1 - validShare, validShare], 0);
  writer.group("mask");
  for (const [i, name] of ["train", "valid"].entries()) {
    const demos = (parts[i] ?? []).map((index) => `demo_${index}`);
    if (demos.length > 0) writer.texts(`mask/${name}`, demos);
  }
}

function numberOf(demo: string): number {
  const number = /(\d+)$/.exec(demo)?.[1];
  return number === undefined ? Number.POSITIVE_INFINITY : Number(number);
}

/** Keys whose rows are numbers, by name, and those that are left out. */
function observationKeys(file: Hdf5Reader, group: string): { keys: string[]; left: string[] } {
  const names = file.names(group).sort();
  const isRow = (name: string) => file.rank(`${group}/${name}`) === 2;
  const keys = names.filter(isRow);
  if (keys.length === 0)
    throw new Error(`${file.path} wants rows of numbers in "${group}", it has ${names.join(", ")}`);
  return { keys, left: names.filter((name) => !isRow(name)) };
}

/** What robomimic's env_args say. */
function argsOf(file: Hdf5Reader): { task?: string; controlDt?: number } {
  const text = file.attribute("data", "env_args");
  if (typeof text !== "string") return {};
  const args = JSON.parse(text) as {
    env_name?: string;
    env_kwargs?: { control_freq?: number };
  };
  const { env_name: task, env_kwargs: { control_freq: frequency } = {} } = args;
  return { ...(task && { task }), ...(frequency && { controlDt: 1 / frequency }) };
}

function readDemo(
  file: Hdf5Reader,
  demo: string,
  keys: readonly string[],
  widths: readonly number[],
  actionSize: number,
): WrittenEpisode | null {
  const length = file.shape(`${demo}/actions`).rows;
  const read = (name: string, width: number): Float32Array => {
    const key = `${demo}/${name}`;
    checkShape(file.path, key, file.shape(key), { rows: length, width });
    return file.floats(key, 0, length);
  };
  const observed = (group: string) =>
    joinColumns(
      keys.map((key, i) => read(`${group}/${key}`, widths[i]!)),
      length,
    );
  const attribute = (name: string) => file.attribute(demo, name);
  const done = read("dones", 1).at(-1) === 1;
  const terminated = done && Number(attribute("truncated") ?? 0) !== 1;
  const rewards = read("rewards", 1);
  const info = {
    success: Number(attribute("success") ?? rewards.at(-1)! >= 1) === 1,
    terminated,
    truncated: !terminated,
    seed: Number(attribute("seed") ?? 0),
    policy: String(attribute("policy") ?? "imported"),
  };
  const rows = { observations: observed("obs"), actions: read("actions", actionSize), rewards };
  if (file.has(`${demo}/next_obs`)) {
    const last = observed("next_obs").slice(-rows.observations.length / length);
    return { ...rows, observations: withLast(rows.observations, last), extras: {}, info };
  }
  const closed = closeRows(rows, terminated);
  return closed && { ...closed, info };
}
