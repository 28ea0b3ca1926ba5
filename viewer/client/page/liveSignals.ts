// Live signals: the numbers of the robot that is followed, as they come from a training.
//
// As with poses only the newest come: where the training is faster than frames, steps between them are
// not seen. Times are those of the robot, summed over its episodes; between two episodes lines are cut.

import type { SignalLayout } from "../../../sim/signals.ts";
import type { SignalFrame } from "../../protocol.ts";
import type { SignalRows } from "./signals.ts";

const kept = 4; // s of the robot's time

export class LiveSignals implements SignalRows {
  readonly layout: SignalLayout;
  /** Rows that came so far. */
  count = 0;
  /** The newest row; null before the first. */
  row: Float32Array | null = null;
  /** s that were seen of the robot. */
  time = 0;
  private readonly robot: number;
  private readonly controlDt: number;
  private episode = 0;
  private step = 0;
  private rows: { readonly time: number; readonly row: Float32Array | null }[] = [];

  constructor(layout: SignalLayout, robot: number, controlDt: number) {
    this.layout = layout;
    this.robot = robot;
    this.controlDt = controlDt;
  }

  take({ robot, episode, step, row }: SignalFrame): void {
    if (robot !== this.robot) return; // of the one before
    const began = this.count > 0 && episode !== this.episode;
    if (this.count > 0) this.time += this.controlDt * (began ? step : step - this.step);
    if (began) this.rows.push({ time: this.time, row: null });
    // A new episode has no action or reward before its first step.
    if (step > 0) this.rows.push({ time: this.time, row });
    const oldest = this.rows.findIndex(({ time }) => time >= this.time - kept);
    if (oldest > 0) this.rows = this.rows.slice(oldest);
    Object.assign(this, { episode, step, row });
    this.count++;
  }

  lines(at: number, numLines: number): (number | null)[][] {
    const columns = Array.from({ length: numLines }, (_, i) =>
      this.rows.map(({ row }) => row?.[at + i] ?? null),
    );
    return [this.rows.map(({ time }) => time), ...columns];
  }
}
