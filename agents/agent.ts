// The contract between algorithms and the loops that run them.
//
// An algorithm is settings and pure functions of trees of tensors: `init` makes the numbers, `act` maps
// observations to actions, `update` maps (state, batch, noise) to (state, metrics). Checkpoints, resume,
// export, evaluation and conformance tests are written once, over this contract. Shapes: B batch,
// N envs, O observation, A action.

import type { ZodType } from "zod";
import type { Traced } from "../nn/compile.ts";
import type { NoiseSpec } from "../nn/noise.ts";
import type { Tensor } from "../nn/ops.ts";
import type { NdArray, Tree } from "../nn/tree.ts";
import type { Rng } from "../sim/rng.ts";
import type {
  ActInputs,
  CloneInputs,
  EpisodeEnd,
  ExtraColumn,
  OnPolicyInputs,
  Sample,
  UpdateInputs,
} from "./rows.ts";

/** What an algorithm must know of the environments. */
export interface EnvSpec {
  readonly observationSize: number;
  readonly actionSize: number;
  readonly numEnvs: number;
  /** The robot seen in a mirror, where it has a left and a right. */
  readonly mirror?: { readonly observations: Mirror; readonly actions: Mirror } | undefined;
  /** Observations end with what a frozen base policy would do, [o, a_b]; that part is never standardised. */
  readonly observesBase?: boolean | undefined;
  /** Least and greatest of each element of the actions in the run's data, where it has some. */
  readonly actionRange?:
    | { readonly low: readonly number[]; readonly high: readonly number[] }
    | undefined;
}

/** Element i of the mirrored vector is `signs[i]` times element `indices[i]`. */
export interface Mirror {
  readonly indices: readonly number[];
  readonly signs: readonly number[];
}

/** Everything an algorithm learns, by name: networks, targets, optimisers, temperatures. */
export type AgentState<T = NdArray> = { readonly [name: string]: Tree<T> };

/** The tensors that a traced function sees of a state; of any state where S says no more. */
export type TracedState<S> = AgentState extends S ? AgentState<Tensor> : Traced<S>;

/** Scalars by the name they are logged under, "train/critic_loss". */
export type Metrics = { readonly [name: string]: Tensor };

/** How the numbers that a policy gives for an observation become actions: `layoutOf` says an algorithm's. */
export interface ActionLayout {
  /** H: actions that are chosen at once. `act` gives [N, H · A]. */
  readonly chunkLength: number;
  /** E ≤ H: how many of them are taken before the policy is asked again. */
  readonly executed: number;
  /**
   * Where given, and E is 1: an action is the mean of what all open chunks have for its step, weights e^(−m i),
   * i = 0 for the oldest.
   */
  readonly ensembleDecay?: number | undefined;
  /** Numbers of `act`'s noise, a row. */
  readonly numDraws: number;
  /** Whether a policy that is evaluated draws too, as a flow does; else noise 0 is its mode. */
  readonly drawsAlways: boolean;
  /** On-policy: numbers of `sample`'s noise, a row. */
  readonly sampleDraws: number;
  /** On-policy: numbers that `sample` gives as actions, a row; the env takes the last H · A of them. */
  readonly stored: number;
}

/** How an algorithm goes on with another run's policy. */
export interface Continuation<S> {
  /** Names of the algorithms whose policies it takes. */
  readonly algorithms: readonly string[];
  /** The settings that the other run's own decide. */
  settings(algo: Readonly<Record<string, unknown>>): Readonly<Record<string, unknown>>;
  /** A fresh state with the policy, the entries of the other algorithm's `policyKeys`, in its place. */
  begin(state: S, policy: AgentState): S;
}

/** What every family of algorithms has. */
interface AlgorithmBase<C, S extends AgentState> {
  /** As on the command line: "sac". */
  readonly name: string;
  /** One line for help texts. */
  readonly summary: string;
  /** A strict object whose every key has a default and, with `describe`, a line of help. */
  readonly settings: ZodType<C>;
  /** A fresh state; equal generators give equal bits. */
  init(spec: EnvSpec, config: C, rng: Rng): S;
  /** What a run of it can't do without: a frozen base policy, a dataset. */
  readonly needs?: readonly ("base" | "data")[];
  /** Where it goes on with the policy of another run: what it does with that. */
  readonly continues?: Continuation<S>;
  /** Missing where one action is chosen at a time, with as many draws, and noise 0 is the mode. */
  layout?(spec: EnvSpec, config: C): ActionLayout;
  /** Whether it corrects the base: observations are then [o, a_b]. */
  readonly observesBase?: boolean;
  /** The entries of the state that `act` reads. */
  readonly policyKeys: readonly (keyof S & string)[];
  /** Actions in [−1, 1], [N, H · A]. `policy` has the entries named in `policyKeys`. */
  act(policy: TracedState<S>, inputs: ActInputs, config: C): Tensor;
  /** Where it comes to a chunk step by step: what that was after each, as `act` gives it, which is the last. */
  path?(policy: TracedState<S>, inputs: ActInputs, config: C): readonly Tensor[];
}

/** Settings that the off-policy loop itself reads; see `offPolicySettings`. */
export interface OffPolicyConfig {
  readonly discount: number;
  readonly numStepReturns: number;
  readonly batchSize: number;
  readonly bufferSize: number;
  readonly learningStarts: number;
  readonly utdRatio: number;
  readonly actorPeriod: number;
  readonly normalizer: "none" | "warmUp" | "running";
  /** Whether a return that a time limit cut is worth more than its rewards. */
  readonly timeOuts: "bootstrap" | "terminal";
  /** Added to every reward. */
  readonly rewardShift: number;
  /** Updates of the critics alone before the others. */
  readonly criticWarmUp: number;
  /** Share of each batch that is drawn from the run's data, where it has some; "bySize": as of all rows. */
  readonly offlineShare: number | "bySize";
}

/**
 * Where a run on logged data is: "prepare" trains what later losses need, "offline" learns from the data
 * alone, "online" from steps of its own too. Between updates "offline" a "review" may look at what they came to.
 */
export type Stage = "prepare" | "offline" | "review" | "online";

/** What an update trains; two programs where an algorithm delays its actor. */
export interface UpdatePhase {
  /** Whether actor and temperature are trained too; true in every `actorPeriod`-th update. */
  readonly trainActor: boolean;
  /** "offline" where missing; of interest to algorithms with `offline` alone. */
  readonly stage?: Stage;
}

/** Settings of the loop that learns from data first; `finetune/offlineSettings.ts` has them. */
export interface OfflineConfig extends OffPolicyConfig {
  /** Updates on the data alone, before any control step. */
  readonly offlineUpdates: number;
  /** Share of the data's episodes, the best by return, that is learned from. */
  readonly episodeShare: number;
  /** What rewards are multiplied with; "returnRange": 1000 / (greatest − least return of the data). */
  readonly rewardScale: number | "returnRange";
}

/** What the loop must know of an algorithm that learns from logged data first. */
export interface OfflineTraits<C> {
  readonly columns?: readonly ExtraColumn[];
  /** What `returnsToGo` holds, of the rewards as the learner sees them, [T]; discounted sums where missing. */
  returnsToGo?(rewards: Float32Array, end: EpisodeEnd, config: C): Float32Array;
  /** Updates of the stage "prepare"; 0 where missing. */
  prepareUpdates?(config: C): number;
  /**
   * Reviews of the stage "offline": one before its first update and one after every `period`. A review is so many
   * `steps`, updates of the stage "review" on one batch, whose `progress` is the share of the review.
   */
  reviews?(config: C): { readonly period: number; readonly steps: number };
  /**
   * What goes on online, where that is not the algorithm itself: `continues.begin` is given the whole state. Its
   * policy is this one's: equal `policyKeys`, equal `act`.
   */
  readonly online?: OnPolicyAlgorithm;
}

/** Learns from a replay buffer: one gradient step per `update`. */
export interface OffPolicyAlgorithm<
  C extends OffPolicyConfig = OffPolicyConfig,
  S extends AgentState = AgentState,
  N extends Tree<Tensor> = Tree<Tensor>,
> extends AlgorithmBase<C, S> {
  readonly family: "offPolicy";
  /** There where it learns from logged data first; its settings are an `OfflineConfig`. */
  readonly offline?: OfflineTraits<C>;
  /** The random numbers of one update, a tree of N's structure. */
  noise(spec: EnvSpec, config: C): Tree<NoiseSpec>;
  update(
    state: TracedState<S>,
    inputs: UpdateInputs<N>,
    config: C,
    spec: EnvSpec,
    phase: UpdatePhase,
  ): readonly [TracedState<S>, Metrics];
  /**
   * What the loop multiplies an env's noise by while it explores: drawn uniformly from this range, anew
   * at each of the env's episodes. 1 where missing.
   */
  explorationScale?(config: C): readonly [low: number, high: number];
  /**
   * What the loop does before learning starts, of raw observations [N, O] and uniform draws [N, A] in
   * [−1, 1); fresh. The draws themselves where missing.
   */
  warmUpActions?(
    observations: Float32Array,
    draws: Float32Array,
    spec: EnvSpec,
    config: C,
  ): Float32Array;
  /**
   * Chance, after so many control steps, that an env takes the policy's action rather than one of
   * `warmUpActions`; 1 where missing.
   */
  policyShare?(config: C, step: number): number;
}

/** What an on-policy loop must know before it can run one; `onPolicy.ts` has the settings. */
export interface OnPolicyConfig {
  readonly discount: number;
  readonly lambda: number;
  /** Control steps of every env in a rollout. */
  readonly rolloutLength: number;
  readonly numEpochs: number;
  readonly numMinibatches: number;
  /** Updates on a rollout stop early beyond this divergence; null never stops. */
  readonly targetKl: number | null;
  /** "dataset": that of the policy which the run goes on with. */
  readonly normalizer: "none" | "running" | "dataset";
  /** Above 0: updates see demonstrations too (chord.ts). */
  readonly chordPeak?: number;
  readonly chordShare?: number;
}

/** Learns from what its own policy just did: many `update`s on one rollout. */
export interface OnPolicyAlgorithm<
  C extends OnPolicyConfig = OnPolicyConfig,
  S extends AgentState = AgentState,
> extends AlgorithmBase<C, S> {
  readonly family: "onPolicy";
  /** The entries of the state that `sample` reads. */
  readonly sampleKeys: readonly (keyof S & string)[];
  sample(state: TracedState<S>, inputs: ActInputs, config: C): Sample;
  /** One gradient step on a minibatch; the metrics name the divergence "train/approx_kl". */
  update(
    state: TracedState<S>,
    inputs: OnPolicyInputs,
    config: C,
    spec: EnvSpec,
  ): readonly [TracedState<S>, Metrics];
}

/** Settings that the cloning loop itself reads. */
export interface CloneConfig {
  readonly batchSize: number;
  /** Which episodes count, and which share of them, those with the greatest returns. */
  readonly filter: "all" | "success";
  readonly bestShare: number;
  /** Share of those that updates never see. */
  readonly validationShare: number;
  readonly normalizer: "none" | "dataset";
}

/** Learns to do what a dataset does: one gradient step per `update`, which is a step of its run. */
export interface CloneAlgorithm<
  C extends CloneConfig = CloneConfig,
  S extends AgentState = AgentState,
  N extends Tree<Tensor> = Tree<Tensor>,
> extends AlgorithmBase<C, S> {
  readonly family: "clone";
  /** The random numbers of one update, a tree of N's structure. */
  noise(spec: EnvSpec, config: C): Tree<NoiseSpec>;
  update(
    state: TracedState<S>,
    inputs: CloneInputs<N> & { readonly progress: Tensor },
    config: C,
    spec: EnvSpec,
  ): readonly [TracedState<S>, Metrics];
  /** What updates lessen, of the policy that acts: measured on rows that they never see. */
  loss(policy: TracedState<S>, inputs: CloneInputs<N>, config: C): Tensor;
}

/** The layout of an algorithm's actions. */
export function layoutOf<C>(
  algorithm: Pick<AlgorithmBase<C, never>, "layout">,
  spec: EnvSpec,
  config: C,
): ActionLayout {
  const { actionSize } = spec;
  const single = { chunkLength: 1, executed: 1, drawsAlways: false };
  const layout = algorithm.layout?.(spec, config) ?? {
    ...single,
    numDraws: actionSize,
    sampleDraws: actionSize,
    stored: actionSize,
  };
  const { executed, chunkLength } = layout;
  if (executed > chunkLength)
    throw new Error(`executed ${executed} is more than the chunk's ${chunkLength} actions`);
  return layout;
}

export type AnyAlgorithm = OffPolicyAlgorithm | OnPolicyAlgorithm | CloneAlgorithm;
