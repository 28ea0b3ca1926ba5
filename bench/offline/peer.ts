// PyTorch's side of the benchmark: a process that runs the same update (offline_peer.py).

import { type ChildProcessWithoutNullStreams, spawn } from "node:child_process";
import { createInterface } from "node:readline";
import type { CloneAlgorithm } from "../../agents/agent.ts";
import { batchWidths } from "../../agents/replay.ts";
import { cloners } from "../../finetune/index.ts";
import { isNoise, type NoiseSpec } from "../../nn/noise.ts";
import { isNdArray, leaves, mapTree, type NdArray, type Tree } from "../../nn/tree.ts";
import { createRng } from "../../sim/rng.ts";
import type { Contender } from "../measure.ts";
import { torchPython } from "../nn/torchPeer.ts";
import { type Method, methodOf, spec, tableSize } from "./methods.ts";
import { cloningConfig } from "./ours.ts";

/**
 * Milliseconds an update of a method in PyTorch, from the same fresh networks: with `loss.backward()` as CORL does,
 * or "lean", which makes the gradients alone that are wanted.
 */
export async function torchUpdates(method: Method, way: "CORL" | "lean"): Promise<Contender> {
  const { config, fresh, noise, widths } = method === "bc" ? cloningJob() : offlineJob(method);
  const networks = Object.entries(fresh).filter(
    ([key]) => !key.toLowerCase().endsWith("optimizer"),
  );
  const state = mapTree<NdArray, never>(
    Object.fromEntries(networks) as Tree<NdArray>,
    isNdArray,
    ({ shape, data }) => ({ shape, data: [...data] }) as never,
  );
  const asCorl = way === "CORL";
  const job = { algorithm: method, state, noise, widths, tableSize, config, asCorl };
  const peer = new Peer(job);
  await peer.answer();
  return {
    case: `${method} update, batch ${config.batchSize}`,
    name: asCorl ? "PyTorch eager, as CORL" : "PyTorch eager, lean",
    sample: async (milliseconds) => JSON.parse(await peer.ask(String(milliseconds))) as number[],
    dispose: async () => peer.close(),
  };
}

function offlineJob(method: Method) {
  const { algorithm, config } = methodOf(method);
  const specs = leaves<NoiseSpec>(
    algorithm.noise(spec, config) as Tree<NoiseSpec>,
    (x): x is NoiseSpec => isNoise(x as NoiseSpec),
  );
  return {
    config,
    fresh: algorithm.init(spec, config, createRng(1)),
    noise: Object.fromEntries(specs.map(([path, { shape, noise }]) => [path, { shape, ...noise }])),
    widths: batchWidths(spec.observationSize, spec.actionSize, algorithm.offline?.columns),
  };
}

function cloningJob() {
  const algorithm = cloners["mlp"] as CloneAlgorithm;
  const widths = { observations: spec.observationSize, actions: spec.actionSize };
  const config = { ...cloningConfig, adamEpsilon: 1e-8 };
  return { config, fresh: algorithm.init(spec, cloningConfig, createRng(1)), noise: {}, widths };
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
