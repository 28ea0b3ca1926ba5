// PyTorch as a peer: a Python process that measures the same update when it is asked to.

import { type ChildProcessWithoutNullStreams, spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { createInterface } from "node:readline";
import type { Contender } from "../measure.ts";

/** What the peer can be asked to run; see torch_peer.py. */
export interface TorchCase {
  readonly kind: "update" | "act" | "sgemm";
  readonly batchSize: number;
  readonly numCritics: number;
  readonly variant: "separate" | "batched";
  readonly mode: "eager" | "compile";
}

/** The Python that has PyTorch. */
export const torchPython = ".venv-torch/bin/python";

/** Why there is no peer here, or undefined. */
export function torchMissing(): string | undefined {
  return existsSync(torchPython)
    ? undefined
    : "no PyTorch; make it with: bash scripts/python-env.sh torch";
}

/** One PyTorch process with a fixed number of threads. */
export class TorchPeer {
  readonly threads: number;
  private readonly process: ChildProcessWithoutNullStreams;
  private readonly answers: AsyncIterator<string>;
  private errors = "";

  constructor(threads: number) {
    this.threads = threads;
    this.process = spawn(torchPython, ["bench/nn/torch_peer.py", String(threads)]);
    this.process.stderr.on("data", (chunk) => {
      this.errors = `${this.errors}${chunk}`.slice(-2000);
    });
    this.answers = createInterface({ input: this.process.stdout })[Symbol.asyncIterator]();
  }

  version(): Promise<string> {
    return this.ask({ kind: "version" }) as Promise<string>;
  }

  contender(name: string, torchCase: TorchCase): Contender {
    const { variant, mode } = torchCase;
    const threads = `${this.threads} thread${this.threads === 1 ? "" : "s"}`;
    return {
      case: name,
      name: `PyTorch ${mode}, ${variant}, ${threads}`,
      sample: (milliseconds) => this.ask({ ...torchCase, milliseconds }) as Promise<number[]>,
    };
  }

  close(): void {
    this.process.stdin.end();
  }

  private async ask(request: object): Promise<unknown> {
    this.process.stdin.write(`${JSON.stringify(request)}\n`);
    const { value, done } = await this.answers.next();
    if (done) throw new Error(`the PyTorch process ended: ${this.errors}`);
    return JSON.parse(value as string);
  }
}
