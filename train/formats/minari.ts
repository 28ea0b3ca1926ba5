// Minari datasets (Farama Foundation, formats 0.4 and 0.5): data/metadata.json and data/main_data.hdf5.
//
// An episode is a group with T + 1 observations and T of all else, as ours are. Attributes it does not know
// (policy, success) and our recordings lie beside its own.

import { existsSync, mkdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Dataset, Episode } from "../../finetune/dataset.ts";
import type { WrittenEpisode } from "../datasetWriter.ts";
import { type ActionScale, actionScaleOf, boxJson, scaleActions } from "./box.ts";
import { checkShape, endOf, type Format, infoOf, joinColumns, lastFlag, noteOf } from "./format.ts";
import { type AttributeValue, Hdf5Reader, Hdf5Writer } from "./hdf5.ts";

const version = "0.5.3"; // of the format that is written

export const minari: Format = {
  loses: "snapshots",

  async write(dataset, path, name) {
    const folder = join(path, "data");
    mkdirSync(folder, { recursive: true });
    const file = join(folder, "main_data.hdf5");
    const writer = await Hdf5Writer.create(file);
    for (const index of dataset.episodes.keys())
      writeEpisode(writer, index, dataset.episode(index), dataset.recording(index));
    writer.close();
    const metadata = metadataOf(dataset, name, statSync(file).size);
    writeFileSync(join(folder, "metadata.json"), `${JSON.stringify(metadata, null, 2)}\n`);
  },

  async open(path, hints) {
    const folder = existsSync(join(path, "data")) ? join(path, "data") : path;
    const metadata = readMetadata(join(folder, "metadata.json"));
    const file = await Hdf5Reader.open(join(folder, "main_data.hdf5"));
    const numEpisodes = metadata.total_episodes;
    const first = episodeShape(file, 0);
    const info = infoOf(folder, metadata.salle, hints, {
      task: taskOf(metadata),
      observationSize: first.observationSize,
      actionSize: first.actionSize,
    });
    const scale = actionScaleOf(metadata.action_space, info.actionSize);
    const policy = metadata.algorithm_name ?? "imported";
    return {
      info,
      numEpisodes,
      remarks: scale ? ["actions were scaled from the action space's bounds to [−1, 1]"] : [],
      episode: (index) => readEpisode(file, index, { ...info, scale, policy }),
      close: () => file.close(),
    };
  },
};

function writeEpisode(
  file: Hdf5Writer,
  index: number,
  { info, observations, actions, rewards, extras }: Episode,
  recording: Uint8Array | undefined,
): void {
  const key = `episode_${index}`;
  const { length, terminated } = info;
  file.group(key, attributesOf(index, info, rewards));
  file.floats(`${key}/observations`, observations, [
    length + 1,
    observations.length / (length + 1),
  ]);
  file.floats(`${key}/actions`, actions, [length, actions.length / length]);
  file.floats(`${key}/rewards`, rewards, [length]);
  file.flags(`${key}/terminations`, lastFlag(length, terminated));
  file.flags(`${key}/truncations`, lastFlag(length, !terminated));
  file.group(`${key}/infos`); // T + 1 rows: they begin with the reset's
  file.flags(`${key}/infos/success`, lastFlag(length + 1, info.success));
  if (recording) file.bytes(`${key}/recording`, recording);
  const columns = Object.entries(extras);
  if (columns.length > 0) file.group(`${key}/extras`);
  for (const [name, values] of columns)
    file.floats(`${key}/extras/${name}`, values, [length, values.length / length]);
}

function attributesOf(
  id: number,
  { length, seed, success, policy }: Episode["info"],
  rewards: Float32Array,
): Record<string, AttributeValue> {
  const mean = rewards.reduce((a, b) => a + b, 0) / length;
  const variance = rewards.reduce((sum, reward) => sum + (reward - mean) ** 2, 0) / length;
  return {
    id: BigInt(id),
    seed: BigInt(seed),
    total_steps: BigInt(length),
    success: BigInt(success),
    policy,
    rewards_sum: mean * length,
    rewards_mean: mean,
    rewards_std: Math.sqrt(variance),
    rewards_min: rewards.reduce((a, b) => Math.min(a, b)),
    rewards_max: rewards.reduce((a, b) => Math.max(a, b)),
  };
}

function metadataOf(dataset: Dataset, name: string, bytes: number) {
  const { info, episodes, numSteps } = dataset;
  const { observationSize, actionSize, references } = info;
  return {
    total_episodes: episodes.length,
    total_steps: numSteps,
    data_format: "hdf5",
    jpeg_encoding: false,
    observation_space: boxJson(observationSize, "Infinity"),
    action_space: boxJson(actionSize, "1.0"),
    dataset_id: `salle/${name.replaceAll(/[^-\w]/g, "-").replace(/-v\d+$/, "")}-v0`,
    algorithm_name: [...new Set(episodes.map(({ policy }) => policy))].join(", "),
    author: [],
    author_email: [],
    code_permalink: "",
    description: `Episodes of ${info.task} by Salle`,
    requirements: [],
    minari_version: version,
    dataset_size: Math.round(bytes / 1e5) / 10, // MB
    ...(references && {
      ref_min_score: references.random,
      ref_max_score: references.expert,
      num_episodes_average_score: references.numEpisodes,
    }),
    salle: noteOf(dataset),
  };
}

interface Metadata {
  readonly total_episodes: number;
  readonly data_format?: string;
  readonly dataset_id?: string;
  readonly env_spec?: string;
  readonly action_space?: string;
  readonly algorithm_name?: string;
  readonly salle?: unknown;
}

function readMetadata(path: string): Metadata {
  if (!existsSync(path)) throw new Error(`there is no ${path}: a Minari dataset has one`);
  let metadata: Metadata;
  try {
    metadata = JSON.parse(readFileSync(path, "utf8")) as Metadata;
  } catch (error) {
    throw new Error(`${path} is no JSON: ${(error as Error).message}`);
  }
  const { total_episodes: count, data_format: format = "hdf5" } = metadata;
  if (!Number.isInteger(count) || count < 1)
    throw new Error(`${path} wants a whole number from 1 as "total_episodes", got ${count}`);
  if (format !== "hdf5")
    throw new Error(`${path} has data of format "${format}"; "hdf5" alone is read`);
  return metadata;
}

/** The environment's id, or the dataset's. */
function taskOf({ env_spec: spec, dataset_id: id = "minari" }: Metadata): string {
  const named = /"id": *"([^"]+)"/.exec(spec ?? "")?.[1];
  return named ?? id;
}

/** Leaves of observations that are a dictionary, in the order of their names; else itself. */
function leavesOf(file: Hdf5Reader, key: string): string[] {
  if (!file.isGroup(key)) return [key];
  return file
    .names(key)
    .sort()
    .flatMap((name) => leavesOf(file, `${key}/${name}`));
}

function episodeShape(file: Hdf5Reader, index: number) {
  const key = `episode_${index}`;
  const leaves = leavesOf(file, `${key}/observations`);
  for (const leaf of [...leaves, `${key}/actions`]) {
    if (file.rank(leaf) > 2 || (leaf.endsWith("/actions") && file.rank(leaf) !== 2))
      throw new Error(
        `${file.path} wants rows of numbers in "${leaf}", it has ${file.rank(leaf)} axes`,
      );
  }
  const widths = leaves.map((leaf) => file.shape(leaf).width);
  const observationSize = widths.reduce((a, b) => a + b, 0);
  return { leaves, observationSize, actionSize: file.shape(`${key}/actions`).width };
}

interface Wanted {
  readonly observationSize: number;
  readonly actionSize: number;
  readonly extras: Readonly<Record<string, number>>;
  readonly scale: ActionScale | null;
  readonly policy: string;
}

function readEpisode(file: Hdf5Reader, index: number, wanted: Wanted): WrittenEpisode {
  const key = `episode_${index}`;
  const { leaves, observationSize } = episodeShape(file, index);
  const length = file.shape(`${key}/rewards`).rows;
  const read = (name: string, rows: number, width?: number): Float32Array => {
    checkShape(file.path, name, file.shape(name), { rows, ...(width !== undefined && { width }) });
    return file.floats(name, 0, rows);
  };
  if (observationSize !== wanted.observationSize)
    throw new Error(
      `${file.path} wants ${wanted.observationSize} numbers a row in "${key}/observations", it has ${observationSize}`,
    );
  const parts = leaves.map((leaf) => read(leaf, length + 1));
  const flags = [`${key}/terminations`, `${key}/truncations`] as const;
  const [terminations, truncations] = flags.map((flag) => read(flag, length, 1));
  const extras = Object.entries(wanted.extras).map(
    ([name, width]) => [name, read(`${key}/extras/${name}`, length, width)] as const,
  );
  const recording = `${key}/recording`;
  return {
    observations: joinColumns(parts, length + 1),
    actions: scaleActions(read(`${key}/actions`, length, wanted.actionSize), wanted.scale),
    rewards: read(`${key}/rewards`, length, 1),
    extras: Object.fromEntries(extras),
    ...(file.has(recording) && { recording: file.bytes(recording) }),
    info: {
      success: successOf(file, key, length),
      ...endOf(file.path, flags, terminations!, truncations!),
      seed: Number(file.attribute(key, "seed") ?? 0),
      policy: String(file.attribute(key, "policy") ?? wanted.policy),
    },
  };
}

function successOf(file: Hdf5Reader, key: string, length: number): boolean {
  const said = file.attribute(key, "success");
  if (said !== undefined) return Number(said) === 1;
  const names = ["success", "is_success"].map((name) => `${key}/infos/${name}`);
  const info = names.find((name) => file.has(name));
  if (info === undefined) return false;
  const { rows } = file.shape(info);
  return file.floats(info, Math.min(length, rows - 1), rows).at(-1) === 1;
}
