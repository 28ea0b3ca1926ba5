// The fan: while an episode stands still, where each step of a flow policy's choice would take the robot from here.

import type { Against } from "./against.ts";
import type { Episode } from "./episode.ts";
import type { Theatre } from "./theatre.ts";

export class FanOut {
  private shown: {
    readonly episode: Episode;
    readonly policy: Uint8Array;
    readonly step: number;
  } | null = null;
  private waiting = false;

  /** To be called each frame: asks where something has changed, and draws the answer. */
  update(
    theatre: Theatre,
    episode: Episode,
    against: Against | null,
    { playing, time }: { readonly playing: boolean; readonly time: number },
  ): void {
    const policy = against?.policy ?? null;
    const { recorded } = episode;
    if (policy === null || !recorded || episode.fork || playing || !episode.finished) {
      if (this.shown) theatre.setFan(null);
      this.shown = null;
      return;
    }
    const step = recorded.stepAt(time);
    const { shown } = this;
    if (shown?.episode === episode && shown.policy === policy && shown.step === step) return;
    if (this.waiting) return;
    this.shown = { episode, policy, step };
    this.waiting = true;
    void episode.fan(step, policy).then((fan) => {
      this.waiting = false;
      if (this.shown?.episode === episode) theatre.setFan(fan);
    });
  }
}
