// RobotModel: what a robot is made of, as plain data that JSON can carry.
//
// Importers (mjcf.ts, urdf.ts) make it from files, world.ts makes Rapier bodies from it. Everything is
// SI, radians, z up, quaternions x y z w, and refers to other parts by name. It follows MuJoCo's words
// where they fit: a link is an MJCF body, `reference` is `ref`, `springRest` is `springref`.

import type { MassProperties } from "./inertia.ts";

export type Vec3 = readonly [x: number, y: number, z: number];
export type Quat = readonly [x: number, y: number, z: number, w: number];
export type Range = readonly [low: number, high: number];
/** Red, green, blue, opacity, each in [0, 1]. */
export type Rgba = readonly [red: number, green: number, blue: number, alpha: number];

/** One robot, or a scene of several loose parts: links whose parent is null hang from the world. */
export interface RobotModel {
  readonly name: string;
  /** Parents come before their children. */
  readonly links: readonly Link[];
  readonly actuators: readonly Actuator[];
  readonly sensors?: readonly Sensor[];
  /** Geoms that stand still in the world: the floor, walls, terrain. */
  readonly scenery?: readonly Geom[];
  /** Sites that stand still in the world. */
  readonly worldSites?: readonly Site[];
  /** Pairs of links that never touch; a link and its parent never do. */
  readonly contactExclusions?: readonly (readonly [string, string])[];
  /** Named poses, such as MJCF keyframes: values by joint name, as `Joint` lays them out. */
  readonly poses?: Readonly<Record<string, Pose>>;
  /** What the file asks of the world; a task may choose otherwise. */
  readonly timestep?: number; // s
  readonly gravity?: Vec3; // m/s²
}

/** Joint values by name: hinge [rad], slide [m], ball [x y z w], free [x y z, x y z w]. */
export type Pose = Readonly<Record<string, readonly number[]>>;

/** A rigid body. Its frame at the model's zero pose is `position`, `rotation` in the parent's frame. */
export interface Link {
  readonly name: string;
  /** Name of the parent link; null is the world. */
  readonly parent: string | null;
  readonly position: Vec3; // m
  readonly rotation: Quat;
  /** Motions relative to the parent, applied in order; none means welded. */
  readonly joints: readonly Joint[];
  /** Share of its weight that something else carries, as a robot's own controller does; 0 where missing. */
  readonly gravityCompensation?: number;
  /** Explicit mass properties; without them they follow from the geoms. */
  readonly inertial?: Inertial;
  readonly geoms: readonly Geom[];
  readonly sites?: readonly Site[];
}

export interface Inertial {
  readonly mass: number; // kg
  /** Centre of mass in the link's frame. */
  readonly position: Vec3;
  /** Principal axes in the link's frame. */
  readonly rotation: Quat;
  /** Principal moments about the centre of mass, in kg m². */
  readonly moments: Vec3;
}

export type Joint = HingeJoint | SlideJoint | BallJoint | FreeJoint;

/** What every joint may have; a missing number is 0. */
interface JointBase {
  readonly name: string;
  readonly damping?: number; // N m s/rad or N s/m
  /** Rotor inertia as seen at the joint: kg m², or kg for a slide. */
  readonly armature?: number;
}

interface ScalarJoint extends JointBase {
  /** Direction in the link's frame; any length but 0. */
  readonly axis: Vec3;
  /** A point of the axis in the link's frame. */
  readonly anchor: Vec3;
  /** Missing means unlimited. */
  readonly range?: Range; // rad or m
  readonly stiffness?: number; // N m/rad or N/m
  /** Where the spring is at rest. */
  readonly springRest?: number;
  /** The joint's value at the model's zero pose. */
  readonly reference?: number;
  /** Dry friction that the joint resists motion with, in N m or N. */
  readonly frictionLoss?: number;
}

/** One turning axis; value in rad. */
export interface HingeJoint extends ScalarJoint {
  readonly type: "hinge";
}

/** One sliding axis; value in m. */
export interface SlideJoint extends ScalarJoint {
  readonly type: "slide";
}

/** A ball in a socket; value is a quaternion relative to the zero pose. */
export interface BallJoint extends JointBase {
  readonly type: "ball";
  readonly anchor: Vec3;
  /** Largest angle from the zero pose, in rad; missing means unlimited. */
  readonly maxAngle?: number;
  readonly stiffness?: number; // N m/rad, towards the zero pose
}

/** Six free directions; only for a link whose parent is the world, and then its only joint. */
export interface FreeJoint extends JointBase {
  readonly type: "free";
}

export type Shape =
  | { readonly type: "sphere"; readonly radius: number }
  | { readonly type: "box"; readonly halfExtents: Vec3 }
  /** Along the geom's z axis; `halfLength` leaves out the caps. */
  | { readonly type: "capsule"; readonly radius: number; readonly halfLength: number }
  | { readonly type: "cylinder"; readonly radius: number; readonly halfLength: number }
  | { readonly type: "ellipsoid"; readonly radii: Vec3 }
  /** Endless in the world, normal along the geom's z axis; `halfExtents` are for drawing only. */
  | { readonly type: "plane"; readonly halfExtents?: readonly [number, number] }
  | HeightfieldShape
  /** The convex hull of points x, y, z, x, …; `faces` (corner indices) are for drawing only. */
  | {
      readonly type: "convex";
      readonly points: readonly number[];
      readonly faces?: readonly number[];
      /** What the mesh that it stands for weighs at 1 kg/m³; without it a hull weighs nothing by itself. */
      readonly solid?: MassProperties;
    };

/** Heights over a grid centred on the geom, `rows` along y and `columns` along x, row-major from −x −y. */
export interface HeightfieldShape {
  readonly type: "heightfield";
  readonly rows: number;
  readonly columns: number;
  readonly heights: readonly number[]; // m, [rows, columns]
  /** Lengths of the whole grid along x and y, in m. */
  readonly size: readonly [number, number];
}

/** A shape fixed to a link or to the world. */
export interface Geom {
  readonly name?: string;
  readonly shape: Shape;
  readonly position: Vec3;
  readonly rotation: Quat;
  /** Mass in kg; where missing it follows from `density`. */
  readonly mass?: number;
  readonly density?: number; // kg/m³, 1000 where missing
  /** Sliding friction of this surface; 1 where missing. */
  readonly friction?: number;
  readonly restitution?: number;
  /** Bits: two geoms touch if one's `group` shares a bit with the other's `affinity`. 1 where missing. */
  readonly group?: number;
  /** 1 where missing; a geom whose `group` and `affinity` are 0 is only drawn (and weighed). */
  readonly affinity?: number;
  readonly rgba?: Rgba;
  /** Name of a look that a viewer may know. */
  readonly material?: string;
}

/** A named frame on a link: where sensors sit. */
export interface Site {
  readonly name: string;
  readonly position: Vec3;
  readonly rotation: Quat;
  /** Radius for drawing, in m. */
  readonly radius?: number;
  readonly rgba?: Rgba;
}

/**
 * A drive on one hinge or slide, with q the joint's value. Actions in [−1, 1] map linearly to controls u
 * in `controlRange`; the force f at the drive is clamped to `forceRange`, the joint gets gear × f.
 * motor: f = u; position: f = kp (u − gear q) − kv gear q̇; velocity: f = kv (u − gear q̇).
 */
export interface Actuator {
  readonly name: string;
  readonly type: "motor" | "position" | "velocity";
  readonly joint: string;
  /** 1 where missing. */
  readonly gear?: number;
  /** [−1, 1] where missing; for position, the joint's range where it has one. */
  readonly controlRange?: Range;
  readonly kp?: number; // N m/rad or N/m
  readonly kv?: number; // N m s/rad or N s/m
  /** Bounds of f, in N m or N; unlimited where missing. */
  readonly forceRange?: Range;
}

/**
 * accelerometer (proper acceleration, m/s²), gyro (rad/s), velocimeter (m/s): 3 numbers in the site's
 * frame. force: net contact force on the site's link in the site's frame, N. touch: 1 number, the sum of
 * normal contact forces on the site's link, N.
 */
export interface Sensor {
  readonly name: string;
  readonly type: "accelerometer" | "gyro" | "velocimeter" | "force" | "touch";
  readonly site: string;
}
