// What a training shows while it runs: a bar that stays in place on a terminal, plain lines elsewhere.

import type { Report } from "../train/session.ts";

const barWidth = 24; // characters
const lineInterval = 10; // s between plain lines

/** Writes to standard error, so that results on standard output stay clean. */
export class Progress {
  private readonly totalSteps: number;
  private readonly terminal = process.stderr.isTTY === true;
  private readonly now: () => number;
  private started: number;
  private firstStep = 0;
  private latest: Record<string, number> = {};
  private lastLine = Number.NEGATIVE_INFINITY;

  /** `now` gives milliseconds. */
  constructor(totalSteps: number, now = () => performance.now()) {
    this.totalSteps = totalSteps;
    this.now = now;
    this.started = now();
  }

  /** Where and when the run begins or goes on: what came before says nothing of its speed. */
  begin(step: number): void {
    this.started = this.now();
    this.firstStep = step;
  }

  report({ step, metrics }: Report): void {
    Object.assign(this.latest, metrics);
    const evaluated = "eval/mean_reward" in metrics;
    const now = this.now();
    if (this.terminal) process.stderr.write(`\r\x1b[2K${this.bar(step)}`);
    else if (evaluated || now - this.lastLine > 1000 * lineInterval) {
      this.lastLine = now;
      process.stderr.write(`${this.line(step)}\n`);
    }
  }

  /** A line of its own, above the bar. */
  say(text: string): void {
    process.stderr.write(this.terminal ? `\r\x1b[2K${text}\n` : `${text}\n`);
  }

  /** Leaves the last state of the bar where it is. */
  end(): void {
    if (this.terminal) process.stderr.write("\n");
  }

  private bar(step: number): string {
    const share = Math.min(1, step / this.totalSteps);
    const filled = Math.round(share * barWidth);
    const bar = "█".repeat(filled) + "░".repeat(barWidth - filled);
    const text = `${bar} ${Math.floor(100 * share)} %  ${this.facts(step).join("  ")}`;
    return text.slice(0, (process.stderr.columns || 120) - 1);
  }

  private line(step: number): string {
    return `${formatCount(step)} of ${formatCount(this.totalSteps)} steps  ${this.facts(step).join("  ")}`;
  }

  private facts(step: number): string[] {
    const { latest } = this;
    const facts: string[] = [];
    const elapsed = (this.now() - this.started) / 1000;
    const speed = (step - this.firstStep) / elapsed;
    if (speed > 0) {
      facts.push(`${formatTime((this.totalSteps - step) / speed)} left`);
      facts.push(`${formatCount(latest["time/fps"] ?? speed)} steps/s`);
    }
    const training = latest["rollout/ep_rew_mean"];
    if (training !== undefined) facts.push(`return ${formatNumber(training)}`);
    const evaluation = latest["eval/mean_reward"];
    if (evaluation !== undefined) facts.push(`evaluation ${formatNumber(evaluation)}`);
    const gait = latest["eval/speed"];
    if (gait !== undefined) facts.push(`${formatNumber(gait)} m/s`);
    return facts;
  }
}

/** 1234567 → "1.23 M". */
export function formatCount(value: number): string {
  if (value >= 1e6) return `${Number((value / 1e6).toPrecision(3))} M`;
  if (value >= 1e4) return `${Math.round(value / 1e3)} k`;
  return String(Math.round(value));
}

/** Seconds → "2:05" or "1:02:05". */
export function formatTime(seconds: number): string {
  const whole = Math.max(0, Math.round(seconds));
  const parts = [Math.floor(whole / 3600), Math.floor(whole / 60) % 60, whole % 60];
  const shown = parts[0] === 0 ? parts.slice(1) : parts;
  return shown.map((part, i) => (i === 0 ? String(part) : String(part).padStart(2, "0"))).join(":");
}

/** Three digits; what is next to nothing is 0. */
export function formatNumber(value: number): string {
  if (Math.abs(value) < 1e-4) return "0";
  return Math.abs(value) >= 100 ? value.toFixed(0) : String(Number(value.toPrecision(3)));
}
