// JointTable: each joint's position, velocity and torque now; pointing at one shows its lines.

import type { SignalLayout } from "../../../sim/signals.ts";
import { el, setText } from "./dom.ts";
import { swatch, type TimePlot } from "./plots.ts";

interface JointRow {
  readonly element: HTMLElement;
  readonly position: HTMLElement;
  readonly velocity: HTMLElement;
  readonly torque: HTMLElement;
  readonly gauge: HTMLElement;
}

export class JointTable {
  readonly element: HTMLElement;
  private readonly layout: SignalLayout;
  private readonly rows: readonly JointRow[];
  private largest = 1; // N m or N, of any torque so far

  constructor(layout: SignalLayout, plots: readonly TimePlot[]) {
    this.layout = layout;
    this.rows = layout.joints.map(jointRow);
    const head = ["Joint", "position", "velocity", "torque"].map((textContent) => {
      return el("th", { textContent });
    });
    const rows = this.rows.map(({ element }) => element);
    this.element = el("table", { className: "joints" }, el("tr", {}, ...head), ...rows);
    for (const [j, row] of rows.entries()) for (const plot of plots) plot.pointFrom(row, j);
  }

  update(row: Float32Array): void {
    const { layout } = this;
    for (let j = 0; j < this.rows.length; j++)
      this.largest = Math.max(this.largest, Math.abs(row[layout.torques + j]!));
    for (const [j, each] of this.rows.entries()) {
      setText(each.position, row[layout.positions + j]!.toFixed(2));
      setText(each.velocity, row[layout.velocities + j]!.toFixed(2));
      const torque = row[layout.torques + j]!;
      setText(each.torque, torque.toFixed(1));
      const share = (50 * torque) / this.largest;
      each.gauge.style.left = `${share < 0 ? 50 + share : 50}%`;
      each.gauge.style.width = `${Math.abs(share)}%`;
    }
  }
}

function jointRow(name: string, index: number): JointRow {
  const [position, velocity, torque] = [el("td"), el("td"), el("span")];
  const gauge = el("i");
  const bar = el("span", { className: "gauge" }, gauge);
  const element = el(
    "tr",
    {},
    el("td", { title: name }, swatch(index), name),
    position,
    velocity,
    el("td", {}, torque, bar),
  );
  return { element, position, velocity, torque, gauge };
}
