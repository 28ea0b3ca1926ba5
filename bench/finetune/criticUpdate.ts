// ResFiT's critic update, ours and PyTorch's (residual_peer.py): heads in one ensemble under layer norm, targets from
// two of them, the mean of squared errors. Noise is drawn in each call, the batch stays.

import { type ChildProcessWithoutNullStreams, spawn } from "node:child_process";
import { createInterface } from "node:readline";
import type { UpdateInputs } from "../../agents/rows.ts";
import { residual } from "../../finetune/residual.ts";
import { compile } from "../../nn/compile.ts";
import { repeated, repeatInputs } from "../../nn/repeat.ts";
import {
  type ArraySpec,
  isNdArray,
  isSpec,
  mapTree,
  type NdArray,
  sizeOf,
  type Tree,
} from "../../nn/tree.ts";
import { createRng } from "../../sim/rng.ts";
import { presets } from "../../train/presets.ts";
import { type Contender, repeatFor } from "../measure.ts";
import { torchPython } from "../nn/torchPeer.ts";
import { correcting as spec } from "./updates.ts";

/** Sizes of the networks, by settings. */
export interface CriticCase {
  readonly name: string;
  readonly settings: object;
  /** Whether a target is about it. */
  readonly counts: boolean;
}

export const criticCases: readonly CriticCase[] = [
  {
    name: "ResFiT critic update, 5 heads of 128",
    settings: presets["residual"]!["lift-cube-v0"]!.algo!,
    counts: true,
  },
  { name: "ResFiT critic update, 10 heads of 256", settings: {}, counts: false },
];

const updatesPerCall = 4;

function partsOf({ settings }: CriticCase) {
  const config = residual.settings.parse(settings);
  const float = (...shape: number[]): ArraySpec => ({ shape, dtype: "float32" });
  const { batchSize } = config;
  const batch = {
    observations: float(batchSize, spec.observationSize),
    actions: float(batchSize, spec.actionSize),
    rewards: float(batchSize),
    discounts: float(batchSize),
    nextObservations: float(batchSize, spec.observationSize),
  };
  return { config, batch, state: residual.init(spec, config, createRng(1)) };
}

/** Milliseconds an update of the critics alone. */
export async function criticUpdates(one: CriticCase): Promise<Contender> {
  const { config, batch, state } = partsOf(one);
  const update = (traced: never, inputs: UpdateInputs<never>) =>
    residual.update(traced, inputs, config, spec, { trainActor: false });
  const inputs = {
    batch,
    noise: residual.noise(spec, config),
    progress: { shape: [], dtype: "float32" },
  };
  const program = await compile(
    repeated(update as never, updatesPerCall),
    { state, inputs: repeatInputs(inputs as never, updatesPerCall) },
    { threads: 1, random: createRng(1) },
  );
  const rng = createRng(2);
  const rows = mapTree<ArraySpec, never>(batch, isSpec, ({ shape }) => {
    const length = updatesPerCall * sizeOf(shape);
    return Float32Array.from({ length }, () => 2 * rng.uniform() - 1) as never;
  });
  const given = { batch: rows, progress: new Float32Array(updatesPerCall) };
  const call = () => program.run(given as never, { outputs: [] });
  return {
    case: one.name,
    name: `Salle, ${updatesPerCall} updates a call`,
    sample: async (milliseconds) =>
      (await repeatFor(milliseconds, call)).map((time) => time / updatesPerCall),
    dispose: () => program.dispose(),
  };
}

/** A PyTorch process that does the same from the same networks. */
export class ResidualPeer {
  private readonly process: ChildProcessWithoutNullStreams;
  private readonly lines: AsyncIterator<string>;
  private readonly job: object;
  private readonly name: string;
  private errors = "";

  constructor(one: CriticCase) {
    const { config, batch, state } = partsOf(one);
    const networks = Object.entries(state).filter(([key]) => !key.endsWith("Optimizer"));
    const numbers = mapTree<NdArray, never>(
      Object.fromEntries(networks) as Tree<NdArray>,
      isNdArray,
      ({ shape, data }) => ({ shape, data: [...data] }) as never,
    );
    const shapes = Object.fromEntries(
      Object.entries(batch).map(([key, { shape }]) => [key, shape]),
    );
    this.name = one.name;
    this.job = { state: numbers, batch: shapes, config, actionSize: spec.actionSize };
    this.process = spawn(torchPython, ["bench/finetune/critic_peer.py"]);
    this.process.stderr.on("data", (chunk) => {
      this.errors = `${this.errors}${chunk}`.slice(-2000);
    });
    this.lines = createInterface({ input: this.process.stdout })[Symbol.asyncIterator]();
  }

  /** Milliseconds an update; with "compile" the loss and its gradient are one compiled function. */
  async contender(mode: "eager" | "compile"): Promise<Contender> {
    await this.ask({ ...this.job, mode });
    return {
      case: this.name,
      name: `PyTorch ${mode}`,
      sample: (milliseconds) => this.ask(milliseconds) as Promise<number[]>,
      dispose: async () => void this.process.stdin.end(),
    };
  }

  private async ask(request: unknown): Promise<unknown> {
    this.process.stdin.write(`${JSON.stringify(request)}\n`);
    const { value, done } = await this.lines.next();
    if (done) throw new Error(`the PyTorch process ended: ${this.errors}`);
    return JSON.parse(value as string);
  }
}
