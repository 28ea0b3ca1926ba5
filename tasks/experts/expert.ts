// Experts: scripted controllers that see the simulator's state and solve a task, and the same with the flaws
// that people's demonstrations have. What they do is recorded as actions, so it need not be portable.

import { createRng, type Rng } from "../../sim/rng.ts";
import type { World } from "../../sim/world.ts";

/** A controller of one env; made anew or reset for each episode. */
export interface Expert {
  readonly taskId: string;
  readonly actionSize: number;
  /** Before each episode; everything random in it comes from here. */
  reset(rng: Rng): void;
  /** Writes the action [A] for the state that the world is in. */
  act(world: World, out: Float32Array): void;
}

/** What a demonstrator does worse than the script. */
export interface Flaws {
  /** Share of the longest moves that are made. */
  readonly speed: number;
  /** Standard deviation of what trembles on top of every move, in parts of the longest; it lasts some steps. */
  readonly tremble: number;
  /** Standard deviation of what is added to every move of an episode. */
  readonly drift: number;
  /** Standard deviation of where things are believed to be, in m and for one episode. */
  readonly aim: number;
  /** Chance in a step that a pause begins, in which nothing moves. */
  readonly pauses: number;
  /** Share of the episodes that are hurried: the next thing is begun before the last is done. */
  readonly haste: number;
}

export const flawless: Flaws = { speed: 1, tremble: 0, drift: 0, aim: 0, pauses: 0, haste: 0 };

/** What a script is told for one episode. */
export interface Intent {
  /** Errors of where things are believed to be: along x, y, z in m and about z in rad; 0 for the flawless. */
  readonly aim: Float64Array;
  /** What tolerances are multiplied by before the next thing is begun; 1, or more in haste. */
  slack: number;
}

/** Writes the move that leads on from this state. Depends on nothing else: that is what cloning can learn. */
export type Script = (world: World, intent: Intent, out: Float32Array) => void;

const trembleMemory = 0.8; // share of a tremble that is left in the next step
const pauseLength = [4, 12] as const; // steps
const hasteSlack = 2.5;
const aimTurn = 8; // rad of error for each m

/** A script with flaws. `held` are the action's elements that say how something is kept, such as fingers. */
export function demonstrator(
  taskId: string,
  script: Script,
  flaws: Flaws,
  actionSize: number,
  held: readonly number[],
): Expert {
  const intent: Intent = { aim: new Float64Array(4), slack: 1 };
  const tremble = new Float64Array(actionSize);
  const drift = new Float64Array(actionSize);
  const last = new Float32Array(actionSize);
  let rng = createRng(0);
  let paused = 0;
  return {
    taskId,
    actionSize,
    reset(from) {
      rng = from.split("expert");
      paused = 0;
      tremble.fill(0);
      last.fill(0);
      for (const i of held) last[i] = -1;
      for (let i = 0; i < actionSize; i++) drift[i] = flaws.drift * rng.normal();
      for (let k = 0; k < 4; k++)
        intent.aim[k] = flaws.aim * rng.normal() * (k === 3 ? aimTurn : 1);
      intent.slack = rng.uniform() < flaws.haste ? hasteSlack : 1;
    },
    act(world, out) {
      script(world, intent, out);
      if (paused === 0 && rng.uniform() < flaws.pauses)
        paused = pauseLength[0] + rng.integer(pauseLength[1] - pauseLength[0]);
      const still = paused > 0;
      if (still) paused--;
      const fresh = flaws.tremble * Math.sqrt(1 - trembleMemory * trembleMemory);
      for (let i = 0; i < actionSize; i++) {
        tremble[i] = trembleMemory * tremble[i]! + fresh * rng.normal();
        if (held.includes(i)) {
          if (still) out[i] = last[i]!;
        } else {
          const move = still ? 0 : flaws.speed * out[i]! + drift[i]!;
          out[i] = Math.min(1, Math.max(-1, move + tremble[i]!));
        }
        last[i] = out[i]!;
      }
    },
  };
}
