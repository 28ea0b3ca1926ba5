// Panel: what to show, an episode's numbers, what to save, and the settings of a fork.

import type { ForkChanges } from "../../trace.ts";
import { button, byId, el, setText } from "./dom.ts";
import type { LiveSignals } from "./liveSignals.ts";
import { type PolicyChoice, samePolicy } from "./policies.ts";
import { Signals } from "./signals.ts";
import type { Timeline } from "./timeline.ts";

export interface PanelActions {
  seek(time: number): void;
  /** The settings of a fork changed. */
  changes(): void;
  /** A policy shall be asked what it would have done; none for null. */
  compare(policy: PolicyChoice | null): void;
}

/** What the panel shows beside its numbers. */
export interface PanelButtons {
  readonly show: HTMLElement;
  readonly save: HTMLElement;
}

export class Panel {
  changes: ForkChanges = { friction: 1, mass: 1, actions: "recorded" };
  policy: PolicyChoice | null = null;
  rival: PolicyChoice | null = null;
  private policies: readonly PolicyChoice[] = [];
  private readonly acting = el("select", { ariaLabel: "Actions of the fork" });
  private readonly beside = el("select", { ariaLabel: "Beside the fork" });
  private readonly asked = el("select", { ariaLabel: "Actions against a policy" });
  private readonly comparing = el(
    "label",
    { className: "setting against", hidden: true },
    "against",
    this.asked,
  );
  private readonly exchange = button("swap", "Who acts goes beside, and who is beside acts", () =>
    this.swap(),
  );
  private readonly actions: PanelActions;
  private readonly forkNote = el("p", { className: "note" });
  readonly signals: Signals;

  constructor(actions: PanelActions, buttons: PanelButtons) {
    this.actions = actions;
    this.signals = new Signals(actions.seek);
    byId("panel").append(
      el("h2", { textContent: "Show" }),
      buttons.show,
      el("p", {
        className: "note live-note",
        textContent:
          "Signals of the robot that is followed, as often as frames come. Follow, beside the " +
          "training's name, simulates its newest episode here with every step.",
      }),
      this.comparing,
      this.signals.element,
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
        this.exchange,
      ),
    );
    this.acting.onchange = () => this.chooseActions();
    this.beside.onchange = () => {
      this.rival = this.policies[Number(this.beside.value)] ?? null;
      this.change({});
    };
    this.asked.onchange = () =>
      actions.compare(this.policies[Number(this.asked.value || Number.NaN)] ?? null);
    this.offer([]);
  }

  /** Shows an episode's numbers at a time. */
  update(timeline: Timeline, time: number, forked: boolean): void {
    this.signals.update(timeline, timeline.row(timeline.stepAt(time)), time);
    setText(
      this.forkNote,
      forked
        ? "Forked: drag the robot to push it. Changes here begin the fork anew."
        : "Go on from this step otherwise, with these changes.",
    );
  }

  /** Shows the newest numbers of a training's robot, where there are some. */
  updateLive(rows: LiveSignals | null): void {
    if (!rows?.row) return;
    this.signals.setLayout(rows.layout, true);
    this.signals.update(rows, rows.row, rows.time);
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
      all.map(({ run, label }) => `${run} ${label}`).join("\n");
    if (this.acting.options.length > 0 && labels(policies) === labels(this.policies)) return;
    this.policies = policies;
    this.acting.replaceChildren(
      option("recorded", "as recorded"),
      option("zero", "none"),
      ...optionsOf(policies),
    );
    this.beside.replaceChildren(option("", "as recorded"), ...optionsOf(policies));
    this.asked.replaceChildren(option("", "no policy"), ...optionsOf(policies));
    this.comparing.hidden = policies.length === 0;
    this.mark();
  }

  /** Shows in the lists who was chosen. */
  private mark(): void {
    const indexOf = (choice: PolicyChoice | null): string =>
      String(this.policies.findIndex((policy) => samePolicy(policy, choice)));
    const { actions } = this.changes;
    this.acting.value = actions === "policy" ? indexOf(this.policy) : actions;
    this.beside.value = this.rival ? indexOf(this.rival) : "";
    this.exchange.disabled = actions === "zero" || samePolicy(this.policy, this.rival);
  }

  private swap(): void {
    [this.policy, this.rival] = [this.rival, this.policy];
    this.change({ actions: this.policy ? "policy" : "recorded" });
  }

  private chooseActions(): void {
    const { value } = this.acting;
    this.policy = this.policies[Number(value)] ?? null;
    const actions = this.policy ? "policy" : value === "zero" ? "zero" : "recorded";
    this.change({ actions });
  }

  private change(part: Partial<ForkChanges>): void {
    this.changes = { ...this.changes, ...part };
    this.mark();
    this.actions.changes();
  }
}

function option(value: string, textContent: string): HTMLOptionElement {
  return el("option", { value, textContent });
}

/** Policies by their place in the list, those of a run together. */
function optionsOf(policies: readonly PolicyChoice[]): HTMLElement[] {
  const groups = new Map<string, HTMLElement>();
  for (const [i, { run, who, label }] of policies.entries()) {
    const group = groups.get(run) ?? el("optgroup", { label: who });
    groups.set(run, group);
    group.append(option(String(i), label));
  }
  return [...groups.values()];
}
