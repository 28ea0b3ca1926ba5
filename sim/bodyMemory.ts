// A view of Rapier's rigid bodies in WebAssembly memory: all states at once, without a call a number.
//
// The layout is Rust's private business and differs from build to build, so it is measured: a scratch
// world's bodies get marker values, the memory is searched for them, and what is found must agree with
// the getters after more worlds, steps and removals. Otherwise there is no view and getters are used.

import type { Rapier, RapierBody, RapierWorld } from "./rapier.ts";

/** Offsets in 32-bit words: `arena` from the body set's pointer, fields from a body's start. */
export interface BodyLayout {
  readonly arena: number;
  /** From one body to the next. */
  readonly stride: number;
  readonly translation: number;
  readonly rotation: number;
  readonly linearVelocity: number;
  readonly angularVelocity: number;
  readonly force: number;
  readonly torque: number;
}

const fields = [
  "translation",
  "rotation",
  "linearVelocity",
  "angularVelocity",
  "force",
  "torque",
] as const;
type Field = (typeof fields)[number];

/** The window onto one world's bodies; `refresh` after whatever may have moved or grown the memory. */
export class BodyMemory {
  /** The whole memory; body k begins at word `start + k × layout.stride`. A view, until `refresh`. */
  words: Float32Array;
  start = 0;
  readonly layout: BodyLayout;
  private readonly memory: WebAssembly.Memory;
  private readonly setPointer: number;
  private integers: Uint32Array;

  constructor(world: RapierWorld, memory: WebAssembly.Memory, layout: BodyLayout) {
    this.memory = memory;
    this.layout = layout;
    this.setPointer = bodySetPointer(world) >>> 2;
    this.words = new Float32Array(memory.buffer);
    this.integers = new Uint32Array(memory.buffer);
    this.refresh();
  }

  refresh(): void {
    if (this.words.buffer !== this.memory.buffer) {
      this.words = new Float32Array(this.memory.buffer);
      this.integers = new Uint32Array(this.memory.buffer);
    }
    this.start = this.integers[this.setPointer + this.layout.arena]! >>> 2;
  }
}

const handleDouble = new Float64Array(1);
const handleWords = new Uint32Array(handleDouble.buffer);

/** A body's place in the arena: the low half of its handle. */
export function arenaIndex(handle: number): number {
  handleDouble[0] = handle;
  return handleWords[0]!;
}

/**
 * A handle as two whole numbers, its place and its generation: a handle itself is a denormal number,
 * which a thread that flushes those can't pass on.
 */
export function handleParts(handle: number): [place: number, generation: number] {
  handleDouble[0] = handle;
  return [handleWords[0]!, handleWords[1]!];
}

/** The handle of a place and a generation. */
export function handleOf([place, generation]: readonly [number, number]): number {
  handleWords[0] = place;
  handleWords[1] = generation;
  return handleDouble[0]!;
}

/** The layout of this build, or null where the measurement is not beyond doubt. */
export function measureBodyLayout(rapier: Rapier, memory: WebAssembly.Memory): BodyLayout | null {
  const world = scratchWorld(rapier, 5);
  const found = findLayout(world, memory);
  world.free();
  if (!found) return null;
  for (const numBodies of [1, 12, 60]) {
    const other = scratchWorld(rapier, numBodies);
    const agrees = verify(other, memory, found);
    other.free();
    if (!agrees) return null;
  }
  return found;
}

/** wasm-bindgen keeps the address of the Rust object in this field. */
function bodySetPointer(world: RapierWorld): number {
  const raw: object = world.bodies.raw;
  return (raw as { readonly __wbg_ptr?: number }).__wbg_ptr ?? 0;
}

/** Bodies whose every number is different, with centres of mass away from their origins. */
function scratchWorld(rapier: Rapier, numBodies: number): RapierWorld {
  const world = new rapier.World({ x: 0, y: 0, z: -9.81 });
  for (let k = 0; k < numBodies; k++) {
    const m = 1 + k / 64;
    const norm = Math.sqrt(1 + 4 * m * m + 9 + 16);
    const body = world.createRigidBody(
      rapier.RigidBodyDesc.dynamic()
        .setTranslation(31.4 * m, -17.9 * m, 50.3 * m)
        .setRotation({ x: 1 / norm, y: (2 * m) / norm, z: 3 / norm, w: 4 / norm })
        .setLinvel(2.7 * m, -3.9 * m, 5.3 * m)
        .setAngvel({ x: 0.37 * m, y: -0.71 * m, z: 0.93 * m })
        .setAdditionalMassProperties(
          1 + m,
          { x: 0.11 * m, y: -0.23, z: 0.31 },
          { x: 0.5 * m, y: 0.6, z: 0.7 },
          { x: 0, y: 0, z: 0, w: 1 },
        )
        .setCanSleep(false),
    );
    body.addForce({ x: 0.117 * m, y: -0.213 * m, z: 0.331 * m }, true);
    body.addTorque({ x: 0.0171 * m, y: -0.0292 * m, z: 0.0383 * m }, true);
  }
  return world;
}

function bodiesOf(world: RapierWorld): RapierBody[] {
  const bodies: RapierBody[] = [];
  world.forEachRigidBody((body) => bodies.push(body));
  return bodies;
}

function valuesOf(body: RapierBody, field: Field): number[] {
  if (field === "rotation") {
    const { x, y, z, w } = body.rotation();
    return [x, y, z, w];
  }
  const { x, y, z } =
    field === "translation"
      ? body.translation()
      : field === "linearVelocity"
        ? body.linvel()
        : field === "angularVelocity"
          ? body.angvel()
          : field === "force"
            ? body.userForce()
            : body.userTorque();
  return [x, y, z];
}

/** Word addresses, in the whole memory, at which these consecutive numbers stand. */
function occurrences(words: Float32Array, values: readonly number[]): number[] {
  const first = Math.fround(values[0]!);
  const found: number[] = [];
  for (let at = words.indexOf(first); at >= 0; at = words.indexOf(first, at + 1))
    if (values.every((value, i) => words[at + i] === Math.fround(value))) found.push(at);
  return found;
}

function findLayout(world: RapierWorld, memory: WebAssembly.Memory): BodyLayout | null {
  const bodies = bodiesOf(world);
  const words = new Float32Array(memory.buffer);
  const places = new Map<Field, number[][]>(
    fields.map((field) => [field, bodies.map((body) => occurrences(words, valuesOf(body, field)))]),
  );
  const integers = new Uint32Array(memory.buffer);
  const setPointer = bodySetPointer(world) >>> 2;
  for (const stride of strides(places.get("linearVelocity")!)) {
    for (let arena = 0; arena < maxHeaderWords; arena++) {
      const start = integers[setPointer + arena]! / 4;
      const offsets = fields.map((field) => fieldOffset(places.get(field)!, start, stride));
      if (offsets.some((offset) => offset === undefined)) continue;
      const [translation, rotation, linearVelocity, angularVelocity, force, torque] =
        offsets as number[];
      const layout = { arena, stride, translation, rotation, linearVelocity, angularVelocity };
      return { ...layout, force, torque } as BodyLayout;
    }
  }
  return null;
}

const maxHeaderWords = 256; // the set also holds one whole body
const maxStride = 512; // words; bodies take 112 to 116 in the known builds

/** Distances that lead from body to body through every body. */
function strides(places: readonly (readonly number[])[]): number[] {
  const found: number[] = [];
  for (const first of places[0]!) {
    for (const second of places[1]!) {
      const stride = second - first;
      if (stride <= 0 || stride > maxStride || found.includes(stride)) continue;
      if (places.every((each, k) => each.includes(first + k * stride))) found.push(stride);
    }
  }
  return found;
}

/** The first offset from `start` at which every body has this field. */
function fieldOffset(
  places: readonly (readonly number[])[],
  start: number,
  stride: number,
): number | undefined {
  const offsets = places[0]!.map((place) => place - start);
  return offsets.find(
    (offset) =>
      offset >= 0 &&
      offset < stride &&
      places.every((each, k) => each.includes(start + k * stride + offset)),
  );
}

/** Whether the view equals the getters in a fresh world, after steps, setters, writes and a removal. */
function verify(world: RapierWorld, memory: WebAssembly.Memory, layout: BodyLayout): boolean {
  const view = new BodyMemory(world, memory, layout);
  if (!agrees(world, view)) return false;
  for (let i = 0; i < 3; i++) world.step();
  if (!agrees(world, view)) return false;
  const bodies = bodiesOf(world);
  const first = bodies[0]!;
  first.setTranslation({ x: 1, y: 2, z: 3 }, true);
  first.setLinvel({ x: -4, y: 5, z: -6 }, true);
  if (!agrees(world, view)) return false;
  const torqueAt = view.start + arenaIndex(first.handle) * layout.stride + layout.torque;
  view.words[torqueAt] = 7.25;
  if (first.userTorque().x !== 7.25) return false;
  if (bodies.length > 2) world.removeRigidBody(bodies[1]!);
  world.step();
  return agrees(world, view);
}

function agrees(world: RapierWorld, view: BodyMemory): boolean {
  view.refresh();
  return bodiesOf(world).every((body) => {
    const at = view.start + arenaIndex(body.handle) * view.layout.stride;
    return fields.every((field) =>
      valuesOf(body, field).every((value, i) => view.words[at + view.layout[field] + i] === value),
    );
  });
}
