// How a policy that chooses chunks of actions acts step by step: every row has an open chunk, and the policy is
// asked again where one is used up or an episode began.
//
// A policy that draws, as a flow does, draws a row's numbers from that row's own generator, and only when it is
// asked for that row: what a row does depends on no other.

import type { ActionLayout } from "../agents/agent.ts";
import { createRng, type Rng, type RngState } from "../sim/rng.ts";
import { ChunkEnsemble, type ChunkEnsembleState } from "./chunkEnsemble.ts";
import type { PolicyProgram } from "./policyProgram.ts";

/** Everything needed to go on; plain data. */
export interface ChunkQueueState {
  readonly chunks: Float32Array; // [N, H · A]
  readonly taken: Int32Array; // [N]
  readonly rngs: readonly RngState[];
  readonly ensemble: ChunkEnsembleState | null;
}

type Program = Pick<PolicyProgram, "act" | "numRows" | "layout" | "actionSize">;

export class ChunkQueue {
  private readonly program: Program;
  private readonly layout: ActionLayout;
  private readonly chunks: Float32Array; // [N, H · A]
  private readonly taken: Int32Array; // [N], actions of the open chunk that were taken
  private readonly draws: Float32Array; // [N, numDraws]
  private readonly ensemble: ChunkEnsemble | null;
  private rngs: Rng[];

  constructor(program: Program, seed: number) {
    const { numRows, layout, actionSize } = program;
    this.program = program;
    this.layout = layout;
    this.chunks = new Float32Array(numRows * layout.chunkLength * actionSize);
    this.taken = new Int32Array(numRows).fill(layout.executed);
    this.draws = new Float32Array(numRows * layout.numDraws);
    const { chunkLength, ensembleDecay: decay } = layout;
    const sizes = { chunkLength, actionSize };
    this.ensemble = decay === undefined ? null : new ChunkEnsemble(numRows, { ...sizes, decay });
    this.rngs = rngsOf(seed, numRows);
  }

  /** Drops all open chunks and draws from a seed. */
  reset(seed: number): void {
    for (const row of this.taken.keys()) this.drop(row);
    this.rngs = rngsOf(seed, this.program.numRows);
  }

  /**
   * Actions [N, A] for observations [N, O], as the policy sees them; fresh. A row that begins drops its chunk;
   * where `rows` is given, the others keep their memory and what they get is of no use.
   */
  async act(
    observations: Float32Array,
    begins?: Uint8Array,
    rows?: Uint8Array,
  ): Promise<Float32Array> {
    const { taken, layout, chunks } = this;
    const asks = (row: number) => taken[row] === layout.executed && (rows?.[row] ?? 1) === 1;
    begins?.forEach((began, row) => {
      if (began && (rows?.[row] ?? 1)) this.drop(row);
    });
    const asking = [...taken.keys()].filter(asks);
    if (asking.length > 0) await this.ask(observations, asking);
    const numRows = taken.length;
    const width = chunks.length / numRows;
    const actionSize = width / layout.chunkLength;
    const actions = new Float32Array(numRows * actionSize);
    for (let row = 0; row < numRows; row++) {
      if (!(rows?.[row] ?? 1)) continue;
      const from = row * width + taken[row]! * actionSize;
      const action = actions.subarray(row * actionSize, (row + 1) * actionSize);
      if (this.ensemble === null) action.set(chunks.subarray(from, from + actionSize));
      else this.ensemble.next(row, chunks.subarray(from, from + width), action);
      taken[row]!++;
    }
    return actions;
  }

  state(): ChunkQueueState {
    const { chunks, taken, rngs } = this;
    return {
      chunks: chunks.slice(),
      taken: taken.slice(),
      rngs: rngs.map((rng) => rng.state()),
      ensemble: this.ensemble?.state() ?? null,
    };
  }

  restore({ chunks, taken, rngs, ensemble }: ChunkQueueState): void {
    if (ensemble) this.ensemble?.restore(ensemble);
    this.chunks.set(chunks);
    this.taken.set(taken);
    for (const [row, state] of rngs.entries()) this.rngs[row]!.restore(state);
  }

  /** A row's next action is of a new chunk. */
  private drop(row: number): void {
    this.taken[row] = this.layout.executed;
    this.ensemble?.drop(row);
  }

  /** New chunks for some rows. */
  private async ask(observations: Float32Array, asking: readonly number[]): Promise<void> {
    const { draws, layout, chunks, taken } = this;
    const { numDraws, drawsAlways } = layout;
    for (const row of drawsAlways ? asking : [])
      for (let i = row * numDraws; i < (row + 1) * numDraws; i++)
        draws[i] = this.rngs[row]!.normal();
    const fresh = await this.program.act(observations, draws);
    const width = chunks.length / taken.length;
    for (const row of asking) {
      chunks.set(fresh.subarray(row * width, (row + 1) * width), row * width);
      taken[row] = 0;
    }
  }
}

function rngsOf(seed: number, numRows: number): Rng[] {
  const root = createRng(seed).split("policy");
  return Array.from({ length: numRows }, (_, row) => root.split(`row ${row}`));
}
