// Duel: a fork under a policy, and beside it another policy from the same instant.

import type { ForkChanges } from "../../trace.ts";
import { Episode } from "./episode.ts";
import { driveFork, type Push, trailFork } from "./forkDriver.ts";
import { host } from "./host.ts";
import type { Player } from "./player.ts";
import type { PolicyChoice } from "./policies.ts";
import type { Theatre } from "./theatre.ts";
import type { Timeline } from "./timeline.ts";

/** Who acts in a fork and who beside it; null where that is no policy. */
export interface DuelChoice {
  readonly changes: ForkChanges;
  readonly policy: PolicyChoice | null;
  readonly rival: PolicyChoice | null;
}

export class Duel {
  private rival: Episode | null = null;
  private expected = false; // whether there is or will be a rival
  private pushes: Push[] = []; // that the rival has still to get
  private start: { readonly step: number; readonly run: () => void } | null = null;
  private current = 0; // counts the forks, so that a policy that comes late is left
  private problem: string | null = null;

  /** Begins a fork of an episode at a step, and says so; at once where no policy must be fetched. */
  async fork(episode: Episode, step: number, choice: DuelChoice, began: () => void): Promise<void> {
    this.end();
    try {
      await this.begin(episode, step, choice, began);
    } catch (error) {
      this.problem = error instanceof Error ? error.message : String(error);
    }
  }

  /** Goes on along with the clock; what the mouse pulls is pushed in the rival's fork too, at the same steps. */
  drive(episode: Episode, player: Player, theatre: Theatre): void {
    const push = driveFork(episode, player, theatre);
    const { rival, start } = this;
    if (push && this.expected) this.pushes.push(push);
    if (!rival) return;
    if (start && rival.recorded && rival.recorded.count > start.step) {
      start.run();
      this.start = null;
    }
    trailFork(rival, episode, this.pushes);
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
    began: () => void,
  ): Promise<void> {
    const mine = this.current;
    this.expected = rival !== null;
    if (changes.actions !== "policy" || !policy) episode.startFork(step, changes);
    else {
      const bytes = await host().policy(policy.run, policy.step);
      if (mine !== this.current) return;
      episode.startFork(step, changes, bytes);
    }
    began();
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
    this.pushes = [];
    this.expected = false;
  }
}
