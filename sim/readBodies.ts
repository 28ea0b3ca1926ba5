// Bodies' states from Rapier into flat arrays, through the memory view or body by body.

import type { BodyMemory } from "./bodyMemory.ts";
import { type BodyStates, stateStride } from "./kinematics.ts";
import type { Vec3 } from "./model.ts";
import type { RapierBody } from "./rapier.ts";

/** `places` are the bodies' indices in the arena; positions become relative to `origin`. */
export function readMemory(
  { states }: BodyStates,
  { words, start, layout }: BodyMemory,
  places: Int32Array,
  origin: Vec3,
): void {
  for (let k = 0; k < places.length; k++) {
    const from = start + places[k]! * layout.stride;
    const to = k * stateStride;
    for (let i = 0; i < 3; i++) {
      states[to + i] = words[from + layout.translation + i]! - origin[i]!;
      states[to + 7 + i] = words[from + layout.linearVelocity + i]!;
      states[to + 10 + i] = words[from + layout.angularVelocity + i]!;
    }
    for (let i = 0; i < 4; i++) states[to + 3 + i] = words[from + layout.rotation + i]!;
  }
}

export function readGetters(
  { states }: BodyStates,
  bodies: readonly RapierBody[],
  [ox, oy, oz]: Vec3,
): void {
  for (const [k, body] of bodies.entries()) {
    const p = body.translation();
    const r = body.rotation();
    const v = body.linvel();
    const w = body.angvel();
    const state = [p.x - ox, p.y - oy, p.z - oz, r.x, r.y, r.z, r.w, v.x, v.y, v.z, w.x, w.y, w.z];
    states.set(state, k * stateStride);
  }
}
