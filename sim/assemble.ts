// A planned robot as Rapier bodies, colliders and joints, in a world that it may share with others.

import { handleOf, handleParts } from "./bodyMemory.ts";
import { affinityOf, colliderOf, groupOf, mayTouch, meetsOwnRobot } from "./colliders.ts";
import { createJoints, type Joints, quaternion, vector } from "./joints.ts";
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
import type { RobotPlan } from "./robotPlan.ts";
import type { PhysicsSettings } from "./settings.ts";

/** One robot's parts in a Rapier world. */
export interface Assembly {
  /** By body of the plan. */
  bodies: readonly RapierBody[];
  /** By joint of the plan. */
  joints: readonly RapierJoint[];
  /** As `createJoints` makes them. */
  extras: readonly RapierJoint[];
  readonly createBodies: (world: RapierWorld) => readonly RapierBody[];
  readonly createJoints: (world: RapierWorld, bodies: readonly RapierBody[]) => Joints;
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
  world.integrationParameters.normalizedPredictionDistance = settings.predictionDistance;
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
  const assembly: Assembly = {
    bodies: [],
    joints: [],
    extras: [],
    colliders: [],
    colliderPlans: planColliders(rapier, plan, settings, slot),
    createBodies: (into) => createBodies(rapier, into, plan, origin),
    createJoints: (into, bodies) =>
      createJoints(rapier, into, plan, bodies, anchor, origin, settings.selfCollision),
  };
  buildParts(world, assembly);
  return assembly;
}

/** Makes all parts of a robot that is not in this world yet. */
export function buildParts(world: RapierWorld, assembly: Assembly): void {
  const bodies = assembly.createBodies(world);
  assembly.bodies = bodies;
  assembly.colliders = createColliders(world, bodies, assembly.colliderPlans);
  Object.assign(assembly, assembly.createJoints(world, bodies));
  for (const body of bodies) body.recomputeMassPropertiesFromColliders(); // else only a step would
}

function createBodies(
  rapier: Rapier,
  world: RapierWorld,
  plan: RobotPlan,
  origin: Vec3,
): RapierBody[] {
  return plan.bodies.map(({ inertial, rotorInertia, gravityScale, position, rotation }) => {
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
      .setGravityScale(gravityScale)
      .setCanSleep(false);
    return world.createRigidBody(desc);
  });
}

/**
 * Makes the colliders anew, so that no contact of the past is remembered. The old ones go to `retired`, to be
 * removed by `removeRetired` when all robots of the world have new ones: where one took the place in Rapier's
 * arena that another left since the last step, its broad phase would forget to drop that one's pairs.
 */
export function renewColliders(
  world: RapierWorld,
  assembly: Assembly,
  retired: RapierCollider[],
): void {
  retired.push(...assembly.colliders.map(({ collider }) => collider));
  assembly.colliders = createColliders(world, assembly.bodies, assembly.colliderPlans);
}

/** Last ones first: that way places are taken again in the order of the parts, by which Rapier orders things. */
export function removeRetired(world: RapierWorld, retired: RapierCollider[]): void {
  for (let i = retired.length - 1; i >= 0; i--) world.removeCollider(retired[i]!, false);
  retired.length = 0;
}

/**
 * Makes the joints anew, so that they are solved in the order of a fresh world: where links of one robot
 * touch, Rapier moves their joints to another place in its order, and leaves them there.
 */
export function renewJoints(world: RapierWorld, assembly: Assembly): void {
  const { joints, extras } = assembly;
  for (let i = extras.length - 1; i >= 0; i--) world.removeImpulseJoint(extras[i]!, false);
  for (let i = joints.length - 1; i >= 0; i--) world.removeImpulseJoint(joints[i]!, false);
  Object.assign(assembly, assembly.createJoints(world, assembly.bodies));
}

/** A part's place and generation, as `handleParts` has them. */
type Parts = readonly [place: number, generation: number];

/** Rapier's names of the parts that resets make anew; plain data. */
export interface Handles {
  readonly colliders: readonly Parts[];
  readonly joints: readonly Parts[];
  readonly extras: readonly Parts[];
}

export function handlesOf({ colliders, joints, extras }: Assembly): Handles {
  return {
    colliders: colliders.map(({ collider }) => handleParts(collider.handle)),
    joints: joints.map(({ handle }) => handleParts(handle)),
    extras: extras.map(({ handle }) => handleParts(handle)),
  };
}

/** Finds a robot's parts in another Rapier world, which a snapshot was restored to. */
export function findParts(world: RapierWorld, assembly: Assembly, handles: Handles): void {
  const { bodies, colliders } = assembly;
  assembly.bodies = bodies.map(({ handle }) => world.getRigidBody(handle));
  assembly.joints = handles.joints.map((parts) => world.getImpulseJoint(handleOf(parts)));
  assembly.extras = handles.extras.map((parts) => world.getImpulseJoint(handleOf(parts)));
  assembly.colliders = handles.colliders.map((parts, i) => {
    return { ...colliders[i]!, collider: world.getCollider(handleOf(parts)) };
  });
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
  const selfBit = 2 << (slot % numSelfColliding);
  return model.links.flatMap((link, index) =>
    link.geoms
      .filter((geom) => groupOf(geom) !== 0 || affinityOf(geom) !== 0)
      .map((geom) => {
        const self = settings.selfCollision && meetsOwnRobot(model, geom);
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
