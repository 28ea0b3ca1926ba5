// The types of a planned robot: what plan.ts makes of a model and the rest of sim/ works with.

import type { Actuator, Geom, Inertial, Quat, RobotModel, Vec3 } from "./model.ts";

export interface BodyPlan {
  /** Index of the link, −1 for a body between two joints of one link. */
  readonly link: number;
  readonly inertial: Inertial;
  /** What gravity is multiplied by; 0 where a controller carries the weight. */
  readonly gravityScale: number;
  /** Added to every principal moment, in kg m². */
  readonly rotorInertia: number;
  readonly geoms: readonly Geom[];
  /** Pose in the world at the model's zero pose. */
  readonly position: Vec3;
  readonly rotation: Quat;
}

export type JointKind = "hinge" | "slide" | "ball" | "planar" | "weld";

export interface JointPlan {
  readonly kind: JointKind;
  /** Index of the body on the far side; −1 is the world. */
  readonly parent: number;
  readonly body: number;
  /** The joint's frame on both bodies; its x axis is the hinge's or slide's. */
  readonly parentAnchor: Vec3;
  readonly parentFrame: Quat;
  readonly anchor: Vec3;
  readonly frame: Quat;
  /** First coordinate and their number: 1, 3 for ball and planar, 0 for weld. */
  readonly firstCoordinate: number;
  readonly numCoordinates: number;
}

/** One number of the pose: an angle in (−π, π], a length, or one part of a ball's rotation vector. */
export interface CoordinatePlan {
  readonly name: string;
  readonly joint: number;
  /** The joint's axis in Rapier's count: 0–2 along x, y, z of its frame, 3–5 about them. */
  readonly axis: number;
  /** −1 where the model's axis points against the frame's. */
  readonly sign: number;
  readonly reference: number;
  readonly low: number; // −Infinity where unlimited, like `high`
  readonly high: number;
  readonly damping: number;
  readonly stiffness: number;
  readonly springRest: number;
  readonly frictionLoss: number;
}

export interface ActuatorPlan {
  readonly source: Actuator;
  readonly coordinate: number;
  readonly gear: number;
  readonly low: number; // control at action −1
  readonly high: number; // control at action 1
  readonly forceLow: number;
  readonly forceHigh: number;
  readonly kp: number;
  readonly kv: number;
}

export interface RobotPlan {
  readonly model: RobotModel;
  readonly bodies: readonly BodyPlan[];
  /** The body that carries each link. */
  readonly bodyOfLink: readonly number[];
  readonly joints: readonly JointPlan[];
  readonly coordinates: readonly CoordinatePlan[];
  readonly actuators: readonly ActuatorPlan[];
  readonly totalMass: number; // kg
}
