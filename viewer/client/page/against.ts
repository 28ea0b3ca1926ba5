// Against: what a policy would have done in each state of a recorded episode, beside what was done there.
//
// Of a policy that corrects a base it is the base's actions that are shown, so that the difference is the correction.

import type { Episode } from "./episode.ts";
import { host } from "./host.ts";
import type { PolicyChoice } from "./policies.ts";
import type { SignalRows } from "./signals.ts";
import type { Timeline } from "./timeline.ts";

export class Against implements SignalRows {
  readonly label: string;
  readonly count: number;
  /** Its file, to be asked again; null where the recording brings its answers along. */
  readonly policy: Uint8Array | null;
  private readonly recorded: Timeline;
  private readonly answers: Float32Array; // [rows, A], for the state of each row
  private readonly width: number;

  constructor(
    recorded: Timeline,
    answers: Float32Array,
    label: string,
    policy: Uint8Array | null = null,
  ) {
    this.label = label;
    this.policy = policy;
    this.recorded = recorded;
    this.answers = answers;
    this.width = recorded.layout.actuators.length;
    this.count = answers.length / this.width;
  }

  /** From 0 the policy's actions, from A on what was done less those; row k holds what led there. */
  lines(at: number, numLines: number, firstRow: number): Float64Array[] {
    const { actions } = this.recorded.layout;
    const own = at % this.width;
    const [times, ...done] = this.recorded.lines(actions + own, numLines, firstRow);
    const columns = done.map((column, i) =>
      column.map((value, k) => {
        const answer = this.answers[(firstRow + k - 1) * this.width + own + i]!;
        return at < this.width ? answer : value - answer;
      }),
    );
    return [times!, ...columns];
  }
}

/** What the recording brings along of a policy's actions (cli/dataReplay.ts); null where it brings none. */
export function predictedBeside({ facts, recorded }: Episode): Against | null {
  if (!facts?.predicted || !recorded) return null;
  const { actions, by } = facts.predicted;
  return new Against(recorded, Float32Array.from(actions), by);
}

/** The part of the page that shows it. */
interface Page {
  readonly opened: Episode | null;
  problem: string | null;
  readonly panel: { readonly signals: { setAgainst(rows: Against | null): void } };
}

/** Plots what a policy would have done in the states of the open episode; null ends it. */
export async function compare(page: Page, policy: PolicyChoice | null): Promise<void> {
  const { opened, panel } = page;
  panel.signals.setAgainst(null);
  if (!opened || !policy) return;
  try {
    const file = await host().policy(policy.run, policy.step);
    const { actions, ofBase } = await opened.ask(file);
    if (page.opened !== opened || !opened.recorded) return;
    const label = ofBase ? `base of ${policy.label}` : policy.label;
    panel.signals.setAgainst(new Against(opened.recorded, actions, label, file));
  } catch (error) {
    page.problem = error instanceof Error ? error.message : String(error);
  }
}
