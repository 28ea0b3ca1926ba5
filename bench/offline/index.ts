// The benchmark of learning from logged data: updates, batches drawn from a table included, beside PyTorch's.
//
// Both take the same settings, networks of the algorithms' defaults and one thread; a call of ours has several
// updates, as in a training.

import { type ChildProcessWithoutNullStreams, spawn } from "node:child_process";
import { createInterface } from "node:readline";
import type { OfflineConfig, OffPolicyAlgorithm } from "../../agents/agent.ts";
import { Normalizer } from "../../agents/normalizer.ts";
import { batchWidths, ReplayBuffer } from "../../agents/replay.ts";
import { finetuners } from "../../finetune/index.ts";
import { isNoise, type NoiseSpec } from "../../nn/noise.ts";
import { isNdArray, leaves, mapTree, type NdArray, type Tree } from "../../nn/tree.ts";
import { createRng } from "../../sim/rng.ts";
import { OffPolicyLearner } from "../../train/learner.ts";
import type { BenchOptions } from "../main.ts";
import { type Contender, repeatFor, takeTurns } from "../measure.ts";
import { torchMissing, torchPython } from "../nn/torchPeer.ts";
import { type Report, type Row, row } from "../report.ts";

/** The hopper's sizes. */
const spec = { observationSize: 15, actionSize: 4, numEnvs: 1 };
const timed = ["td3bc", "iql", "awac", "cql"] as const;
const updatesPerCall = 4;

/** Everything of `npm run bench -- offline`. */
export async function benchOffline({ quick }: BenchOptions): Promise<Report> {
  const missing = torchMissing();
  const turns = quick ? { rounds: 2, milliseconds: 300 } : { rounds: 7, milliseconds: 1500 };
  const rows: Row[] = [];
  for (const name of timed) {
    const contenders = [await ours(name)];
    if (missing === undefined) contenders.push(await theirs(name));
    const samples = await takeTurns(contenders, turns);
    for (const [contender, times] of samples) rows.push(row(contender.case, contender.name, times));
    for (const contender of contenders) await contender.dispose?.();
  }
  return { rows, targets: [], notes: missing === undefined ? [] : [missing] };
}

function algorithmOf(name: string) {
  const algorithm = finetuners[name] as OffPolicyAlgorithm;
  const config = algorithm.settings.parse({}) as OfflineConfig;
  return { algorithm, config };
}

async function ours(name: string): Promise<Contender> {
  const { algorithm, config } = algorithmOf(name);
  const rng = createRng(1);
  const options = { threads: 1, device: "cpu", updatesPerCall, stage: "offline" } as const;
  const learner = await OffPolicyLearner.create(algorithm, config, spec, rng, options);
  const sources = [{ buffer: filled(), share: 1 }];
  const normalizer = new Normalizer("none", spec.observationSize);
  return {
    case: `${name} update, batch ${config.batchSize}`,
    name: `Salle, ${updatesPerCall} updates a call`,
    async sample(milliseconds) {
      const call = () => learner.update(updatesPerCall, sources, normalizer, 0);
      return (await repeatFor(milliseconds, call)).map((time) => time / updatesPerCall);
    },
    dispose: () => learner.dispose(),
  };
}

function filled(): ReplayBuffer {
  const { observationSize, actionSize } = spec;
  const size = 100_000;
  const buffer = new ReplayBuffer(size, batchWidths(observationSize, actionSize));
  const rng = createRng(2);
  const floats = (count: number) => Float32Array.from({ length: count }, () => rng.uniform());
  const columns = {
    observations: floats(size * observationSize),
    actions: floats(size * actionSize),
    rewards: floats(size),
    discounts: new Float32Array(size).fill(0.99),
    nextObservations: floats(size * observationSize),
  };
  buffer.restore({ columns, size, head: 0 });
  return buffer;
}

/** The same update in a PyTorch process. */
async function theirs(name: string): Promise<Contender> {
  const { algorithm, config } = algorithmOf(name);
  const fresh = algorithm.init(spec, config, createRng(1));
  const networks = Object.entries(fresh).filter(([key]) => !key.endsWith("Optimizer"));
  const state = mapTree<NdArray, never>(
    Object.fromEntries(networks) as Tree<NdArray>,
    isNdArray,
    ({ shape, data }) => ({ shape, data: [...data] }) as never,
  );
  const noise = leaves<NoiseSpec>(
    algorithm.noise(spec, config) as Tree<NoiseSpec>,
    (x): x is NoiseSpec => isNoise(x as NoiseSpec),
  );
  const shapes = Object.fromEntries(noise.map(([path, { shape }]) => [path, shape]));
  const sizes = { observation: spec.observationSize, action: spec.actionSize };
  const peer = new Peer({ algorithm: name, state, noise: shapes, sizes, config });
  await peer.answer();
  return {
    case: `${name} update, batch ${config.batchSize}`,
    name: "PyTorch eager",
    sample: async (milliseconds) => JSON.parse(await peer.ask(String(milliseconds))) as number[],
    dispose: async () => peer.close(),
  };
}

class Peer {
  private readonly process: ChildProcessWithoutNullStreams;
  private readonly lines: AsyncIterator<string>;
  private errors = "";

  constructor(job: object) {
    this.process = spawn(torchPython, ["bench/offline/offline_peer.py"]);
    this.process.stderr.on("data", (chunk) => {
      this.errors = `${this.errors}${chunk}`.slice(-2000);
    });
    this.lines = createInterface({ input: this.process.stdout })[Symbol.asyncIterator]();
    this.process.stdin.write(`${JSON.stringify(job)}\n`);
  }

  ask(line: string): Promise<string> {
    this.process.stdin.write(`${line}\n`);
    return this.answer();
  }

  async answer(): Promise<string> {
    const { value, done } = await this.lines.next();
    if (done) throw new Error(`the PyTorch process ended: ${this.errors}`);
    return value as string;
  }

  close(): void {
    this.process.stdin.end();
  }
}
