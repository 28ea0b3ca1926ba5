// What the page of demonstrations and its simulating worker say to each other.

import type { RobotModel } from "../../../sim/model.ts";
import type { TraceChunk, TraceLayout } from "../../trace.ts";

export type ToDemo =
  | { readonly type: "begin"; readonly template: Uint8Array; readonly seed: number }
  | { readonly type: "step"; readonly action: readonly number[] }
  | { readonly type: "finish" };

/** What is known of the task once its world stands. */
export interface DemoFacts {
  readonly task: string;
  readonly model: RobotModel;
  readonly layout: TraceLayout;
  readonly controlDt: number; // s
  readonly maxEpisodeSteps: number;
  readonly actionNames: readonly string[];
}

export type FromDemo =
  | { readonly type: "begun"; readonly facts: DemoFacts; readonly chunk: TraceChunk }
  | { readonly type: "stepped"; readonly chunk: TraceChunk; readonly success: boolean }
  | { readonly type: "finished"; readonly recording: Uint8Array }
  | { readonly type: "failed"; readonly reason: string };
