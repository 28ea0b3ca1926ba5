// Signals: an episode's numbers over time and now: reward terms, actions, and each joint's motion by name.
//
// All of an episode's was found by simulating it in this tab; a training's comes from there. Joints have one colour in all their plots, and
// the table of joints is their legend.

import type { SignalLayout } from "../../../sim/signals.ts";
import type { Against } from "./against.ts";
import { el, setText } from "./dom.ts";
import { JointTable } from "./jointTable.ts";
import { swatch, TimePlot } from "./plots.ts";

const plotEvery = 250; // ms between redrawings while rows come in
const span = 4; // s of an episode that fit: a gait's steps are told apart
const numbersEvery = 100; // ms between numbers that can be read
const mostLoad = 0.03; // share of the time that redrawing may take

/** What can be drawn: an episode's rows, or a training's last ones. */
export interface SignalRows {
  /** Grows with every row. */
  readonly count: number;
  /** Times, and `numLines` columns from number `at` of a row on; without what lies before a first row. */
  lines(at: number, numLines: number, firstRow: number): readonly ArrayLike<number | null>[];
}

/** Lines of one kind. */
interface Signal {
  readonly title: string;
  readonly unit: string;
  readonly names: readonly string[];
  /** Where the first lies in a row; the others follow it. */
  readonly at: number;
  /** The first row that has any: there is no action or reward before the first step. */
  readonly firstRow: 0 | 1;
}

/** What of a robot is drawn over time. */
export function signalsOf(layout: SignalLayout): Signal[] {
  const { joints, actuators, rewardTerms } = layout;
  const motion = (title: string, unit: string, at: number): Signal => {
    return { title, unit, names: joints, at, firstRow: 0 };
  };
  return [
    { title: "Reward terms", unit: "", names: rewardTerms, at: layout.terms, firstRow: 1 },
    { title: "Actions", unit: "", names: actuators, at: layout.actions, firstRow: 1 },
    motion("Torques", "N m or N", layout.torques),
    motion("Velocities", "rad/s or m/s", layout.velocities),
    motion("Positions", "rad or m", layout.positions),
  ];
}

interface Drawn extends Signal {
  /** Whose lines these are, where they are not those that are shown. */
  readonly rows: SignalRows | null;
  readonly plot: TimePlot;
  readonly section: HTMLDetailsElement;
}

export class Signals {
  readonly element = el("div");
  /** The plots, in the order of `signalsOf`. */
  drawn: readonly Drawn[] = [];
  /** What `setAgainst` was given last. */
  against: Against | null = null;
  private readonly seek: (time: number) => void;
  private readonly folded = new Set(["Positions"]);
  private layout: SignalLayout | null = null;
  private rolling = false;
  private legends: Legend[] = [];
  private joints: JointTable | null = null;
  private last: readonly [SignalRows | null, number] = [null, 0];
  private stale: Drawn[] = [];
  private nextAt = 0; // ms
  private numbersAt = 0; // ms

  constructor(seek: (time: number) => void) {
    this.seek = seek;
    new ResizeObserver(() => {
      for (const { plot } of this.drawn) plot.resize(this.element.clientWidth);
    }).observe(this.element);
  }

  /** Whether any of it can be seen: another tab may be shown. */
  get visible(): boolean {
    return this.element.clientWidth > 0;
  }

  /** Makes room for another robot's numbers; `rolling` ones are always shown whole. */
  setLayout(layout: SignalLayout | null, rolling = false): void {
    if (layout === this.layout) return;
    this.setAgainst(null);
    this.layout = layout;
    this.rolling = rolling;
    for (const { plot } of this.drawn) plot.dispose();
    this.element.replaceChildren();
    this.drawn = [];
    this.legends = [];
    this.joints = null;
    this.last = [null, 0];
    this.stale = [];
    if (!layout) return;
    this.drawn = signalsOf(layout).map((signal) => this.section(signal, null));
    const [terms, actions, ...motions] = this.drawn;
    const { rewardTerms, actuators } = layout;
    // The reward and the return follow the terms in a row.
    this.legends = [
      new Legend(terms!, [...rewardTerms, "reward", "return"]),
      new Legend(actions!, actuators),
    ];
    this.joints = new JointTable(
      layout,
      motions.map(({ plot }) => plot),
    );
    this.element.append(
      ...this.drawn.map(({ section }) => section),
      el("h2", { textContent: "Joints" }),
      this.joints.element,
    );
  }

  /** Shows rows, and of one of them the numbers. */
  update(rows: SignalRows, row: Float32Array, time: number): void {
    if (!this.layout || !this.visible) return;
    this.redraw(rows, time);
    for (const { plot } of this.drawn) plot.moveTo(time);
    const now = performance.now();
    if (now < this.numbersAt) return;
    this.numbersAt = now + numbersEvery;
    for (const legend of this.legends) legend.update(row);
    this.joints?.update(row);
  }

  /** Shows a policy's actions, and what was done less those, or no more. */
  setAgainst(rows: Against | null): void {
    this.against = rows;
    for (const { plot, section } of this.drawn.filter((each) => each.rows)) {
      plot.dispose();
      section.remove();
    }
    this.drawn = this.drawn.filter((each) => !each.rows);
    this.stale = [];
    this.last = [null, 0];
    if (!rows || !this.layout) return;
    const { actuators: names } = this.layout;
    const signal = { names, unit: "", firstRow: 1 } as const;
    const made = [
      { ...signal, title: `Actions of ${rows.label}`, at: 0 },
      { ...signal, title: "Actions less those", at: names.length },
    ].map((each) => this.section(each, rows));
    this.drawn[1]!.section.after(...made.map(({ section }) => section));
    this.drawn = [...this.drawn, ...made];
  }

  /** Takes the theme's colours. */
  recolor(): void {
    for (const { plot } of this.drawn) plot.redraw();
  }

  private section(signal: Signal, rows: SignalRows | null): Drawn {
    const { title, unit, names } = signal;
    const width = Math.max(200, this.element.clientWidth);
    const whole = this.rolling || title === "Reward terms";
    const plot = new TimePlot(names, width, this.seek, whole ? undefined : span);
    const head = el(
      "summary",
      {},
      title,
      el("span", { className: "unit", textContent: unit }),
      plot.pointed,
    );
    const section = el("details", { open: !this.folded.has(title) }, head, plot.element);
    section.ontoggle = () => {
      if (section.open) this.folded.delete(title);
      else this.folded.add(title);
      this.last = [null, 0];
    };
    return { ...signal, rows, plot, section };
  }

  /** One plot a frame, so that none takes long. */
  private redraw(rows: SignalRows, time: number): void {
    const [last, count] = this.last;
    const begun = performance.now();
    const waited = this.stale.length === 0 && begun >= this.nextAt; // or the last plots would never come
    if (last !== rows || (count !== rows.count && waited)) {
      this.last = [rows, rows.count];
      this.nextAt = begun + plotEvery;
      this.stale = this.drawn.filter(({ section }) => section.open);
    }
    const next = this.stale.shift();
    if (!next) return;
    const { plot, at, firstRow, names } = next;
    plot.setData((next.rows ?? rows).lines(at, names.length, firstRow));
    queueMicrotask(() => {
      // The plot draws in a microtask that was queued before this one; only then it knows its new scale.
      plot.moveTo(time);
      this.nextAt += (performance.now() - begun) / mostLoad;
    });
  }
}

/** The names of a plot's lines, and their values now. */
class Legend {
  private readonly at: number;
  private readonly cells: readonly HTMLElement[];

  /** `names` may go on after the plot's own: those have no line. */
  constructor({ plot, section, at, names: lines }: Drawn, names: readonly string[]) {
    this.at = at;
    const table = el("table");
    this.cells = names.map((name, i) => {
      const value = el("td");
      const mark = i < lines.length ? swatch(i) : swatch(null);
      const row = el("tr", {}, el("td", { title: name }, mark, name), value);
      if (i < lines.length) plot.pointFrom(row, i);
      table.append(row);
      return value;
    });
    section.append(table);
  }

  update(row: Float32Array): void {
    for (const [i, cell] of this.cells.entries()) setText(cell, row[this.at + i]!.toFixed(3));
  }
}
