// The solver colours that Rapier's contacts hold, by body, in WebAssembly memory: cleared where a robot is reset.
//
// Rapier solves constraints colour by colour, and a body's mask says which its contacts have taken. Removing
// a collider that touches something leaves its bit set for good (Rapier 0.35), so that after some hundred
// resets in touch with the ground constraints would be solved in another order than in a fresh world. Where the
// masks lie is Rust's private business: like the bodies' layout it is measured, and verified, at the start.

import { arenaIndex } from "./bodyMemory.ts";
import type { Rapier, RapierBody, RapierWorld } from "./rapier.ts";

const maskWords = 4; // 128 bits a body
const maxStructWords = 1024;

/** Clears masks of one world's bodies. */
export class ColorMasks {
  private readonly memory: WebAssembly.Memory;
  private readonly vector: number; // word address of the list's pointer

  /** `offset`: words from the narrow phase's address, as measured. */
  constructor(world: RapierWorld, memory: WebAssembly.Memory, offset: number) {
    this.memory = memory;
    this.vector = (narrowPhasePointer(world) >>> 2) + offset;
  }

  /** To be called for a body whose colliders were all removed: none of its contacts is left. */
  clear(body: number): void {
    const words = new Uint32Array(this.memory.buffer);
    if (body >= words[this.vector + 1]!) return; // never touched anything
    const at = (words[this.vector]! >>> 2) + maskWords * body;
    words.fill(0, at, at + maskWords);
  }
}

/** Where the masks' list (pointer, then length) is in the narrow phase, in words; null where that is unclear. */
export function measureColorMasks(rapier: Rapier, memory: WebAssembly.Memory): number | null {
  const found = [2, 5].map((numTouching) => candidates(rapier, memory, numTouching));
  const common = found[0]!.filter((offset) => found[1]!.includes(offset));
  return common.length === 1 ? common[0]! : null;
}

/** Offsets at which there is a list with the masks that a scratch world must have. */
function candidates(rapier: Rapier, memory: WebAssembly.Memory, numTouching: number): number[] {
  const world = new rapier.World({ x: 0, y: 0, z: -9.81 });
  const ground = world.createRigidBody(rapier.RigidBodyDesc.fixed());
  world.createCollider(rapier.ColliderDesc.cuboid(50, 50, 1), ground);
  const bodies: RapierBody[] = [];
  for (let k = 0; k < 2 * numTouching; k++) {
    const height = k % 2 === 0 ? 50 : 1.49; // in the air, on the ground
    const desc = rapier.RigidBodyDesc.dynamic().setTranslation(3 * k - 20, 0, height);
    bodies.push(world.createRigidBody(desc));
    world.createCollider(rapier.ColliderDesc.ball(0.5), bodies[k]!);
  }
  world.step();
  const words = new Uint32Array(memory.buffer);
  const start = narrowPhasePointer(world) >>> 2;
  const wanted = new Uint32Array(maskWords * (arenaIndex(bodies.at(-1)!.handle) + 1));
  for (let k = 1; k < bodies.length; k += 2)
    wanted[maskWords * arenaIndex(bodies[k]!.handle) + maskWords - 1] = 0x80000000; // the last colour
  const found: number[] = [];
  for (let offset = 0; offset < maxStructWords; offset++) {
    const at = words[start + offset]! >>> 2;
    if (words[start + offset + 1] !== wanted.length / maskWords || at === 0) continue;
    if (wanted.every((word, i) => words[at + i] === word)) found.push(offset);
  }
  world.free();
  return found;
}

/** wasm-bindgen keeps the address of the Rust object in this field. */
function narrowPhasePointer(world: RapierWorld): number {
  const raw: object = world.narrowPhase.raw;
  return (raw as { readonly __wbg_ptr?: number }).__wbg_ptr ?? 0;
}
