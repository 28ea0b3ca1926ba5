// Drives forks along with the clock, and lets the mouse pull their robots on the way.

import type { Episode } from "./episode.ts";
import type { Player } from "./player.ts";
import type { Theatre } from "./theatre.ts";

const pullStrength = 30; // m/s² for a pull as long as the robot is large
const mostSteps = 8; // that one request may ask for

/** An impulse in N s on a link, before the step that makes row `row`. */
export interface Push {
  readonly row: number;
  readonly link: number;
  readonly impulse: readonly [number, number, number];
}

/** Asks for the steps that will be shown next; returns the pull, an impulse before the first of them. */
export function driveFork(episode: Episode, at: Player, seen: Theatre): Push | null {
  const { fork, facts, ready } = episode;
  if (!fork || !facts || !at.playing) return null;
  const wanted = fork.stepAt(at.time) + 2 + Math.ceil(2 * at.speed);
  const numSteps = Math.min(mostSteps, wanted + 1 - fork.count);
  let push: Push | null = null;
  if (seen.pull && ready && numSteps > 0) {
    const { link, vector } = seen.pull;
    const factor = (pullStrength * facts.totalMass * facts.controlDt * numSteps) / seen.hall.radius;
    const [x, y, z] = vector;
    push = { row: fork.count, link, impulse: [factor * x, factor * y, factor * z] };
    episode.push(push.link, push.impulse);
  }
  episode.advanceFork(wanted);
  return push;
}

/** Lets a fork come after another one, at most as far, with the pushes that the other got, in order. */
export function trailFork(episode: Episode, leader: Episode, pushes: Push[]): void {
  const { fork, ready } = episode;
  if (!fork || !ready) return;
  while (pushes.length > 0 && pushes[0]!.row < fork.count) pushes.shift(); // before it began
  while (pushes[0]?.row === fork.count) {
    const { link, impulse } = pushes.shift()!;
    episode.push(link, impulse);
  }
  const limit = Math.min(leader.numAsked, pushes[0]?.row ?? Number.POSITIVE_INFINITY);
  episode.advanceFork(limit - 1);
}
