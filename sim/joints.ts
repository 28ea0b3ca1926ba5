// A planned robot's joints in a Rapier world: generic ones with limits and a motor row an axis.

import type { Vec3 } from "./model.ts";
import type { Rapier, RapierBody, RapierJoint, RapierWorld } from "./rapier.ts";
import type { JointPlan, RobotPlan } from "./robotPlan.ts";

export interface Joints {
  /** By joint of the plan. */
  readonly joints: readonly RapierJoint[];
  readonly separators: readonly RapierJoint[];
}

/** Joins the bodies; where there is no parent, to the anchor, which stands at the world's zero. */
export function createJoints(
  rapier: Rapier,
  world: RapierWorld,
  plan: RobotPlan,
  bodies: readonly RapierBody[],
  anchor: RapierBody,
  origin: Vec3,
): Joints {
  const joints = plan.joints.map((joint) => {
    const parent = bodies[joint.parent] ?? anchor;
    return createJoint(rapier, world, plan, joint, parent, bodies[joint.body]!, origin);
  });
  return { joints, separators: createSeparators(rapier, world, plan, bodies) };
}

function createJoint(
  rapier: Rapier,
  world: RapierWorld,
  plan: RobotPlan,
  joint: JointPlan,
  parent: RapierBody,
  body: RapierBody,
  origin: Vec3,
): RapierJoint {
  const { parentAnchor, anchor } = joint;
  const shift = joint.parent < 0 ? origin : ([0, 0, 0] as const);
  const anchor1 = {
    x: parentAnchor[0] + shift[0],
    y: parentAnchor[1] + shift[1],
    z: parentAnchor[2] + shift[2],
  };
  const data = rapier.JointData.generic(
    anchor1,
    vector(anchor),
    { x: 1, y: 0, z: 0 },
    lockedAxes[joint.kind] as number,
  );
  const created = world.createImpulseJoint(data, parent, body, false);
  created.setFrameX1(quaternion(joint.parentFrame));
  created.setFrameX2(quaternion(joint.frame));
  created.setContactsEnabled(false);
  const raw = world.impulseJoints.raw;
  for (let i = 0; i < joint.numCoordinates; i++) {
    const { axis, low, high, sign, reference } = plan.coordinates[joint.firstCoordinate + i]!;
    raw.jointConfigureMotorModel(created.handle, axis, forceBased);
    if (!Number.isFinite(low) && !Number.isFinite(high)) continue;
    const widest = axis < 3 ? 1e6 : Math.PI; // where only one side is limited
    const ends = [sign * (low - reference), sign * (high - reference)] as const;
    const [least, most] = sign > 0 ? ends : ([ends[1], ends[0]] as const);
    raw.jointSetLimits(created.handle, axis, Math.max(least, -widest), Math.min(most, widest));
  }
  return created;
}

const forceBased = 1; // RawMotorModel.ForceBased, a type without a value

// Bits 1, 2, 4 lock sliding along x, y, z, bits 8, 16, 32 turning about them.
const free = 0 as number;
const lockedAxes = { hinge: 55, slide: 62, ball: 7, planar: 49, weld: 63 } as const;

/** Links that must never touch, although no joint joins their bodies, get one that holds nothing. */
function createSeparators(
  rapier: Rapier,
  world: RapierWorld,
  plan: RobotPlan,
  bodies: readonly RapierBody[],
): RapierJoint[] {
  const { model, bodyOfLink } = plan;
  const indexOf = (name: string): number => model.links.findIndex((link) => link.name === name);
  const pairs = (model.contactExclusions ?? []).map(([a, b]) => [indexOf(a), indexOf(b)] as const);
  for (const [index, link] of model.links.entries()) {
    // A chain's first body hangs between a link and its parent.
    if (link.parent !== null && link.joints.length > 1) pairs.push([indexOf(link.parent), index]);
  }
  return pairs.map(([a, b]) => {
    if (a < 0 || b < 0)
      throw new Error(`model "${model.name}" excludes contacts of an unknown link`);
    const none = rapier.JointData.generic(
      vector([0, 0, 0]),
      vector([0, 0, 0]),
      vector([1, 0, 0]),
      free,
    );
    const [first, second] = [bodies[bodyOfLink[a]!]!, bodies[bodyOfLink[b]!]!];
    const joint = world.createImpulseJoint(none, first, second, false);
    joint.setContactsEnabled(false);
    return joint;
  });
}

export function vector([x, y, z]: Vec3): { x: number; y: number; z: number } {
  return { x, y, z };
}

export function quaternion(q: readonly [number, number, number, number]) {
  return { x: q[0], y: q[1], z: q[2], w: q[3] };
}
