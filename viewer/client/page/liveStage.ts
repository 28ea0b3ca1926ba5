// Live stage: a training's robots as they move, and the signals of the one that is followed.

import type { Live } from "./live.ts";
import type { Panel } from "./panel.ts";
import type { Theatre } from "./theatre.ts";

export class LiveStage {
  /** Whether it is what the page shows. */
  shown = false;
  /** What was drawn last, [robots, links, 7]. */
  poses: Float32Array | null = null;
  private readonly live: Live;
  private readonly theatre: Theatre;
  private readonly panel: Panel;

  constructor(live: Live, theatre: Theatre, panel: Panel) {
    this.live = live;
    this.theatre = theatre;
    this.panel = panel;
    // A page that nobody sees asks for nothing.
    document.addEventListener("visibilitychange", () => live.watch(this.shown && !document.hidden));
  }

  open(): void {
    this.shown = true;
    this.live.watch(!document.hidden);
  }

  close(): void {
    this.shown = false;
    this.live.watch(false);
    this.live.follow(null);
    this.poses = null;
  }

  frame(seconds: number): void {
    const { live, theatre, panel } = this;
    const model = live.hello?.live?.model;
    const poses = live.posesNow();
    if (!model || !poses) {
      theatre.drawOnce();
      return;
    }
    if (!this.poses) theatre.open(model, poses, { numRobots: live.numRobots });
    this.poses = poses;
    theatre.showPoses(poses, seconds);
    live.follow(panel.signals.visible ? theatre.followed : null);
    panel.updateLive(live.signals);
  }
}
