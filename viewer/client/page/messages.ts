// What a page and its simulating worker say to each other.

import type { RobotModel } from "../../../sim/model.ts";
import type { Answers, Fan, ForkChanges, TraceChunk, TraceLayout } from "../../trace.ts";

/** What to simulate: an episode of a recording's bytes, or a fresh one of random actions. */
export type EpisodeInput =
  | { readonly type: "recording"; readonly bytes: Uint8Array; readonly index: number }
  | { readonly type: "random"; readonly task: string; readonly seed: number };

export type ToWorker =
  /** The first steps are drawn: the others may follow. */
  | { readonly type: "goOn" }
  | { readonly type: "open"; readonly input: EpisodeInput }
  | {
      readonly type: "fork";
      readonly step: number;
      readonly changes: ForkChanges;
      /** A file of pagePolicy.ts, where a policy acts. */
      readonly policy: Uint8Array | null;
    }
  | {
      readonly type: "push";
      readonly link: number;
      readonly impulse: readonly [number, number, number];
    }
  | { readonly type: "advance"; readonly count: number }
  /** What a policy (pagePolicy.ts) would do in each state of the recorded episode. */
  | { readonly type: "ask"; readonly policy: Uint8Array }
  /** Where the steps of its choice would lead from a step of the recorded episode. */
  | { readonly type: "fan"; readonly step: number; readonly policy: Uint8Array };

/** What a policy would have done at each state of the recorded episode. */
export interface Predicted {
  /** The policy's run. */
  readonly by: string;
  readonly actions: readonly number[]; // [T, A]
}

/** What is known of an episode before it is simulated. */
export interface EpisodeFacts {
  readonly task: string;
  /** The name of the file that makes the task; null where the registry does. */
  readonly source: string | null;
  readonly policy: string;
  readonly model: RobotModel;
  readonly layout: TraceLayout;
  readonly controlDt: number; // s
  readonly numSteps: number;
  readonly totalMass: number; // kg
  readonly numEpisodes: number; // in the file
  /** null where no policy was asked. */
  readonly predicted: Predicted | null;
}

export type FromWorker =
  | { readonly type: "opened"; readonly facts: EpisodeFacts }
  | { readonly type: "chunk"; readonly chunk: TraceChunk; readonly fork: boolean }
  | { readonly type: "done"; readonly numVerified: number; readonly mismatch: string | null }
  | { readonly type: "answers"; readonly answers: Answers }
  | { readonly type: "fan"; readonly fan: Fan | null }
  | { readonly type: "forked"; readonly step: number; readonly hash: string }
  | { readonly type: "failed"; readonly reason: string };
