// A RobotModel laid out for the solver: bodies, joints with one motor row an axis, and coordinates.
//
// What Rapier lacks is planned around: links with several joints become chains with light bodies in
// between, planar roots become one joint, and rotor inertia is added to the link that the joint moves.

import { add, cross, direction, dot, fromColumns, multiply, rotate } from "./frames.ts";
import { linkMass, toInertial } from "./inertia.ts";
import type {
  Actuator,
  BallJoint,
  HingeJoint,
  Inertial,
  Joint,
  Link,
  Quat,
  RobotModel,
  SlideJoint,
  Vec3,
} from "./model.ts";
import type {
  ActuatorPlan,
  BodyPlan,
  CoordinatePlan,
  JointKind,
  JointPlan,
  RobotPlan,
} from "./robotPlan.ts";

export interface PlanOptions {
  /** Share of a link's mass that goes to each light body of its chain. */
  readonly chainMassShare: number;
  /** Least inertia of those bodies, in kg m². */
  readonly chainInertia: number;
}

export const planDefaults: PlanOptions = { chainMassShare: 0.1, chainInertia: 0.02 };

interface Draft {
  readonly bodies: BodyPlan[];
  readonly bodyOfLink: number[];
  readonly joints: JointPlan[];
  readonly coordinates: CoordinatePlan[];
}

/** The model's layout; throws where a name or a number cannot be. */
export function planRobot(model: RobotModel, options: PlanOptions = planDefaults): RobotPlan {
  const draft: Draft = { bodies: [], bodyOfLink: [], joints: [], coordinates: [] };
  for (const [index, link] of model.links.entries()) planLink(draft, model, link, index, options);
  const { coordinates, bodies } = draft;
  const actuators = model.actuators.map((actuator) => planActuator(actuator, coordinates));
  const totalMass = bodies.reduce((sum, body) => sum + body.inertial.mass, 0);
  return { model, ...draft, actuators, totalMass };
}

function planLink(
  draft: Draft,
  model: RobotModel,
  link: Link,
  index: number,
  options: PlanOptions,
): void {
  const parent = link.parent === null ? -1 : parentBody(draft, model, link, index);
  const above = draft.bodies[parent] ?? { position: [0, 0, 0], rotation: [0, 0, 0, 1] };
  const position = add(above.position as Vec3, rotate(above.rotation as Quat, link.position));
  const rotation = multiply(above.rotation as Quat, link.rotation);
  const whole = toInertial(linkMass(link));
  if (!(whole.mass > 0)) throw new Error(`link "${link.name}" has no mass`);
  const free = link.joints.some((joint) => joint.type === "free");
  if (free && (parent >= 0 || link.joints.length > 1))
    throw new Error(`the free joint of link "${link.name}" must be its only one, below the world`);
  const planar = parent < 0 ? planarFrame(link.joints) : undefined;
  const steps = free ? 0 : planar ? 1 : Math.max(1, link.joints.length);
  const numChained = Math.max(0, steps - 1);
  const mass = whole.mass * (1 - numChained * options.chainMassShare);
  const gravityScale = 1 - (link.gravityCompensation ?? 0);
  let from = parent;
  for (let i = 0; i < steps; i++) {
    const last = i === steps - 1;
    const joint = link.joints[i];
    const rotor = joint?.armature ?? 0;
    const light: Inertial = {
      mass: whole.mass * options.chainMassShare,
      position: joint && "anchor" in joint ? joint.anchor : [0, 0, 0],
      rotation: [0, 0, 0, 1],
      moments: [options.chainInertia, options.chainInertia, options.chainInertia],
    };
    const frame = { position, rotation };
    draft.bodies.push(
      last
        ? {
            link: index,
            inertial: { ...whole, mass },
            rotorInertia: rotor,
            gravityScale,
            geoms: link.geoms,
            ...frame,
          }
        : { link: -1, inertial: light, rotorInertia: rotor, gravityScale, geoms: [], ...frame },
    );
    const body = draft.bodies.length - 1;
    const relative = i === 0 ? link : atOrigin;
    if (planar) addPlanar(draft, from, body, relative, link.joints, planar);
    else addJoint(draft, from, body, relative, joint);
    from = body;
  }
  if (free) {
    const rotorInertia = link.joints[0]!.armature ?? 0;
    draft.bodies.push({
      link: index,
      inertial: whole,
      rotorInertia,
      gravityScale,
      geoms: link.geoms,
      position,
      rotation,
    });
  }
  draft.bodyOfLink.push(draft.bodies.length - 1);
}

function parentBody(draft: Draft, model: RobotModel, link: Link, index: number): number {
  const parent = model.links.findIndex(({ name }) => name === link.parent);
  if (parent < 0) throw new Error(`link "${link.name}" has an unknown parent "${link.parent}"`);
  if (parent >= index) throw new Error(`link "${link.name}" comes before its parent`);
  return draft.bodyOfLink[parent]!;
}

interface Placed {
  readonly position: Vec3;
  readonly rotation: Quat;
}

const atOrigin: Placed = { position: [0, 0, 0], rotation: [0, 0, 0, 1] };

function addJoint(draft: Draft, parent: number, body: number, at: Placed, joint?: Joint): void {
  const anchor = joint && "anchor" in joint ? joint.anchor : ([0, 0, 0] as const);
  const scalar = joint?.type === "hinge" || joint?.type === "slide";
  const frame: Quat = scalar ? frameAlong(axisOf(joint)) : [0, 0, 0, 1];
  const firstCoordinate = draft.coordinates.length;
  const index = draft.joints.length;
  if (joint?.type === "hinge") draft.coordinates.push(scalarCoordinate(joint, index, 3, 1));
  if (joint?.type === "slide") draft.coordinates.push(scalarCoordinate(joint, index, 0, 1));
  if (joint?.type === "ball") draft.coordinates.push(...ballCoordinates(joint, index));
  draft.joints.push({
    kind: joint ? (joint.type as JointKind) : "weld",
    parent,
    body,
    ...anchored(at, anchor, frame),
    firstCoordinate,
    numCoordinates: draft.coordinates.length - firstCoordinate,
  });
}

/** The same place and frame seen from both bodies. */
function anchored(at: Placed, anchor: Vec3, frame: Quat) {
  const parentAnchor = add(at.position, rotate(at.rotation, anchor));
  return { parentAnchor, parentFrame: multiply(at.rotation, frame), anchor, frame };
}

/** The frame of a root that slides along two directions and turns about the third, if it is one. */
function planarFrame(joints: readonly Joint[]): Quat | undefined {
  const [first, second, third] = joints;
  if (joints.length !== 3 || third?.type !== "hinge") return undefined;
  if (first?.type !== "slide" || second?.type !== "slide") return undefined;
  const [n, a, b] = [axisOf(third), axisOf(first), axisOf(second)];
  if (Math.max(Math.abs(dot(n, a)), Math.abs(dot(n, b)), Math.abs(dot(a, b))) > 1e-6)
    return undefined;
  return fromColumns(n, a, cross(n, a));
}

function addPlanar(
  draft: Draft,
  parent: number,
  body: number,
  at: Placed,
  joints: readonly Joint[],
  frame: Quat,
): void {
  const [first, second, hinge] = joints as readonly [SlideJoint, SlideJoint, HingeJoint];
  const index = draft.joints.length;
  const firstCoordinate = draft.coordinates.length;
  const side = dot(cross(axisOf(hinge), axisOf(first)), axisOf(second));
  draft.coordinates.push(
    scalarCoordinate(first, index, 1, 1),
    scalarCoordinate(second, index, 2, side < 0 ? -1 : 1),
    scalarCoordinate(hinge, index, 3, 1),
  );
  const pose = anchored(at, hinge.anchor, frame);
  draft.joints.push({ kind: "planar", parent, body, ...pose, firstCoordinate, numCoordinates: 3 });
}

function axisOf(joint: HingeJoint | SlideJoint): Vec3 {
  const axis = direction(joint.axis);
  if (!axis) throw new Error(`the axis of joint "${joint.name}" has length 0`);
  return axis;
}

/** A frame whose x axis is this direction. */
function frameAlong(axis: Vec3): Quat {
  const aside: Vec3 = Math.abs(axis[0]) < 0.7 ? [1, 0, 0] : [0, 1, 0];
  const y = direction(cross(axis, aside))!;
  return fromColumns(axis, y, cross(axis, y));
}

function scalarCoordinate(
  source: HingeJoint | SlideJoint,
  joint: number,
  axis: number,
  sign: number,
): CoordinatePlan {
  const [low, high] = source.range ?? [Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY];
  if (!(low <= high))
    throw new Error(`joint "${source.name}" has the empty range ${low} to ${high}`);
  const {
    name,
    damping = 0,
    stiffness = 0,
    springRest = 0,
    reference = 0,
    frictionLoss = 0,
  } = source;
  return {
    name,
    joint,
    axis,
    sign,
    reference,
    low,
    high,
    damping,
    stiffness,
    springRest,
    frictionLoss,
  };
}

function ballCoordinates(source: BallJoint, joint: number): CoordinatePlan[] {
  const { name, damping = 0, stiffness = 0, maxAngle = Number.POSITIVE_INFINITY } = source;
  const shared = {
    joint,
    sign: 1,
    reference: 0,
    low: -maxAngle,
    high: maxAngle,
    damping,
    stiffness,
  };
  return ["x", "y", "z"].map((part, i) => {
    return { name: `${name}:${part}`, axis: 3 + i, ...shared, springRest: 0, frictionLoss: 0 };
  });
}

function planActuator(source: Actuator, coordinates: readonly CoordinatePlan[]): ActuatorPlan {
  const coordinate = coordinates.findIndex(({ name }) => name === source.joint);
  if (coordinate < 0)
    throw new Error(`actuator "${source.name}" drives an unknown joint "${source.joint}"`);
  const { low, high } = coordinates[coordinate]!;
  const limited = source.type === "position" && Number.isFinite(low) && Number.isFinite(high);
  const range = source.controlRange ?? (limited ? [low, high] : [-1, 1]);
  const force = source.forceRange ?? [Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY];
  return {
    source,
    coordinate,
    gear: source.gear ?? 1,
    low: range[0],
    high: range[1],
    forceLow: force[0],
    forceHigh: force[1],
    kp: source.kp ?? 0,
    kv: source.kv ?? 0,
  };
}
