// A policy that acts in a page, step by step: chunks are taken action by action, draws are seeded, and one that corrects
// a base asks that first. It does what train/policy.ts does for its first row.
//
// A file is an ONNX graph, or a bundle: the acting policy's graph, then that of the base which it corrects, and so on.

import { exp } from "../sim/math.ts";
import { createRng, type Rng } from "../sim/rng.ts";
import { readPolicyFile } from "./onnxReader.ts";
import { makePolicyGraph, type PolicyGraph } from "./policyGraph.ts";

export interface PagePolicy {
  /** Drops open chunks: an episode or a fork begins. */
  begin(): void;
  /** Actions for observations as the task gives them; a view, valid until the next call. */
  act(observations: ArrayLike<number>): Float32Array;
  /** What the base chose in the last call; null where there is none. */
  readonly baseAction: Float32Array | null;
  /** The open chunk as it was after each step that led to it, [K][H · A]; null where it is chosen at once. */
  path(): readonly Float32Array[] | null;
}

const magic = "SALLEPOL";
const mostPolicies = 8;
const mostActions = 1000;

/** Several graphs as one file. */
export function bundlePolicies(files: readonly Uint8Array[]): Uint8Array {
  const size = files.reduce((sum, { length }) => sum + 4 + length, magic.length + 4);
  const bytes = new Uint8Array(size);
  const view = new DataView(bytes.buffer);
  bytes.set(new TextEncoder().encode(magic));
  view.setUint32(magic.length, files.length, true);
  let at = magic.length + 4;
  for (const file of files) {
    view.setUint32(at, file.length, true);
    bytes.set(file, at + 4);
    at += 4 + file.length;
  }
  return bytes;
}

/** Makes a policy of a file; throws where it is none for these sizes. */
export function loadPagePolicy(
  file: Uint8Array,
  observationSize: number,
  actionSize: number,
): PagePolicy {
  const [first, ...bases] = partsOf(file);
  return policyOf(first!, bases, observationSize, actionSize);
}

function partsOf(file: Uint8Array): Uint8Array[] {
  const head = new TextDecoder().decode(file.subarray(0, magic.length));
  if (head !== magic) return [file];
  const view = new DataView(file.buffer, file.byteOffset, file.byteLength);
  const cut = () => new Error("the file of policies is cut");
  if (file.length < magic.length + 4) throw cut();
  const count = view.getUint32(magic.length, true);
  if (count < 1 || count > mostPolicies)
    throw new Error(`expected 1 to ${mostPolicies} policies in a file, got ${count}`);
  const parts: Uint8Array[] = [];
  let at = magic.length + 4;
  for (let i = 0; i < count; i++) {
    if (at + 4 > file.length) throw cut();
    const length = view.getUint32(at, true);
    if (at + 4 + length > file.length) throw cut();
    parts.push(file.subarray(at + 4, at + 4 + length));
    at += 4 + length;
  }
  return parts;
}

function policyOf(
  file: Uint8Array,
  bases: readonly Uint8Array[],
  observationSize: number,
  actionSize: number,
): PagePolicy {
  const parsed = readPolicyFile(file);
  const number = (key: string, least: number, missing: number) =>
    wholeNumber(parsed.metadata, key, least, missing);
  const baseSize = number("base_action_size", 0, 0);
  const [next, ...rest] = bases;
  if (baseSize > 0 && next === undefined)
    throw new Error("the policy corrects a base, which the file lacks");
  const base = baseSize > 0 && next ? policyOf(next, rest, observationSize, actionSize) : null;
  const chunkLength = number("chunk_length", 1, 1);
  const graph = makePolicyGraph(parsed, {
    observationSize: observationSize + baseSize,
    outputSize: chunkLength * actionSize,
    noiseSize: number("noise_size", 0, 0),
  });
  const decay = parsed.metadata["ensemble_decay"];
  const queue = new Chunks(graph, {
    actionSize,
    chunkLength,
    executed: number("executed_actions", 1, 1),
    noiseSize: number("noise_size", 0, 0),
    seed: number("seed", 0, 0),
    decay: decay === undefined ? null : Number(decay),
  });
  const seen = new Float32Array(observationSize + baseSize);
  let baseAction: Float32Array | null = null;
  return {
    begin() {
      base?.begin();
      queue.begin();
    },
    act(observations) {
      seen.set(observations);
      baseAction = base?.act(observations) ?? null;
      if (baseAction) seen.set(baseAction, observationSize);
      return queue.act(seen);
    },
    get baseAction() {
      return baseAction;
    },
    path: () => queue.path() ?? base?.path() ?? null,
  };
}

function wholeNumber(
  metadata: Readonly<Record<string, string>>,
  key: string,
  least: number,
  missing: number,
): number {
  const value = Number(metadata[key] ?? missing);
  const most = key === "seed" ? Number.MAX_SAFE_INTEGER : mostActions * 100;
  if (Number.isInteger(value) && value >= least && value <= most) return value;
  throw new Error(`the policy's ${key} is "${metadata[key]}", wanted a whole number from ${least}`);
}

interface ChunkSizes {
  readonly actionSize: number;
  readonly chunkLength: number;
  readonly executed: number;
  readonly noiseSize: number;
  readonly seed: number;
  /** Where every step asks, and acts by the mean of all open chunks. */
  readonly decay: number | null;
}

/** One row's chunk, and its draws. */
class Chunks {
  private readonly graph: PolicyGraph;
  private readonly sizes: ChunkSizes;
  private readonly chunk: Float32Array;
  private readonly noise: Float32Array;
  private readonly rng: Rng;
  private readonly out: Float32Array;
  private open: Float32Array[] = []; // where there is a decay: what chunks have for the steps to come, oldest first
  private taken: number;

  constructor(graph: PolicyGraph, sizes: ChunkSizes) {
    if (sizes.executed > sizes.chunkLength || sizes.chunkLength > mostActions)
      throw new Error(`a policy that takes ${sizes.executed} of ${sizes.chunkLength} actions`);
    this.graph = graph;
    this.sizes = sizes;
    this.chunk = new Float32Array(sizes.chunkLength * sizes.actionSize);
    this.noise = new Float32Array(sizes.noiseSize);
    this.out = new Float32Array(sizes.actionSize);
    this.rng = createRng(sizes.seed).split("policy").split("row 0");
    this.taken = sizes.executed;
  }

  begin(): void {
    this.taken = this.sizes.executed;
    this.open = [];
  }

  act(observations: Float32Array): Float32Array {
    const { actionSize, executed, decay } = this.sizes;
    if (this.taken === executed) {
      for (let i = 0; i < this.noise.length; i++) this.noise[i] = this.rng.normal();
      this.chunk.set(this.graph.act(observations, this.noise));
      this.taken = 0;
    }
    const from = this.taken++ * actionSize;
    if (decay === null) this.out.set(this.chunk.subarray(from, from + actionSize));
    else this.average(decay);
    return this.out;
  }

  path(): Float32Array[] | null {
    const points = this.graph.path();
    const { length } = this.chunk;
    if (points === null || points.length % length !== 0) return null;
    const count = points.length / length;
    return Array.from({ length: count }, (_, k) => points.slice(k * length, (k + 1) * length));
  }

  /** The mean of what all open chunks have for this step, weights e^(−m i), i = 0 for the oldest. */
  private average(decay: number): void {
    const { actionSize } = this.sizes;
    this.open.push(this.chunk.slice());
    this.open = this.open.filter(({ length }) => length > 0);
    const sums = new Float64Array(actionSize);
    let total = 0;
    for (const [i, chunk] of this.open.entries()) {
      const weight = exp(-decay * i);
      total += weight;
      for (let j = 0; j < actionSize; j++) sums[j]! += weight * chunk[j]!;
    }
    for (let j = 0; j < actionSize; j++) this.out[j] = sums[j]! / total;
    this.open = this.open.map((chunk) => chunk.subarray(actionSize));
  }
}
