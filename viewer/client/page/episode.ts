// Episode: a recorded episode that a worker simulates again, and the fork that may go on from it.

import type { Answers, Fan, ForkChanges } from "../../trace.ts";
import { host } from "./host.ts";
import type { EpisodeFacts, EpisodeInput, FromWorker, ToWorker } from "./messages.ts";
import { Timeline } from "./timeline.ts";

export class Episode {
  facts: EpisodeFacts | null = null;
  recorded: Timeline | null = null;
  fork: Timeline | null = null;
  forkStep = 0;
  finished = false;
  numVerified = 0;
  mismatch: string | null = null;
  failure: string | null = null;
  /** Rows of the fork that are there or were asked for. */
  numAsked = 0;
  readonly input: EpisodeInput;
  private readonly worker: Worker;
  private waiting = false;
  private fanned: (fan: Fan | null) => void = () => undefined;
  private answered: (answers: Answers) => void = () => undefined;

  constructor(input: EpisodeInput) {
    this.input = input;
    const { worker, told } = host().startWorker(input);
    this.worker = worker;
    this.worker.onmessage = ({ data }: MessageEvent<FromWorker>) => this.take(data);
    this.worker.onerror = ({ message }) =>
      this.take({ type: "failed", reason: message || "the worker could not start" });
    if (told === null) this.say({ type: "open", input });
    for (const message of told ?? []) this.take(message);
  }

  /** What is shown: the fork where there is one. */
  get timeline(): Timeline | null {
    return this.fork ?? this.recorded;
  }

  /** Whether the fork waits for nothing: a push now comes before the next step. */
  get ready(): boolean {
    return !this.waiting;
  }

  /** Goes on from a step with changes; the recorded episode stays. */
  startFork(step: number, changes: ForkChanges, policy: Uint8Array | null = null): void {
    if (!this.recorded || step >= this.recorded.count) return;
    this.fork = this.recorded.branch(step);
    this.forkStep = step;
    this.numAsked = step + 1;
    this.waiting = false;
    this.say({ type: "fork", step, changes, policy });
  }

  endFork(): void {
    this.fork = null;
  }

  /** Simulates the fork up to a step, a little ahead at most; one request at a time. */
  advanceFork(step: number): void {
    if (!this.fork || this.waiting) return;
    const count = Math.min(8, step + 1 - this.fork.count);
    if (count <= 0) return;
    this.waiting = true;
    this.numAsked = this.fork.count + count;
    this.say({ type: "advance", count });
  }

  push(link: number, impulse: readonly [number, number, number]): void {
    this.say({ type: "push", link, impulse });
  }

  /** What a policy, or the base that it corrects, would do in each state of the recorded episode. */
  ask(policy: Uint8Array): Promise<Answers> {
    this.say({ type: "ask", policy });
    return new Promise((resolve) => {
      this.answered = resolve;
    });
  }

  /** Where the steps of a policy's choice would lead from a step of the recorded episode; null where it has none. */
  fan(step: number, policy: Uint8Array): Promise<Fan | null> {
    this.say({ type: "fan", step, policy });
    return new Promise((resolve) => {
      this.fanned = resolve;
    });
  }

  /** The first steps are drawn: lets the others follow. */
  goOn(): void {
    this.say({ type: "goOn" });
  }

  close(): void {
    this.worker.terminate();
  }

  private say(message: ToWorker): void {
    this.worker.postMessage(message);
  }

  private take(message: FromWorker): void {
    if (message.type === "failed") this.failure = message.reason;
    else if (message.type === "opened") {
      this.facts = message.facts;
      this.recorded = new Timeline(message.facts.layout, message.facts.controlDt);
    } else if (message.type === "chunk") {
      if (message.fork) this.waiting = false;
      (message.fork ? this.fork : this.recorded)?.append(message.chunk);
    } else if (message.type === "answers") this.answered(message.answers);
    else if (message.type === "fan") this.fanned(message.fan);
    else if (message.type === "done") {
      this.finished = true;
      this.numVerified = message.numVerified;
      this.mismatch = message.mismatch;
    }
  }
}

/** s of what there is of an episode. */
export function endOf(episode: Episode | null): number {
  return episode?.timeline?.duration ?? 0;
}
