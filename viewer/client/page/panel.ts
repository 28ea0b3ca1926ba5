// Panel: an episode's numbers: reward terms over time, joints and torques by name, settings of a fork.

import type { ForkChanges, TraceLayout } from "../../trace.ts";
import { byId, el, setText } from "./dom.ts";
import type { PolicyChoice } from "./duel.ts";
import { colorOf, TimePlot } from "./plots.ts";
import type { Timeline } from "./timeline.ts";

export interface PanelActions {
  seek(time: number): void;
  /** The settings of a fork changed. */
  changes(): void;
}

/** What the panel shows beside its numbers. */
export interface PanelButtons {
  readonly show: HTMLElement;
  readonly save: HTMLElement;
}

const plotEvery = 250; // ms between redrawings while rows come in

export class Panel {
  changes: ForkChanges = { friction: 1, mass: 1, actions: "recorded" };
  policy: PolicyChoice | null = null;
  rival: PolicyChoice | null = null;
  private policies: readonly PolicyChoice[] = [];
  private readonly acting = el("select", { ariaLabel: "Actions of the fork" });
  private readonly beside = el("select", { ariaLabel: "Beside the fork" });
  private readonly actions: PanelActions;
  private readonly body = el("div");
  private readonly forkNote = el("p", { className: "note" });
  private layout: TraceLayout | null = null;
  private plot: TimePlot | null = null;
  private legend: HTMLElement[] = [];
  private rows: JointRow[] = [];
  private largest = 1;
  private drawn: readonly [Timeline | null, number] = [null, 0];
  private drawnAt = 0;

  constructor(actions: PanelActions, buttons: PanelButtons) {
    this.actions = actions;
    byId("panel").append(
      el("h2", { textContent: "Show" }),
      buttons.show,
      this.body,
      el("h2", { textContent: "Save" }),
      buttons.save,
      el(
        "section",
        { className: "fork" },
        el("h2", { textContent: "Fork" }),
        this.forkNote,
        this.slider("friction", 0.1, 3),
        this.slider("mass", 0.3, 3),
        el("label", { className: "setting" }, "actions", this.acting),
        el("label", { className: "setting" }, "beside it", this.beside),
      ),
    );
    this.acting.onchange = () => this.chooseActions();
    this.beside.onchange = () => {
      this.rival = this.policies[Number(this.beside.value)] ?? null;
      this.change({});
    };
    this.offer([]);
    new ResizeObserver(() => this.plot?.resize(this.body.clientWidth)).observe(this.body);
  }

  /** Makes room for another robot's numbers. */
  setLayout(layout: TraceLayout | null): void {
    if (layout === this.layout) return;
    this.layout = layout;
    this.plot?.dispose();
    this.body.replaceChildren();
    this.plot = null;
    this.rows = [];
    this.drawn = [null, 0];
    if (!layout) return;
    const names = [...layout.rewardTerms];
    this.plot = new TimePlot(names, Math.max(200, this.body.clientWidth), this.actions.seek);
    const legend = el("table");
    this.legend = [...names, "reward", "return"].map((name, i) => {
      const value = el("td");
      const swatch = el("span", { className: "swatch" });
      swatch.style.background = i < names.length ? colorOf(i) : "transparent";
      legend.append(el("tr", {}, el("td", { title: name }, swatch, name), value));
      return value;
    });
    this.rows = layout.joints.map(jointRow);
    const head = ["Joint", "position", "velocity", "torque"].map((textContent) => {
      return el("th", { textContent });
    });
    this.body.append(
      el("h2", { textContent: "Reward terms" }),
      this.plot.element,
      legend,
      el("h2", { textContent: "Joints" }),
      el(
        "table",
        { className: "joints" },
        el("tr", {}, ...head),
        ...this.rows.map(({ element }) => element),
      ),
    );
  }

  update(timeline: Timeline, step: number, time: number, forked: boolean): void {
    const { layout, plot } = this;
    if (!layout || !plot) return;
    this.redraw(timeline, layout, plot);
    plot.moveTo(time);
    const row = timeline.row(step);
    for (const [i, cell] of this.legend.entries()) setText(cell, row[layout.terms + i]!.toFixed(3)); // terms, reward and return follow each other
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
    setText(
      this.forkNote,
      forked
        ? "Forked: drag the robot to push it. Changes here begin the fork anew."
        : "Go on from this step otherwise, with these changes.",
    );
  }

  private redraw(timeline: Timeline, layout: TraceLayout, plot: TimePlot): void {
    const now = performance.now();
    const [last, count] = this.drawn;
    if (last === timeline && count === timeline.count) return;
    if (last === timeline && now - this.drawnAt < plotEvery) return;
    this.drawn = [timeline, timeline.count];
    this.drawnAt = now;
    const times = Float64Array.from({ length: timeline.count }, (_, k) => k * timeline.controlDt);
    plot.setData([times, ...layout.rewardTerms.map((_, i) => timeline.column(layout.terms + i))]);
  }

  private slider(name: "friction" | "mass", low: number, high: number): HTMLElement {
    const output = el("output", { textContent: "1.00×" });
    const attributes = { type: "range", min: String(low), max: String(high), step: "0.05" };
    const input = el("input", { ...attributes, value: "1", ariaLabel: name });
    input.oninput = () => setText(output, `${Number(input.value).toFixed(2)}×`);
    input.onchange = () => this.change({ [name]: Number(input.value) });
    return el("label", { className: "setting" }, name, input, output);
  }

  /** Offers policies to act in a fork and beside it. */
  offer(policies: readonly PolicyChoice[]): void {
    const labels = (all: readonly PolicyChoice[]): string =>
      all.map(({ label }) => label).join("\n");
    if (this.acting.options.length > 0 && labels(policies) === labels(this.policies)) return;
    this.policies = policies;
    const option = (value: string, textContent: string) => el("option", { value, textContent });
    const made = () => policies.map(({ label }, i) => option(String(i), label));
    this.acting.replaceChildren(
      option("recorded", "as recorded"),
      option("zero", "none"),
      ...made(),
    );
    this.beside.replaceChildren(option("", "as recorded"), ...made());
    const indexOf = (choice: PolicyChoice | null): string =>
      String(policies.findIndex(({ label }) => label === choice?.label));
    const { actions } = this.changes;
    this.acting.value = actions === "policy" ? indexOf(this.policy) : actions;
    this.beside.value = this.rival ? indexOf(this.rival) : "";
  }

  private chooseActions(): void {
    const { value } = this.acting;
    this.policy = this.policies[Number(value)] ?? null;
    const actions = this.policy ? "policy" : value === "zero" ? "zero" : "recorded";
    this.change({ actions });
  }

  private change(part: Partial<ForkChanges>): void {
    this.changes = { ...this.changes, ...part };
    this.actions.changes();
  }
}

interface JointRow {
  readonly element: HTMLElement;
  readonly position: HTMLElement;
  readonly velocity: HTMLElement;
  readonly torque: HTMLElement;
  readonly gauge: HTMLElement;
}

function jointRow(name: string): JointRow {
  const [position, velocity, torque] = [el("td"), el("td"), el("span")];
  const gauge = el("i");
  const bar = el("span", { className: "gauge" }, gauge);
  const element = el(
    "tr",
    {},
    el("td", { title: name, textContent: name }),
    position,
    velocity,
    el("td", {}, torque, bar),
  );
  return { element, position, velocity, torque, gauge };
}
