// Duel: a fork under a policy, and beside it another policy from the same instant.

import type { ForkChanges } from "../../trace.ts";
import { Episode } from "./episode.ts";
import { driveFork } from "./forkDriver.ts";
import { host, type RunSummary } from "./host.ts";
import type { Player } from "./player.ts";
import type { Theatre } from "./theatre.ts";
import type { Timeline } from "./timeline.ts";

/** A checkpoint's policy, and what the page calls it. */
export interface PolicyChoice {
  readonly run: string;
  readonly step: number;
  readonly label: string;
}

/** Who acts in a fork and who beside it; null where that is no policy. */
export interface DuelChoice {
  readonly changes: ForkChanges;
  readonly policy: PolicyChoice | null;
  readonly rival: PolicyChoice | null;
}

const mostPerRun = 12; // the newest checkpoints of a run

interface Open {
  readonly runs: readonly RunSummary[];
  readonly episode: Episode | null;
  readonly address: { readonly run: string | null };
}

/** Policies that fit the task that is open: those of the open run first. */
export function policiesFor({ runs, episode, address }: Open): PolicyChoice[] {
  const open = address.run;
  const task = episode?.facts?.task;
  if (task === undefined) return [];
  const fitting = runs.filter((run) => run.id === open || run.task === task);
  const ordered = [...fitting].sort((a, b) => Number(b.id === open) - Number(a.id === open));
  return ordered.flatMap(({ id, name, algorithm, seed, checkpoints }) => {
    const who = algorithm === null ? name : `${algorithm}${seed === null ? "" : ` seed ${seed}`}`;
    const newest = checkpoints.slice(-mostPerRun).reverse();
    return newest.map((step) => ({ run: id, step, label: `${who}, step ${step}` }));
  });
}

export class Duel {
  private rival: Episode | null = null;
  private start: { readonly step: number; readonly run: () => void } | null = null;
  private current = 0; // counts the forks, so that a policy that comes late is left
  private problem: string | null = null;

  /** Begins a fork of an episode at a step; at once where no policy must be fetched. */
  async fork(episode: Episode, step: number, choice: DuelChoice): Promise<void> {
    this.end();
    try {
      await this.begin(episode, step, choice);
    } catch (error) {
      this.problem = error instanceof Error ? error.message : String(error);
    }
  }

  /** Goes on along with the clock; the mouse pulls the fork alone. */
  drive(episode: Episode, player: Player, theatre: Theatre): void {
    driveFork(episode, player, theatre);
    const { rival, start } = this;
    if (!rival) return;
    if (start && rival.recorded && rival.recorded.count > start.step) {
      start.run();
      this.start = null;
    }
    driveFork(rival, player, null);
  }

  /** What the rival does; null before it begins. */
  get timeline(): Timeline | null {
    return this.rival?.fork ?? null;
  }

  /** Why a policy can't act, in words. */
  get failure(): string | null {
    return this.problem ?? this.rival?.failure ?? null;
  }

  private async begin(
    episode: Episode,
    step: number,
    { changes, policy, rival }: DuelChoice,
  ): Promise<void> {
    const mine = this.current;
    if (changes.actions !== "policy" || !policy) episode.startFork(step, changes);
    else {
      const bytes = await host().policy(policy.run, policy.step);
      if (mine !== this.current) return;
      episode.startFork(step, changes, bytes);
    }
    if (!rival) return;
    const bytes = await host().policy(rival.run, rival.step);
    if (mine !== this.current) return;
    const other = new Episode(episode.input);
    this.rival = other;
    const run = () => other.startFork(step, { ...changes, actions: "policy" }, bytes);
    this.start = { step, run };
  }

  end(): void {
    this.current++;
    this.rival?.close();
    this.rival = this.start = this.problem = null;
  }
}
