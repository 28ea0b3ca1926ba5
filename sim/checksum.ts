// Checksums of robots' states: eight hexadecimal digits, equal wherever the bits are.

import { floatHash } from "./hash.ts";
import type { RapierBody } from "./rapier.ts";
import type { World } from "./world.ts";

/** Of the poses and velocities of some worlds' bodies. */
export function worldsHash(worlds: readonly World[]): string {
  return floatHash((add) => {
    for (const { assembly } of worlds) for (const body of assembly.bodies) addBody(body, add);
  });
}

/** Of one robot, wherever it stands: a world of one's `Simulation.hash()`. */
export function worldHash(world: World): string {
  return worldsHash([world]);
}

/** A checksum as one unsigned 32-bit number, for shared memory. */
export function hashToWord(hash: string): number {
  return Number.parseInt(hash, 16);
}

export function wordToHash(word: number): string {
  return word.toString(16).padStart(8, "0");
}

function addBody(body: RapierBody, add: (value: number) => void): void {
  const { x, y, z } = body.translation();
  const r = body.rotation();
  const v = body.linvel();
  const w = body.angvel();
  for (const value of [x, y, z, r.x, r.y, r.z, r.w, v.x, v.y, v.z, w.x, w.y, w.z]) add(value);
}
