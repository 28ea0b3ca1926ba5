// Bar: the controls of time below the robot.

import { button, byId, el, setText } from "./dom.ts";
import { type Player, speedName, speeds } from "./player.ts";

export interface BarActions {
  toggle(): void;
  step(by: number): void;
  seek(time: number): void;
  fork(): void;
}

export class Bar {
  private readonly player: Player;
  private readonly play: HTMLButtonElement;
  private readonly slider: HTMLInputElement;
  private readonly speed: HTMLSelectElement;
  private readonly seconds = el("span");
  private readonly step = el("span", { className: "step" });
  private readonly forkButton: HTMLButtonElement;

  constructor(player: Player, actions: BarActions) {
    this.player = player;
    this.play = button("Play", "Play or pause (space)", () => actions.toggle());
    this.play.classList.add("play");
    this.slider = el("input", {
      type: "range",
      min: "0",
      max: "0",
      step: "any",
      ariaLabel: "Time",
    });
    this.slider.oninput = () => actions.seek(Number(this.slider.value));
    this.speed = el(
      "select",
      { title: "Speed ([ and ])", ariaLabel: "Speed" },
      ...speeds.map((speed) =>
        el("option", { value: String(speed), textContent: speedName(speed) }),
      ),
    );
    this.speed.value = String(player.speed);
    this.speed.onchange = () => {
      player.speed = Number(this.speed.value);
    };
    this.forkButton = button("Fork", "Go on from here otherwise (K)", () => actions.fork());
    this.forkButton.classList.add("outlined");
    const scrub = el("div", { className: "scrub" }, this.slider);
    byId("bar").append(
      this.play,
      button("‹", "One step back (←)", () => actions.step(-1)),
      button("›", "One step on (→)", () => actions.step(1)),
      scrub,
      el("span", { className: "clock" }, this.seconds, this.step),
      this.speed,
      this.forkButton,
    );
  }

  /** Shows the player's time; `end` is the last that there is, `total` the last that will be. */
  update(end: number, total: number, controlDt: number, forked: boolean): void {
    const { player } = this;
    setText(this.play, player.playing ? "Pause" : "Play");
    this.slider.max = String(Math.max(end, total, controlDt));
    if (document.activeElement !== this.slider || player.playing)
      this.slider.value = String(player.time);
    const step = Math.round(player.time / controlDt);
    setText(this.seconds, `${player.time.toFixed(2)} / ${Math.max(end, total).toFixed(2)} s`);
    setText(this.step, ` · step ${step}`);
    this.speed.value = String(player.speed);
    setText(this.forkButton, forked ? "Unfork" : "Fork");
  }
}
