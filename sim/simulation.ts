// Simulation: one Rapier world with one or many robots that never meet, stepped together.

import {
  type Assembly,
  assemble,
  assembleScenery,
  createRapierWorld,
  numSelfColliding,
} from "./assemble.ts";
import { BodyMemory } from "./bodyMemory.ts";
import { worldsHash } from "./checksum.ts";
import { ColorMasks } from "./colorMasks.ts";
import type { RobotModel, Vec3 } from "./model.ts";
import { checkDenormals } from "./nursery.ts";
import { type PlanOptions, planDefaults, planRobot } from "./plan.ts";
import type { Physics, RapierBody, RapierWorld } from "./rapier.ts";
import type { RobotPlan } from "./robotPlan.ts";
import { type PhysicsSettings, physicsDefaults } from "./settings.ts";
import type { Shared } from "./shared.ts";
import { type SavedWorld, World } from "./world.ts";

export interface SimulationOptions {
  readonly settings?: Partial<PhysicsSettings>;
  /** 1 where missing. */
  readonly numWorlds?: number;
  /** Where the first world stands among equal ones elsewhere, so that replays stand in the same place. */
  readonly firstSlot?: number;
  readonly plan?: PlanOptions;
  /** Numbers in each world's `memory`; none where missing. */
  readonly memorySize?: number;
  /** false reads bodies through getters even where the memory view works. */
  readonly useMemoryView?: boolean;
}

/** A moment of a simulation, to go on from; plain data. */
export interface Snapshot {
  readonly rapier: Uint8Array;
  readonly worlds: readonly SavedWorld[];
}

export class Simulation {
  readonly physics: Physics;
  readonly settings: PhysicsSettings;
  readonly plan: RobotPlan;
  readonly worlds: readonly World[];
  private readonly shared: Shared;

  constructor(physics: Physics, model: RobotModel, options: SimulationOptions = {}) {
    const { numWorlds = 1, firstSlot = 0, useMemoryView = true, memorySize = 0 } = options;
    this.physics = physics;
    this.settings = { ...physicsDefaults, ...options.settings };
    this.plan = planRobot(model, options.plan ?? planDefaults);
    const rapierWorld = createRapierWorld(physics, this.settings);
    const { memory, bodyLayout } = physics;
    const assemblies = this.assembleAll(rapierWorld, numWorlds, firstSlot);
    this.shared = {
      rapierWorld,
      memory: useMemoryView && bodyLayout ? new BodyMemory(rapierWorld, memory, bodyLayout) : null,
      colors: this.colorMasks(rapierWorld),
      settings: this.settings,
      impulseScale: impulseScaleOf(physics, this.settings),
      stamp: 0,
    };
    this.worlds = assemblies.map(
      ({ assembly, origin }) => new World(this.plan, this.shared, assembly, { origin, memorySize }),
    );
  }

  /** Physics steps, all with the controls that were set last. */
  step(numSteps: number): void {
    checkDenormals(); // a program may have been compiled in this thread meanwhile
    const { shared, worlds } = this;
    for (const world of worlds) world.sensors.beforeSteps();
    for (let i = 0; i < numSteps; i++) {
      for (const world of worlds) world.drives.beforeStep();
      shared.rapierWorld.step();
      shared.stamp++;
    }
    for (const world of worlds) world.time += numSteps * this.settings.timestep;
  }

  /** Eight hexadecimal digits of the poses and velocities of all bodies, equal wherever their bits are. */
  hash(): string {
    return worldsHash(this.worlds);
  }

  /** Everything that `restore` needs; fresh. */
  snapshot(): Snapshot {
    const worlds = this.worlds.map((world) => world.save());
    return { rapier: this.shared.rapierWorld.takeSnapshot(), worlds };
  }

  /** Goes on from a snapshot of an equal simulation, bit for bit. */
  restore({ rapier, worlds }: Snapshot): void {
    if (worlds.length !== this.worlds.length)
      throw new Error(`a snapshot of ${worlds.length} worlds does not fit ${this.worlds.length}`);
    const restored = this.physics.rapier.World.restoreSnapshot(rapier);
    if (!restored)
      throw new Error("Rapier could not read the snapshot: another version or damaged");
    const { shared } = this;
    shared.rapierWorld.free();
    shared.rapierWorld = restored;
    const { memory, bodyLayout } = this.physics;
    if (shared.memory && bodyLayout) shared.memory = new BodyMemory(restored, memory, bodyLayout);
    shared.colors = this.colorMasks(restored);
    shared.stamp++;
    for (const [i, world] of this.worlds.entries()) world.adopt(worlds[i]!);
  }

  /** Frees the WebAssembly memory; the simulation and its worlds are of no use afterwards. */
  free(): void {
    this.shared.rapierWorld.free();
  }

  private colorMasks(rapierWorld: RapierWorld): ColorMasks | null {
    const { memory, colorMasks } = this.physics;
    return colorMasks === null ? null : new ColorMasks(rapierWorld, memory, colorMasks);
  }

  private assembleAll(raw: RapierWorld, count: number, first: number): Placed[] {
    const { physics, plan, settings } = this;
    const anchor: RapierBody = raw.createRigidBody(physics.rapier.RigidBodyDesc.fixed());
    assembleScenery(physics, raw, anchor, [...(plan.model.scenery ?? []), ...settings.scenery]);
    return Array.from({ length: count }, (_, i) => {
      const slot = first + i;
      const origin = originOf(slot, settings);
      return { assembly: assemble(physics, raw, anchor, plan, settings, slot, origin), origin };
    });
  }
}

interface Placed {
  readonly assembly: Assembly;
  readonly origin: Vec3;
}

const placeDistance = 100; // m; further than a robot walks in an episode
const numPlaces = 256; // beyond them, robots stand where others do

/** Robots share one place; only where they would meet do some stand elsewhere. */
function originOf(slot: number, { selfCollision, spacing }: PhysicsSettings): Vec3 {
  if (spacing > 0) return [0, spacing * sideOf(slot % numPlaces), 0];
  return [
    0,
    selfCollision ? placeDistance * sideOf(Math.floor(slot / numSelfColliding) % 8) : 0,
    0,
  ];
}

/** 0, −1, 1, −2, 2, … */
function sideOf(place: number): number {
  return place % 2 === 0 ? place / 2 : -(place + 1) / 2;
}

/** Rapier's 0.20 packages report one substep's impulse too many. */
function impulseScaleOf({ version }: Physics, { solverIterations }: PhysicsSettings): number {
  return version.startsWith("0.20.") ? solverIterations / (solverIterations + 1) : 1;
}
