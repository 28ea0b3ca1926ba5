// Player: the clock of what is shown: playing, paused, faster, slower, step by step.

export const speeds = [0.125, 0.25, 0.5, 1, 2, 4, 8] as const;

export class Player {
  /** s since the episode's start. */
  time = 0;
  playing = true;
  speed = 1;

  /** Moves on by wall-clock seconds; at `end` it stops there, unless more is to come. */
  tick(seconds: number, end: number, growing: boolean): void {
    if (!this.playing) return;
    this.time += seconds * this.speed;
    if (this.time < end) return;
    this.time = end;
    if (!growing) this.playing = false;
  }

  /** Play from the start again where it stands at the end. */
  toggle(end: number): void {
    if (!this.playing && this.time >= end - 1e-9) this.time = 0;
    this.playing = !this.playing;
  }

  seek(time: number, end: number): void {
    this.time = Math.max(0, Math.min(end, time));
  }

  /** Stops, a whole number of steps further. */
  stepBy(steps: number, controlDt: number, end: number): void {
    this.playing = false;
    this.seek((Math.round(this.time / controlDt) + steps) * controlDt, end);
  }

  /** The next faster or slower of `speeds`. */
  changeSpeed(by: number): void {
    const at = speeds.indexOf(this.speed as (typeof speeds)[number]);
    this.speed = speeds[Math.max(0, Math.min(speeds.length - 1, at + by))]!;
  }
}

/** "⅛×" to "8×". */
export function speedName(speed: number): string {
  const names: Readonly<Record<string, string>> = { "0.125": "⅛", "0.25": "¼", "0.5": "½" };
  return `${names[String(speed)] ?? speed}×`;
}
