// Drives a fork along with the clock, and lets the mouse pull the robot on the way.

import type { Episode } from "./episode.ts";
import type { Player } from "./player.ts";
import type { Theatre } from "./theatre.ts";

const pullStrength = 30; // m/s² for a pull as long as the robot is large
const mostSteps = 8; // that one request may ask for

/** Asks for the steps that will be shown next; the pull is an impulse before the first of them. */
export function driveFork(episode: Episode, at: Player, seen: Theatre | null): void {
  const { fork, facts, ready } = episode;
  if (!fork || !facts || !at.playing) return;
  const wanted = fork.stepAt(at.time) + 2 + Math.ceil(2 * at.speed);
  const numSteps = Math.min(mostSteps, wanted + 1 - fork.count);
  if (seen?.pull && ready && numSteps > 0) {
    const { link, vector } = seen.pull;
    const factor = (pullStrength * facts.totalMass * facts.controlDt * numSteps) / seen.hall.radius;
    episode.push(link, [factor * vector[0], factor * vector[1], factor * vector[2]]);
  }
  episode.advanceFork(wanted);
}
