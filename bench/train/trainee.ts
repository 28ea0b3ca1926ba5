// A training in a process of its own that is stopped while others take their turn.
//
// It prints a line of JSON whenever it has something to tell. What counts is what passes between the
// first and the last line of a turn, so a turn's beginning and end cost nothing.

import { type ChildProcess, spawn } from "node:child_process";
import { createInterface } from "node:readline";
import { setTimeout as sleep } from "node:timers/promises";

/** Where a training stands; `salleTraining.ts` and `train_peer.py` print it. */
export interface Standing {
  /** Control steps of all envs. */
  readonly steps: number;
  readonly updates: number;
  /** s, of any clock that does not jump. */
  readonly time: number;
  /** Processor time of all threads, s. */
  readonly cpu: number;
}

/** What passed in one turn. */
export interface Pace {
  readonly stepsPerSecond: number;
  readonly updatesPerSecond: number;
  /** Processor time over wall time. */
  readonly cores: number;
  /** Processor time of an update and the steps that belong to it, ms: says more than speed on a busy machine. */
  readonly updateCpu: number;
}

const warmUpUpdates = 32;
const fewestLines = 3; // of a turn
const longestWait = 240; // s, until updates flow or a turn is over: on a busy machine they take long

export class Trainee {
  private readonly child: ChildProcess;
  private standings: Standing[] = [];
  private failure: string | undefined;

  private constructor(command: string, args: readonly string[]) {
    // A group of its own: a peer's envs are processes too, and must stop and go with it.
    this.child = spawn(command, args, { stdio: ["ignore", "pipe", "pipe"], detached: true });
    let errors = "";
    this.child.stderr!.on("data", (chunk) => {
      errors = `${errors}${chunk}`.slice(-2000);
    });
    this.child.on("close", (code) => {
      this.failure = `${command} ${args[0]} ended with ${code}: ${errors}`;
    });
    process.on("exit", this.kill);
    const lines = createInterface({ input: this.child.stdout! });
    lines.on("line", (line) => {
      if (line.startsWith("{")) this.standings.push(JSON.parse(line) as Standing);
    });
  }

  /** Starts a training and stops it once its updates flow. */
  static async start(command: string, args: readonly string[]): Promise<Trainee> {
    const trainee = new Trainee(command, args);
    await trainee.until((standings) => (standings.at(-1)?.updates ?? 0) >= warmUpUpdates);
    trainee.signal("SIGSTOP");
    return trainee;
  }

  /** Lets it go on for about that long. */
  async turn(milliseconds: number): Promise<Pace> {
    this.standings = [];
    const end = performance.now() + milliseconds;
    this.signal("SIGCONT");
    await this.until(({ length }) => length >= fewestLines && performance.now() >= end);
    this.signal("SIGSTOP");
    const [first, last] = [this.standings[0]!, this.standings.at(-1)!];
    const seconds = last.time - first.time;
    return {
      stepsPerSecond: (last.steps - first.steps) / seconds,
      updatesPerSecond: (last.updates - first.updates) / seconds,
      cores: (last.cpu - first.cpu) / seconds,
      updateCpu: (1000 * (last.cpu - first.cpu)) / (last.updates - first.updates),
    };
  }

  /** The last that it told. */
  get standing(): Standing {
    return this.standings.at(-1)!;
  }

  async end(): Promise<void> {
    process.off("exit", this.kill);
    const gone = new Promise((resolve) => this.child.once("close", resolve));
    if (this.failure !== undefined) return;
    this.kill();
    await gone;
  }

  private readonly kill = (): void => this.signal("SIGKILL");

  /** To all its processes. */
  private signal(signal: NodeJS.Signals): void {
    const { pid, exitCode, signalCode } = this.child;
    if (pid !== undefined && exitCode === null && signalCode === null) process.kill(-pid, signal);
  }

  private async until(isReached: (standings: readonly Standing[]) => boolean): Promise<void> {
    const deadline = performance.now() + 1000 * longestWait;
    while (!isReached(this.standings)) {
      if (this.failure !== undefined) throw new Error(this.failure);
      if (performance.now() > deadline)
        throw new Error(`no end after ${longestWait} s: ${this.child.spawnargs.join(" ")}`);
      await sleep(5);
    }
  }
}
