// Numbers that a task keeps for one world from reset to reset.

import type { World } from "../sim/world.ts";

const memories = new WeakMap<World, Float64Array>();

/** The world's numbers; the same array at every call. */
export function memoryOf(world: World, size: number): Float64Array {
  let memory = memories.get(world);
  if (!memory) {
    memory = new Float64Array(size);
    memories.set(world, memory);
  }
  return memory;
}
