// A planned robot's joints in a Rapier world: generic ones with limits and a motor row an axis.

import { meetsOwnRobot } from "./colliders.ts";
import type { Vec3 } from "./model.ts";
import type { Rapier, RapierBody, RapierJoint, RapierJointData, RapierWorld } from "./rapier.ts";
import type { CoordinatePlan, JointPlan, RobotPlan } from "./robotPlan.ts";

export interface Joints {
  /** By joint of the plan. */
  readonly joints: readonly RapierJoint[];
  /** Others on the same bodies: dry friction, and joints that only keep links from touching. */
  readonly extras: readonly RapierJoint[];
}

interface Site {
  readonly rapier: Rapier;
  readonly world: RapierWorld;
  readonly plan: RobotPlan;
  readonly bodies: readonly RapierBody[];
  readonly anchor: RapierBody;
  readonly origin: Vec3;
}

/**
 * Joins the bodies; where there is no parent, to the anchor, which stands at the world's zero. Links are kept
 * apart from each other only where `selfCollision` lets them meet.
 */
export function createJoints(
  rapier: Rapier,
  world: RapierWorld,
  plan: RobotPlan,
  bodies: readonly RapierBody[],
  anchor: RapierBody,
  origin: Vec3,
  selfCollision: boolean,
): Joints {
  const site: Site = { rapier, world, plan, bodies, anchor, origin };
  const joints = plan.joints.map((joint) => createJoint(site, joint));
  const rubbing = plan.coordinates.filter(({ frictionLoss }) => frictionLoss > 0);
  const frictions = rubbing.map((coordinate) => createFriction(site, coordinate));
  const separators = selfCollision ? createSeparators(site) : [];
  return { joints, extras: [...frictions, ...separators] };
}

/** A joint in the planned frames that holds these axes. */
function connect(
  { rapier, world, bodies, anchor, origin }: Site,
  joint: JointPlan,
  locked: number,
) {
  const { parentAnchor, anchor: own, parentFrame, frame } = joint;
  const shift = joint.parent < 0 ? origin : ([0, 0, 0] as const);
  const anchor1 = {
    x: parentAnchor[0] + shift[0],
    y: parentAnchor[1] + shift[1],
    z: parentAnchor[2] + shift[2],
  };
  const data = jointData(rapier, anchor1, vector(own), locked);
  const parent = bodies[joint.parent] ?? anchor;
  const created = world.createImpulseJoint(data, parent, bodies[joint.body]!, false);
  created.setFrameX1(quaternion(parentFrame));
  created.setFrameX2(quaternion(frame));
  created.setContactsEnabled(false);
  return created;
}

/**
 * A generic joint in the axes of x. Rapier's own conversion leaves the axis behind in WebAssembly memory, 32
 * bytes a joint that is made; this one frees it.
 */
function jointData(rapier: Rapier, anchor1: Xyz, anchor2: Xyz, locked: number): RapierJointData {
  const { JointData, VectorOps } = rapier;
  const x = { x: 1, y: 0, z: 0 };
  const data = JointData.generic(anchor1, anchor2, x, locked);
  data.intoRaw = () => {
    const [first, second, axis] = [anchor1, anchor2, x].map((each) => VectorOps.intoRaw(each));
    const sample = JointData.spherical(anchor1, anchor2).intoRaw(); // its class is not exported
    const raw = (sample.constructor as unknown as RawJoints).generic(
      first!,
      second!,
      axis!,
      locked,
    );
    for (const each of [sample, first!, second!, axis!]) each.free();
    return raw;
  };
  return data;
}

type RawJoint = ReturnType<RapierJointData["intoRaw"]>;
type RawVector = ReturnType<Rapier["VectorOps"]["intoRaw"]>;
interface RawJoints {
  generic(anchor1: RawVector, anchor2: RawVector, axis: RawVector, locked: number): RawJoint;
}

function createJoint(site: Site, joint: JointPlan): RapierJoint {
  const created = connect(site, joint, lockedAxes[joint.kind]);
  const raw = site.world.impulseJoints.raw;
  for (let i = 0; i < joint.numCoordinates; i++) {
    const { axis, low, high, sign, reference } = site.plan.coordinates[joint.firstCoordinate + i]!;
    raw.jointConfigureMotorModel(created.handle, axis, forceBased);
    if (!Number.isFinite(low) && !Number.isFinite(high)) continue;
    const widest = axis < 3 ? 1e6 : Math.PI; // where only one side is limited
    const ends = [sign * (low - reference), sign * (high - reference)] as const;
    const [least, most] = sign > 0 ? ends : ([ends[1], ends[0]] as const);
    raw.jointSetLimits(created.handle, axis, Math.max(least, -widest), Math.min(most, widest));
  }
  return created;
}

/** Dry friction: a brake that wants rest and is no stronger than the friction. */
function createFriction(site: Site, { joint, axis, frictionLoss }: CoordinatePlan): RapierJoint {
  const created = connect(site, site.plan.joints[joint]!, free);
  const raw = site.world.impulseJoints.raw;
  raw.jointConfigureMotorModel(created.handle, axis, forceBased);
  raw.jointConfigureMotor(created.handle, axis, 0, 0, 0, brakeDamping);
  raw.jointSetMotorMaxForce(created.handle, axis, frictionLoss);
  return created;
}

const brakeDamping = 1e6; // N m s/rad or N s/m; at any speed worth the name more than friction
const forceBased = 1; // RawMotorModel.ForceBased, a type without a value

// Bits 1, 2, 4 lock sliding along x, y, z, bits 8, 16, 32 turning about them.
const free = 0 as number;
const lockedAxes = { hinge: 55, slide: 62, ball: 7, planar: 49, weld: 63 } as const;

/**
 * Links that must never touch, although no joint joins their bodies, get one that holds nothing; but only
 * where their colliders could meet, since it costs time in every substep: five were 9 % of a humanoid's.
 */
function createSeparators({ rapier, world, plan, bodies }: Site): RapierJoint[] {
  const { model, bodyOfLink } = plan;
  const indexOf = (name: string): number => model.links.findIndex((link) => link.name === name);
  const pairs = (model.contactExclusions ?? []).map(([a, b]) => [indexOf(a), indexOf(b)] as const);
  for (const [index, link] of model.links.entries()) {
    // A chain's first body hangs between a link and its parent.
    if (link.parent !== null && link.joints.length > 1) pairs.push([indexOf(link.parent), index]);
  }
  if (pairs.some(([a, b]) => a < 0 || b < 0))
    throw new Error(`model "${model.name}" excludes contacts of an unknown link`);
  const meets = (link: number) => model.links[link]!.geoms.some((g) => meetsOwnRobot(model, g));
  return pairs
    .filter(([a, b]) => meets(a) && meets(b))
    .map(([a, b]) => {
      const zero = vector([0, 0, 0]);
      const none = jointData(rapier, zero, zero, free);
      const [first, second] = [bodies[bodyOfLink[a]!]!, bodies[bodyOfLink[b]!]!];
      const joint = world.createImpulseJoint(none, first, second, false);
      joint.setContactsEnabled(false);
      return joint;
    });
}

interface Xyz {
  readonly x: number;
  readonly y: number;
  readonly z: number;
}

export function vector([x, y, z]: Vec3): Xyz {
  return { x, y, z };
}

export function quaternion(q: readonly [number, number, number, number]) {
  return { x: q[0], y: q[1], z: q[2], w: q[3] };
}
