// A planned robot as Rapier bodies, colliders and joints, in a world that it may share with others.

import { colliderOf } from "./colliders.ts";
import type { Geom, Vec3 } from "./model.ts";
import type {
  Physics,
  Rapier,
  RapierBody,
  RapierCollider,
  RapierColliderDesc,
  RapierJoint,
  RapierWorld,
} from "./rapier.ts";
import type { JointPlan, RobotPlan } from "./robotPlan.ts";
import type { PhysicsSettings } from "./settings.ts";

/** One robot's parts in a Rapier world. */
export interface Assembly {
  /** By body of the plan. */
  bodies: readonly RapierBody[];
  /** By joint of the plan. */
  joints: readonly RapierJoint[];
  /** Every collider with the link it belongs to and its geom. */
  colliders: readonly AssembledCollider[];
  readonly colliderPlans: readonly ColliderPlan[];
}

export interface ColliderPlan {
  readonly desc: RapierColliderDesc;
  /** Index of the body that carries it. */
  readonly body: number;
  readonly link: number;
  readonly geom: Geom;
}

export interface AssembledCollider {
  readonly collider: RapierCollider;
  readonly link: number;
  readonly geom: Geom;
}

/** A Rapier world with these settings and nothing in it. */
export function createRapierWorld({ rapier }: Physics, settings: PhysicsSettings): RapierWorld {
  const [x, y, z] = settings.gravity;
  const world = new rapier.World({ x, y, z });
  world.timestep = settings.timestep;
  world.numSolverIterations = settings.solverIterations;
  world.numInternalPgsIterations = settings.pgsIterations;
  world.maxCcdSubsteps = 0;
  if (settings.contactFrequency !== null)
    world.integrationParameters.raw.contact_natural_frequency = settings.contactFrequency;
  return world;
}

const sceneryBit = 1;
/** Robots whose links do not meet each other share this bit; the others take one of bits 1 to 14. */
const looseBit = 1 << 15;
export const numSelfColliding = 14;

/** Puts one robot into the world; `slot` tells self-colliding robots apart. */
export function assemble(
  { rapier }: Physics,
  world: RapierWorld,
  anchor: RapierBody,
  plan: RobotPlan,
  settings: PhysicsSettings,
  slot: number,
  origin: Vec3,
): Assembly {
  const bodies = plan.bodies.map(({ inertial, rotorInertia, position, rotation }) => {
    const [x, y, z] = position;
    const [i, j, k] = inertial.moments;
    const moments = { x: i + rotorInertia, y: j + rotorInertia, z: k + rotorInertia };
    const desc = rapier.RigidBodyDesc.dynamic()
      .setTranslation(x + origin[0], y + origin[1], z + origin[2])
      .setRotation(quaternion(rotation))
      .setAdditionalMassProperties(
        inertial.mass,
        vector(inertial.position),
        moments,
        quaternion(inertial.rotation),
      )
      .setCanSleep(false);
    return world.createRigidBody(desc);
  });
  const joints = plan.joints.map((joint) => {
    const parent = bodies[joint.parent] ?? anchor;
    return createJoint(rapier, world, plan, joint, parent, bodies[joint.body]!, origin);
  });
  const colliderPlans = planColliders(rapier, plan, settings, slot);
  const colliders = createColliders(world, bodies, colliderPlans);
  keepApart(rapier, world, plan, bodies);
  for (const body of bodies) body.recomputeMassPropertiesFromColliders(); // else only a step would
  return { bodies, joints, colliders, colliderPlans };
}

/** Makes the colliders anew, so that no contact of the past is remembered. */
export function renewColliders(world: RapierWorld, assembly: Assembly): void {
  for (const { collider } of assembly.colliders) world.removeCollider(collider, false);
  assembly.colliders = createColliders(world, assembly.bodies, assembly.colliderPlans);
}

/** The colliders that stand still, on a fixed body. */
export function assembleScenery(
  { rapier }: Physics,
  world: RapierWorld,
  anchor: RapierBody,
  geoms: readonly Geom[],
): RapierCollider[] {
  const groups = ((sceneryBit << 16) | 0xffff) >>> 0;
  return geoms
    .filter((geom) => groupOf(geom) !== 0 || affinityOf(geom) !== 0)
    .map((geom) =>
      world.createCollider(colliderOf(rapier, geom).setCollisionGroups(groups), anchor),
    );
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

/** The robot's colliders; made anew at every reset, since a pair of them remembers its last contacts. */
function createColliders(
  world: RapierWorld,
  bodies: readonly RapierBody[],
  plans: readonly ColliderPlan[],
): AssembledCollider[] {
  return plans.map(({ desc, body, link, geom }) => {
    return { collider: world.createCollider(desc, bodies[body]!), link, geom };
  });
}

function planColliders(
  rapier: Rapier,
  plan: RobotPlan,
  settings: PhysicsSettings,
  slot: number,
): ColliderPlan[] {
  const { model } = plan;
  const scenery = [...(model.scenery ?? []), ...settings.scenery];
  const geoms = model.links.flatMap((link) => link.geoms);
  const selfBit = 2 << (slot % numSelfColliding);
  return model.links.flatMap((link, index) =>
    link.geoms
      .filter((geom) => groupOf(geom) !== 0 || affinityOf(geom) !== 0)
      .map((geom) => {
        const self = settings.selfCollision && geoms.some((other) => mayTouch(geom, other));
        const meetsScenery = scenery.some((other) => mayTouch(geom, other));
        const filter = (meetsScenery ? sceneryBit : 0) | (self ? selfBit : 0);
        const desc = colliderOf(rapier, geom).setCollisionGroups(
          (((self ? selfBit : looseBit) << 16) | filter) >>> 0,
        );
        // Pairs with this flag are searched for contacts in every step, though no hook is called.
        if (settings.smallParts.includes(link.name))
          desc.setActiveHooks(rapier.ActiveHooks.FILTER_CONTACT_PAIRS);
        return { desc, body: plan.bodyOfLink[index]!, link: index, geom };
      }),
  );
}

/** MuJoCo's rule. */
function mayTouch(a: Geom, b: Geom): boolean {
  return (groupOf(a) & affinityOf(b)) !== 0 || (groupOf(b) & affinityOf(a)) !== 0;
}

const groupOf = (geom: Geom): number => geom.group ?? 1;
const affinityOf = (geom: Geom): number => geom.affinity ?? 1;

/** Links that must never touch, although no joint joins their bodies, get one that holds nothing. */
function keepApart(
  rapier: Rapier,
  world: RapierWorld,
  plan: RobotPlan,
  bodies: readonly RapierBody[],
): void {
  const { model, bodyOfLink } = plan;
  const indexOf = (name: string): number => model.links.findIndex((link) => link.name === name);
  const pairs = (model.contactExclusions ?? []).map(([a, b]) => [indexOf(a), indexOf(b)] as const);
  for (const [index, link] of model.links.entries()) {
    // A chain's first body hangs between a link and its parent.
    if (link.parent !== null && link.joints.length > 1) pairs.push([indexOf(link.parent), index]);
  }
  for (const [a, b] of pairs) {
    if (a < 0 || b < 0)
      throw new Error(`model "${model.name}" excludes contacts of an unknown link`);
    const none = rapier.JointData.generic(
      vector([0, 0, 0]),
      vector([0, 0, 0]),
      vector([1, 0, 0]),
      free,
    );
    const [first, second] = [bodies[bodyOfLink[a]!]!, bodies[bodyOfLink[b]!]!];
    world.createImpulseJoint(none, first, second, false).setContactsEnabled(false);
  }
}

function vector([x, y, z]: Vec3): { x: number; y: number; z: number } {
  return { x, y, z };
}

function quaternion(q: readonly [number, number, number, number]) {
  return { x: q[0], y: q[1], z: q[2], w: q[3] };
}
