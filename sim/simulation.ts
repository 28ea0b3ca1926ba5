// Simulation: one Rapier world with one or many robots that never meet, stepped together.

import {
  type Assembly,
  assemble,
  assembleScenery,
  createRapierWorld,
  numSelfColliding,
  removeRetired,
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
    const { rapierWorld, anchor } = this.emptyWorld();
    const assemblies = this.assembleAll(rapierWorld, anchor, numWorlds, firstSlot);
    this.shared = {
      ...this.windows(rapierWorld, useMemoryView),
      retired: [],
      settings: this.settings,
      rebuild: numWorlds === 1 ? () => this.adopt(this.emptyWorld().rapierWorld) : null,
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
    removeRetired(shared.rapierWorld, shared.retired);
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
    const { rapierWorld, retired } = this.shared;
    removeRetired(rapierWorld, retired);
    const worlds = this.worlds.map((world) => world.save());
    return { rapier: rapierWorld.takeSnapshot(), worlds };
  }

  /** Goes on from a snapshot of an equal simulation, bit for bit. */
  restore({ rapier, worlds }: Snapshot): void {
    if (worlds.length !== this.worlds.length)
      throw new Error(`a snapshot of ${worlds.length} worlds does not fit ${this.worlds.length}`);
    const restored = this.physics.rapier.World.restoreSnapshot(rapier);
    if (!restored)
      throw new Error("Rapier could not read the snapshot: another version or damaged");
    this.adopt(restored);
    for (const [i, world] of this.worlds.entries()) world.adopt(worlds[i]!);
  }

  /** Frees the WebAssembly memory; the simulation and its worlds are of no use afterwards. */
  free(): void {
    this.shared.rapierWorld.free();
  }

  /** Goes on with another Rapier world. */
  private adopt(rapierWorld: RapierWorld): void {
    const { shared } = this;
    shared.retired.length = 0;
    shared.rapierWorld.free();
    Object.assign(shared, this.windows(rapierWorld, shared.memory !== null));
    shared.stamp++;
  }

  /** A Rapier world and the views of its memory. */
  private windows(rapierWorld: RapierWorld, useMemoryView: boolean) {
    const { memory: all, bodyLayout, colorMasks } = this.physics;
    const memory =
      useMemoryView && bodyLayout ? new BodyMemory(rapierWorld, all, bodyLayout) : null;
    const colors = colorMasks === null ? null : new ColorMasks(rapierWorld, all, colorMasks);
    return { rapierWorld, memory, colors };
  }

  /** A Rapier world with the scenery, and the body that carries it. */
  private emptyWorld() {
    const { physics, plan, settings } = this;
    const rapierWorld = createRapierWorld(physics, settings);
    const anchor: RapierBody = rapierWorld.createRigidBody(physics.rapier.RigidBodyDesc.fixed());
    const geoms = [...(plan.model.scenery ?? []), ...settings.scenery];
    assembleScenery(physics, rapierWorld, anchor, geoms);
    return { rapierWorld, anchor };
  }

  private assembleAll(
    raw: RapierWorld,
    anchor: RapierBody,
    count: number,
    first: number,
  ): Placed[] {
    const { physics, plan, settings } = this;
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
