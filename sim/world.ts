// World: what a task sees. One robot, its loose parts and its scenery, alone or in a shared simulation.
//
// Positions are relative to the world's origin. Arrays are views, valid until the next step or reset.

import {
  type Assembly,
  buildParts,
  findParts,
  type Handles,
  handlesOf,
  renewColliders,
  renewJoints,
} from "./assemble.ts";
import { BodyReader } from "./bodyReader.ts";
import { type ContactReader, createContactReader } from "./contacts.ts";
import { type Drives, driveForces, MotorRows, Torques } from "./drives.ts";
import { stateStride } from "./kinematics.ts";
import type { RobotModel, Vec3 } from "./model.ts";
import { planFriction, scaleMasses } from "./randomize.ts";
import type { RobotPlan } from "./robotPlan.ts";
import { createSensors, type Sensors } from "./sensors.ts";
import type { Shared } from "./shared.ts";
import { createStartState, type StartState } from "./worldArrays.ts";

/** A world's part of a snapshot. */
export interface SavedWorld {
  readonly time: number;
  readonly controls: readonly number[];
  readonly handles: Handles;
  readonly memory: readonly number[];
  readonly frictionScale: number;
  /** Missing in older states, where it was drawn again before it mattered. */
  readonly massScale?: number;
  readonly level: number;
}

export interface WorldOptions {
  /** Where it stands in the Rapier world. */
  readonly origin: Vec3;
  /** Numbers in `memory`. */
  readonly memorySize: number;
}

export class World {
  readonly model: RobotModel;
  readonly plan: RobotPlan;
  readonly origin: Vec3;
  readonly start: StartState;
  readonly drives: Drives;
  readonly contacts: ContactReader;
  readonly sensors: Sensors;
  readonly assembly: Assembly;
  /** What its task remembers from step to step: targets, commands, the last action. */
  readonly memory: Float64Array;
  /** Seconds since the reset. */
  time = 0;
  /** What the robot's friction is multiplied by, set by `scaleFriction`. */
  frictionScale = 1;
  /** What its masses are multiplied by, set by `scaleMasses`. */
  massScale = 1;
  /** Difficulty of the running episode, from 0 to 1, of tasks that have levels. */
  level = 1;
  private readonly shared: Shared;
  private readonly reader: BodyReader;
  private readonly forces: Float64Array;

  constructor(
    plan: RobotPlan,
    shared: Shared,
    assembly: Assembly,
    { origin, memorySize }: WorldOptions,
  ) {
    this.model = plan.model;
    this.plan = plan;
    this.shared = shared;
    this.assembly = assembly;
    this.origin = origin;
    this.memory = new Float64Array(memorySize);
    this.reader = new BodyReader(plan, shared, assembly, origin);
    this.forces = new Float64Array(plan.coordinates.length);
    this.start = createStartState(plan);
    this.drives =
      shared.settings.actuation === "rows"
        ? new MotorRows(plan, shared, assembly)
        : new Torques(plan, assembly, shared, this.reader);
    this.contacts = createContactReader(this, shared);
    this.sensors = createSensors(this, shared);
    this.zeroStart();
    this.place();
  }

  /** Index of a coordinate: a hinge's or slide's name, or a ball's with ":x", ":y", ":z". */
  jointIndex(name: string): number {
    return indexOf("joint", name, this.plan.coordinates);
  }

  linkIndex(name: string): number {
    return indexOf("link", name, this.model.links);
  }

  actuatorIndex(name: string): number {
    return indexOf("actuator", name, this.model.actuators);
  }

  /** Angles in (−π, π] and lengths, by coordinate. */
  get jointPositions(): Float64Array {
    return this.reader.sync().values;
  }

  get jointVelocities(): Float64Array {
    return this.reader.sync().rates;
  }

  /** What the actuators apply to the coordinates now, in N m or N. */
  get jointTorques(): Float64Array {
    const { values, rates } = this.reader.sync();
    driveForces(this.plan, this.drives, values, rates, this.forces);
    return this.forces;
  }

  /** Origins of the links' frames, [links, 3]. */
  get linkPositions(): Float64Array {
    return this.reader.links().positions;
  }

  /** [links, 4] */
  get linkRotations(): Float64Array {
    return this.reader.links().rotations;
  }

  /** Velocities of the links' centres of mass, [links, 3]. */
  get linkVelocities(): Float64Array {
    return this.reader.links().velocities;
  }

  /** In the world's axes, [links, 3]. */
  get linkAngularVelocities(): Float64Array {
    return this.reader.links().angularVelocities;
  }

  /** [links, 3] */
  get linkCenters(): Float64Array {
    return this.reader.links().centers;
  }

  /** Sets the actuators' controls from an action in [−1, 1]; numbers outside are clamped. */
  setControls(action: ArrayLike<number>): void {
    const { controls } = this.drives;
    for (let i = 0; i < controls.length; i++)
      controls[i] = Math.min(1, Math.max(-1, Math.fround(action[i]!))) + 0; // JSON knows no −0
    this.drives.apply();
  }

  /** Makes `start` the model's zero pose at rest, and the task's memory zeros. */
  zeroStart(): void {
    this.memory.fill(0);
    const { positions, velocities, freePoses, freeVelocities } = this.start;
    for (const [c, { reference }] of this.plan.coordinates.entries()) positions[c] = reference;
    velocities.fill(0);
    freeVelocities.fill(0);
    for (const [l, body] of this.plan.bodyOfLink.entries()) {
      const { position, rotation } = this.plan.bodies[body]!;
      freePoses.set([...position, ...rotation], 7 * l);
    }
  }

  /** Puts every body where `start` says, forgets forces, controls and time. */
  place(): void {
    if (this.shared.rebuild) this.buildAnew(this.shared.rebuild);
    this.placeBodies();
    if (!this.shared.rebuild) this.renewParts(); // a collider must not be made where a lost body is
    this.contacts.renew();
    this.shared.stamp++;
    this.time = 0;
    this.drives.controls.fill(0);
    this.drives.apply();
    this.sensors.reset();
  }

  private placeBodies(): void {
    const { states } = this.reader;
    for (const [l, link] of this.model.links.entries()) {
      if (link.joints[0]?.type !== "free") continue;
      const at = this.plan.bodyOfLink[l]! * stateStride;
      states.states.set(this.start.freePoses.subarray(7 * l, 7 * l + 7), at);
      states.states.set(this.start.freeVelocities.subarray(6 * l, 6 * l + 6), at + 7);
    }
    states.place(this.start.positions, this.start.velocities);
    const [ox, oy, oz] = this.origin;
    for (const [k, body] of this.assembly.bodies.entries()) {
      const s = states.states.subarray(k * stateStride, (k + 1) * stateStride);
      if (!body.isEnabled()) body.setEnabled(true);
      body.setTranslation({ x: s[0]! + ox, y: s[1]! + oy, z: s[2]! + oz }, false);
      body.setRotation({ x: s[3]!, y: s[4]!, z: s[5]!, w: s[6]! }, false);
      body.setLinvel({ x: s[7]!, y: s[8]!, z: s[9]! }, false);
      body.setAngvel({ x: s[10]!, y: s[11]!, z: s[12]! }, false);
      body.resetForces(false);
      body.resetTorques(false);
    }
  }

  private buildAnew(rebuild: () => void): void {
    rebuild();
    buildParts(this.shared.rapierWorld, this.assembly);
    if (this.massScale !== 1) scaleMasses(this, this.massScale);
    this.drives.renew();
  }

  /** Leaves nothing of the past in a world that goes on for others: no contact, no solver's colour, no order. */
  private renewParts(): void {
    const { shared, assembly } = this;
    renewColliders(shared.rapierWorld, assembly, shared.retired);
    for (const place of this.reader.places) shared.colors?.clear(place);
    if (!shared.settings.selfCollision) return;
    renewJoints(shared.rapierWorld, assembly);
    this.drives.renew();
  }

  /** Finds its parts in the simulation's new Rapier world, after a snapshot was restored. */
  adopt(saved: SavedWorld): void {
    findParts(this.shared.rapierWorld, this.assembly, saved.handles);
    this.drives.renew();
    this.contacts.renew();
    this.time = saved.time;
    this.memory.set(saved.memory);
    this.level = saved.level;
    this.massScale = saved.massScale ?? 1;
    planFriction(this, saved.frictionScale);
    this.drives.controls.set(saved.controls);
    this.drives.apply();
    this.sensors.reset();
  }

  /** What `adopt` needs beside the Rapier world; fresh. */
  save(): SavedWorld {
    const { time, frictionScale, massScale, level } = this;
    const controls = Array.from(this.drives.controls);
    const memory = Array.from(this.memory);
    const handles = handlesOf(this.assembly);
    return { time, controls, handles, memory, frictionScale, massScale, level };
  }

  /** Whether every body still moves: Rapier switches off one whose state is no longer finite. */
  get healthy(): boolean {
    for (let k = 0; k < this.assembly.bodies.length; k++)
      if (!this.assembly.bodies[k]!.isEnabled()) return false;
    return true;
  }

  /** An impulse in N s on a link's centre of mass, for pushes. */
  push(link: number, [x, y, z]: Vec3): void {
    const body = this.assembly.bodies[this.plan.bodyOfLink[link]!]!;
    body.applyImpulse({ x, y, z }, false);
    this.shared.stamp++;
  }
}

function indexOf(what: string, name: string, all: readonly { readonly name: string }[]): number {
  const index = all.findIndex((each) => each.name === name);
  if (index < 0)
    throw new Error(`unknown ${what} "${name}"; known: ${all.map((each) => each.name).join(", ")}`);
  return index;
}
