// Simulation: one Rapier world with one or many robots that never meet, stepped together.

import {
  type Assembly,
  assemble,
  assembleScenery,
  createRapierWorld,
  numSelfColliding,
} from "./assemble.ts";
import { BodyMemory } from "./bodyMemory.ts";
import { floatHash } from "./hash.ts";
import type { RobotModel, Vec3 } from "./model.ts";
import { type PlanOptions, planDefaults, planRobot, type RobotPlan } from "./plan.ts";
import type { Physics, RapierBody, RapierWorld } from "./rapier.ts";
import { type PhysicsSettings, physicsDefaults } from "./settings.ts";
import { type Shared, World } from "./world.ts";

export interface SimulationOptions {
  readonly settings?: Partial<PhysicsSettings>;
  /** 1 where missing. */
  readonly numWorlds?: number;
  /** Where the first world stands among equal ones elsewhere, so that replays stand in the same place. */
  readonly firstSlot?: number;
  readonly plan?: PlanOptions;
  /** false reads bodies through getters even where the memory view works. */
  readonly useMemoryView?: boolean;
}

/** Everything that `restore` needs; plain data. */
export interface Snapshot {
  readonly rapier: Uint8Array;
  readonly worlds: readonly { readonly time: number; readonly controls: readonly number[] }[];
}

export class Simulation {
  readonly physics: Physics;
  readonly settings: PhysicsSettings;
  readonly plan: RobotPlan;
  readonly worlds: readonly World[];
  private readonly shared: Shared & { rapierWorld: RapierWorld };
  private readonly raw: RapierWorld;

  constructor(physics: Physics, model: RobotModel, options: SimulationOptions = {}) {
    const { numWorlds = 1, firstSlot = 0, useMemoryView = true } = options;
    this.physics = physics;
    this.settings = { ...physicsDefaults, ...options.settings };
    this.plan = planRobot(model, options.plan ?? planDefaults);
    this.raw = createRapierWorld(physics, this.settings);
    const { memory, bodyLayout } = physics;
    const assemblies = this.assembleAll(numWorlds, firstSlot);
    this.shared = {
      rapierWorld: this.raw,
      memory: useMemoryView && bodyLayout ? new BodyMemory(this.raw, memory, bodyLayout) : null,
      settings: this.settings,
      impulseScale: impulseScaleOf(physics, this.settings),
      stamp: 0,
    };
    this.worlds = assemblies.map(
      ({ assembly, origin }) => new World(this.plan, this.shared, assembly, origin),
    );
  }

  /** Physics steps, all with the controls that were set last. */
  step(numSteps: number): void {
    const { shared, raw, worlds } = this;
    for (const world of worlds) world.sensors.beforeSteps();
    for (let i = 0; i < numSteps; i++) {
      for (const world of worlds) world.drives.beforeStep();
      raw.step();
      shared.memory?.refresh();
      shared.stamp++;
    }
    for (const world of worlds) world.time += numSteps * this.settings.timestep;
  }

  /** Eight hexadecimal digits of the poses and velocities of all bodies, equal wherever their bits are. */
  hash(): string {
    return floatHash((add) => {
      for (const { assembly } of this.worlds)
        for (const body of assembly.bodies) addBody(body, add);
    });
  }

  snapshot(): Snapshot {
    const worlds = this.worlds.map(({ time, drives }) => {
      return { time, controls: Array.from(drives.controls) };
    });
    return { rapier: this.raw.takeSnapshot(), worlds };
  }

  /** Frees the WebAssembly memory; the simulation and its worlds are of no use afterwards. */
  free(): void {
    this.raw.free();
  }

  private assembleAll(count: number, first: number): { assembly: Assembly; origin: Vec3 }[] {
    const { physics, raw, plan, settings } = this;
    const anchor: RapierBody = raw.createRigidBody(physics.rapier.RigidBodyDesc.fixed());
    assembleScenery(physics, raw, anchor, [...(plan.model.scenery ?? []), ...settings.scenery]);
    return Array.from({ length: count }, (_, i) => {
      const slot = first + i;
      const origin = originOf(slot, settings);
      return { assembly: assemble(physics, raw, anchor, plan, settings, slot, origin), origin };
    });
  }
}

const placeDistance = 100; // m; further than a robot walks in an episode

/** Robots share one place; only where they would meet do some stand elsewhere. */
function originOf(slot: number, { selfCollision }: PhysicsSettings): Vec3 {
  if (!selfCollision) return [0, 0, 0];
  const place = Math.floor(slot / numSelfColliding) % 8;
  return [0, placeDistance * (place % 2 === 0 ? place / 2 : -(place + 1) / 2), 0];
}

/** Rapier's 0.20 packages report one substep's impulse too many. */
function impulseScaleOf({ version }: Physics, { solverIterations }: PhysicsSettings): number {
  return version.startsWith("0.20.") ? solverIterations / (solverIterations + 1) : 1;
}

function addBody(body: RapierBody, add: (value: number) => void): void {
  const { x, y, z } = body.translation();
  const r = body.rotation();
  const v = body.linvel();
  const w = body.angvel();
  for (const value of [x, y, z, r.x, r.y, r.z, r.w, v.x, v.y, v.z, w.x, w.y, w.z]) add(value);
}
