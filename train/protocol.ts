// D4RL's kinds of datasets from one training of our own: random, medium, medium-replay, medium-expert, expert.
//
// Fu et al. 2020, arXiv:2004.07219. "medium" is the first kept checkpoint whose evaluation is past a third of the
// way from random to best; its actions are sampled, as are the expert's. "medium-replay" is what its replay
// buffer held, put together to episodes again. Scores are normalised with our own references, measured first:
// they say nothing about D4RL's.

import { join } from "node:path";
import type { OffPolicyAlgorithm, OffPolicyConfig } from "../agents/agent.ts";
import type { ReplayState } from "../agents/replay.ts";
import { Dataset, type DatasetInfo, type ReferenceScores } from "../finetune/dataset.ts";
import { createRng } from "../sim/rng.ts";
import { createVecEnv } from "../sim/vecEnv.ts";
import { taskSource } from "../tasks/index.ts";
import { Checkpoints } from "./checkpoint.ts";
import { type CollectOptions, EpisodeCollector } from "./collect.ts";
import { DatasetWriter, infoOfTask, type WrittenEpisode } from "./datasetWriter.ts";
import { runEpisodes } from "./evaluate.ts";
import { readPolicy, readRunConfig, type SavedPolicy } from "./policy.ts";
import { compilePolicy } from "./policyProgram.ts";
import { readEvaluations } from "./run.ts";

export interface ProtocolOptions {
  /** The run's folder: an off-policy one with one-step returns, whose checkpoints were kept. */
  readonly run: string;
  /** Datasets are `<out>-random`, `<out>-medium` and so on. */
  readonly out: string;
  /** Of random, medium and expert each, and of each reference score. */
  readonly numEpisodes: number;
  readonly seed: number;
  readonly header: CollectOptions["header"];
  readonly provenance: DatasetInfo["provenance"];
}

/** Writes all five; returns their folders. */
export async function collectProtocol(options: ProtocolOptions): Promise<string[]> {
  const { run, out, numEpisodes, seed } = options;
  const expert = await readPolicy(run, "best");
  const { observation, action } = expert.task;
  const references: ReferenceScores = {
    random: mean(await returns(options, "random")),
    expert: mean(await returns(options, { step: expert.step, sampled: false })),
    numEpisodes,
  };
  const medium = mediumStep(run, references);
  const replay = replayOf(run, medium);
  const info = infoOf(options, expert, medium, references);
  const write = async (kind: string, fill: (writer: DatasetWriter) => unknown) => {
    const writer = DatasetWriter.create(`${out}-${kind}`, info);
    try {
      await fill(writer);
    } finally {
      writer.close();
    }
    return writer.path;
  };
  const played = (who: Actor) => (writer: DatasetWriter) => returns(options, who, writer);
  const random = await write("random", played("random"));
  const middling = await write("medium", played({ step: medium, sampled: true }));
  const best = await write("expert", played({ step: expert.step, sampled: true }));
  const replayed = await write("medium-replay", (writer) => {
    for (const episode of episodesOfReplay(replay, observation.size, action.size))
      writer.add({ ...episode, info: { ...episode.info, seed, policy: `replay to ${medium}` } });
  });
  const mixed = await write("medium-expert", (writer) => copyAll([middling, best], writer));
  return [random, middling, replayed, mixed, best];
}

function infoOf(
  { provenance }: ProtocolOptions,
  { task, step }: SavedPolicy,
  mediumStep: number,
  references: ReferenceScores,
): Omit<DatasetInfo, "format"> {
  const made = { ...provenance, protocol: "d4rl", mediumStep, expertStep: step };
  return { ...infoOfTask(task, made), references };
}

type Actor = "random" | { readonly step: number; readonly sampled: boolean };

/** Plays whole episodes, one an env, writes them where that is wanted, and says what they returned. */
async function returns(
  { run, numEpisodes, seed, header }: ProtocolOptions,
  who: Actor,
  writer?: DatasetWriter,
): Promise<readonly number[]> {
  const { task, train } = readRunConfig(run);
  const numEnvs = numEpisodes;
  const env = await createVecEnv(await taskSource(task), {
    numEnvs,
    seed,
    numWorkers: 1,
    build: train.physics,
  });
  const policy = who === "random" ? "random" : `step ${who.step}${who.sampled ? ", sampled" : ""}`;
  const actor =
    who === "random"
      ? randomActor(numEnvs * env.task.action.size, seed)
      : await actorOf(run, who, numEnvs, seed);
  const options = { header: { ...header, seed, policy }, firstOnly: true };
  const collect = writer && ((each: typeof env) => new EpisodeCollector(each, writer, options));
  try {
    return (await runEpisodes(env, seed, actor.act, undefined, collect)).returns;
  } finally {
    env.dispose();
    await actor.dispose();
  }
}

interface Acting {
  act(observations: Float32Array): Promise<Float32Array> | Float32Array;
  dispose(): Promise<void>;
}

function randomActor(size: number, seed: number): Acting {
  const rng = createRng(seed).split("random agent");
  const act = () => Float32Array.from({ length: size }, () => 2 * rng.uniform() - 1);
  return { act, dispose: async () => {} };
}

async function actorOf(
  run: string,
  { step, sampled }: Exclude<Actor, "random">,
  numRows: number,
  seed: number,
): Promise<Acting> {
  const { algorithm, config, parameters, normalizer, task } = await readPolicy(run, step);
  const sizes = { numRows, observationSize: task.observation.size, actionSize: task.action.size };
  const program = await compilePolicy(algorithm, config.algo, parameters, {
    ...sizes,
    device: "cpu",
  });
  const [scale] = (algorithm as OffPolicyAlgorithm).explorationScale?.(config.algo as never) ?? [1];
  const rng = createRng(seed).split("sampled actions");
  const noise = new Float32Array(numRows * task.action.size);
  const seen = new Float32Array(numRows * task.observation.size);
  return {
    act(observations) {
      normalizer.apply(observations, seen);
      if (sampled) for (let i = 0; i < noise.length; i++) noise[i] = scale * rng.normal();
      return program.act(seen, noise);
    },
    dispose: () => program.dispose(),
  };
}

/** The first kept checkpoint past a third of the way from the random to the expert score. */
function mediumStep(run: string, { random, expert }: ReferenceScores): number {
  const kept = new Checkpoints(join(run, "checkpoints")).steps();
  const wanted = random + (expert - random) / 3;
  const evaluations = readEvaluations(run).filter(({ step }) => kept.includes(step));
  const medium = evaluations.find(({ returns }) => mean(returns as number[]) >= wanted);
  const judged = evaluations.map(
    ({ step, returns }) => `${step}: ${mean(returns as number[]).toFixed(1)}`,
  );
  if (medium && !evaluations.slice(0, evaluations.indexOf(medium)).length)
    throw new Error(
      `the oldest checkpoint that ${run} kept, ${medium.step}, is past medium already; train again with --set train.keepCheckpoints=1000 and saveFreq as evalFreq`,
    );
  if (medium) return medium.step;
  throw new Error(
    `no checkpoint of ${run} reaches ${wanted.toFixed(1)}, a third of the way from ${random.toFixed(1)} to ${expert.toFixed(1)}; kept are ${judged.join(", ")}`,
  );
}

function replayOf(run: string, step: number): ReplayState {
  const { algo, algorithm } = readRunConfig(run);
  const { numStepReturns, timeOuts, rewardShift = 0 } = algo as unknown as OffPolicyConfig;
  if (numStepReturns !== 1 || timeOuts === "terminal" || rewardShift !== 0)
    throw new Error(
      `the replay of ${run} (${algorithm}, numStepReturns ${numStepReturns}) is no plain steps; train with --set algo.numStepReturns=1`,
    );
  const { state } = new Checkpoints(join(run, "checkpoints")).load(step, ["loop/replay"]);
  return (state as { loop: { replay: ReplayState } }).loop.replay;
}

type ReplayedEpisode = Omit<WrittenEpisode, "info"> & {
  readonly info: {
    readonly success: false;
    readonly terminated: boolean;
    readonly truncated: boolean;
  };
};

/**
 * The steps of a replay buffer as episodes: a row goes on with the episode whose last state is, bit for bit, where
 * it begins. Whether a task was solved the rows don't say.
 */
export function* episodesOfReplay(
  { columns, size, head }: ReplayState,
  observationSize: number,
  actionSize: number,
): Generator<ReplayedEpisode> {
  const bits = (column: Float32Array, row: number) =>
    Buffer.from(column.slice(row * observationSize, (row + 1) * observationSize).buffer).toString(
      "latin1",
    );
  const chains: number[][] = [];
  const open = new Map<string, number[]>();
  for (let i = 0; i < size; i++) {
    const row = (head + i) % size; // the oldest first
    const from = bits(columns.observations, row);
    const chain = open.get(from) ?? [];
    if (chain.length === 0) chains.push(chain);
    open.delete(from);
    chain.push(row);
    if (columns.discounts[row] !== 0) open.set(bits(columns.nextObservations, row), chain);
  }
  for (const rows of chains) {
    const gather = (column: Float32Array, width: number, which: readonly number[]) =>
      Float32Array.from(
        which.flatMap((row) => [...column.subarray(row * width, (row + 1) * width)]),
      );
    const last = rows.at(-1)!;
    const end = gather(columns.nextObservations, observationSize, [last]);
    const terminated = columns.discounts[last] === 0;
    yield {
      observations: Float32Array.from([
        ...gather(columns.observations, observationSize, rows),
        ...end,
      ]),
      actions: gather(columns.actions, actionSize, rows),
      rewards: gather(columns.rewards, 1, rows),
      extras: {},
      info: { success: false, terminated, truncated: !terminated },
    };
  }
}

function copyAll(paths: readonly string[], writer: DatasetWriter): void {
  for (const path of paths) {
    const dataset = new Dataset(path);
    for (let i = 0; i < dataset.episodes.length; i++) {
      const { info, ...rows } = dataset.episode(i);
      const recording = dataset.recording(i);
      const { length: _, episodeReturn: __, recording: ___, snapshots: ____, ...about } = info;
      writer.add({ ...rows, info: about, ...(recording && { recording }) });
    }
    dataset.close();
  }
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, x) => sum + x, 0) / values.length;
}
