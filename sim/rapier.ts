// The one door to Rapier: loads one of its three builds and says exactly which physics that is.
//
// A WebAssembly module is loaded once a thread; a Rust panic poisons it for good, so whoever meets one
// ends the thread. Nothing else in Salle imports the packages.

import type { BodyLayout } from "./bodyMemory.ts";
import { measureBodyLayout } from "./bodyMemory.ts";
import { measureColorMasks } from "./colorMasks.ts";
import { checkDenormals } from "./nursery.ts";
import { sha256 } from "./sha256.ts";

export type Rapier = typeof import("@dimforge/rapier3d-compat");
export type {
  Collider as RapierCollider,
  ColliderDesc as RapierColliderDesc,
  ImpulseJoint as RapierJoint,
  JointData as RapierJointData,
  RigidBody as RapierBody,
  TempContactManifold as RapierManifold,
  World as RapierWorld,
} from "@dimforge/rapier3d-compat";

/** simd is fastest, compat runs everywhere, deterministic promises equal bits on every processor. */
export const physicsBuilds = ["simd", "compat", "deterministic"] as const;
export type PhysicsBuild = (typeof physicsBuilds)[number];

/** What a recording or a run says about the physics it was made with. */
export interface PhysicsVersion {
  readonly build: PhysicsBuild;
  /** The package's version. */
  readonly version: string;
  /** SHA-256 of the WebAssembly module's bytes, in hexadecimal. */
  readonly wasmHash: string;
}

/** A loaded build. */
export interface Physics extends PhysicsVersion {
  readonly rapier: Rapier;
  readonly memory: WebAssembly.Memory;
  /** Where bodies lie in `memory`; null where that could not be verified and getters are used. */
  readonly bodyLayout: BodyLayout | null;
  /** Where the masks of solver colours lie; null where unknown, and a long used world then differs from a fresh one. */
  readonly colorMasks: number | null;
}

const loaded = new Map<PhysicsBuild, Promise<Physics>>();

/** The named build, loaded at the first call; `defaultBuild()` where none is named. */
export function loadPhysics(build: PhysicsBuild = defaultBuild()): Promise<Physics> {
  let physics = loaded.get(build);
  if (!physics) {
    physics = queue.then(() => load(build));
    queue = physics.then(
      () => undefined,
      () => undefined,
    );
    loaded.set(build, physics);
  }
  return physics;
}

// One after another: each load watches WebAssembly.instantiate for its own module.
let queue: Promise<unknown> = Promise.resolve();

/** simd where the engine has it, else compat. */
export function defaultBuild(): PhysicsBuild {
  return WebAssembly.validate(simdProbe) ? "simd" : "compat";
}

/** The build that a setting names. */
export function physicsBuildNamed(name: string): PhysicsBuild {
  const build = physicsBuilds.find((known) => known === name);
  if (!build)
    throw new Error(`unknown physics build "${name}"; known: ${physicsBuilds.join(", ")}`);
  return build;
}

async function load(build: PhysicsBuild): Promise<Physics> {
  checkDenormals();
  const rapier = await importBuild(build);
  const { bytes, instance } = await captured(() => rapier.init());
  const memory = instance.exports["memory"];
  if (!(memory instanceof WebAssembly.Memory))
    throw new Error(`the ${build} build of Rapier exports no memory`);
  return {
    build,
    version: rapier.version(),
    wasmHash: await hashOf(bytes),
    rapier,
    memory,
    bodyLayout: measureBodyLayout(rapier, memory),
    colorMasks: measureColorMasks(rapier, memory),
  };
}

/** The packages have one interface; where newer ones differ, sim/ uses what all have. */
async function importBuild(build: PhysicsBuild): Promise<Rapier> {
  if (build === "compat") return import("@dimforge/rapier3d-compat");
  if (build === "deterministic")
    return (await import("@dimforge/rapier3d-deterministic-compat")) as unknown as Rapier;
  return (await import("@dimforge/rapier3d-simd-compat")) as unknown as Rapier;
}

interface Captured {
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly instance: WebAssembly.Instance;
}

/** Runs an initialiser that keeps its module to itself, and returns what it instantiated. */
async function captured(initialise: () => Promise<void>): Promise<Captured> {
  const original = WebAssembly.instantiate;
  let seen: Captured | undefined;
  const watch = async (
    source: BufferSource | WebAssembly.Module,
    imports?: WebAssembly.Imports,
  ) => {
    // Node loads a module of its own meanwhile; only Rapier's has this function.
    if (source instanceof WebAssembly.Module) return original(source, imports);
    const result = await original(source, imports);
    if ("rawrigidbodyset_new" in result.instance.exports)
      seen = { bytes: copyOf(source), instance: result.instance };
    return result;
  };
  WebAssembly.instantiate = watch as typeof WebAssembly.instantiate;
  try {
    await initialise();
  } finally {
    WebAssembly.instantiate = original;
  }
  if (!seen) throw new Error("Rapier instantiated no WebAssembly module that could be watched");
  return seen;
}

function copyOf(source: BufferSource): Uint8Array<ArrayBuffer> {
  if (ArrayBuffer.isView(source))
    return new Uint8Array(new Uint8Array(source.buffer, source.byteOffset, source.byteLength));
  return new Uint8Array(source);
}

async function hashOf(bytes: Uint8Array<ArrayBuffer>): Promise<string> {
  // Browsers keep theirs from pages that came over http:// from another machine.
  if (typeof crypto === "undefined" || !crypto.subtle) return sha256(bytes);
  const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", bytes));
  return Array.from(digest, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

// A module whose one function makes a 128-bit constant.
const simdProbe = new Uint8Array([
  0, 97, 115, 109, 1, 0, 0, 0, 1, 5, 1, 96, 0, 1, 123, 3, 2, 1, 0, 10, 10, 1, 8, 0, 65, 0, 253, 15,
  253, 98, 11,
]);
