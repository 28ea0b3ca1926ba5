// From bodies' states to joint coordinates and back, without allocation.
//
// A body's state is 13 numbers in a flat array: position 3, rotation 4, velocity of the centre of mass 3,
// angular velocity 3. Row −1 (the world) is row `numBodies`, at rest where the robot's world begins.

import { asin, atan2, cos, sin } from "./math.ts";
import type { JointPlan, RobotPlan } from "./robotPlan.ts";
import {
  addCrossAt,
  addScaledAt,
  betweenAt,
  dotAt,
  multiplyAt,
  rotateAt,
  rotateBackAt,
  subtractAt,
} from "./vectors.ts";

export const stateStride = 13;
const rotationAt = 3;
const velocityAt = 7;
const spinAt = 10;

/** A robot's bodies: where they are, how they move, and where their centres of mass are. */
export class BodyStates {
  /** [bodies + 1, 13]; the last row is the world. */
  readonly states: Float64Array;
  /** Centres of mass in the world, [bodies + 1, 3]. */
  readonly centers: Float64Array;
  private readonly plan: RobotPlan;
  private readonly localCenters: Float64Array;
  private readonly numBodies: number;

  constructor(plan: RobotPlan) {
    this.plan = plan;
    this.numBodies = plan.bodies.length;
    this.states = new Float64Array((this.numBodies + 1) * stateStride);
    this.states[this.numBodies * stateStride + rotationAt + 3] = 1;
    this.centers = new Float64Array((this.numBodies + 1) * 3);
    this.localCenters = new Float64Array(plan.bodies.flatMap((b) => [...b.inertial.position]));
  }

  /** To be called after the states were written. */
  updateCenters(): void {
    for (let k = 0; k < this.numBodies; k++) this.updateCenter(k);
  }

  private updateCenter(k: number): void {
    const at = k * stateStride;
    rotateAt(this.centers, 3 * k, this.states, at + rotationAt, this.localCenters, 3 * k);
    addScaledAt(this.centers, 3 * k, this.states, at, 1);
  }

  /** Writes every coordinate's value and rate. */
  readCoordinates(values: Float64Array, rates: Float64Array): void {
    for (const joint of this.plan.joints) {
      if (joint.kind === "weld") continue;
      this.orient(joint);
      if (joint.kind === "hinge") this.readTwist(joint.firstCoordinate, values, rates);
      else if (joint.kind === "ball") this.readBall(joint.firstCoordinate, values, rates);
      else {
        this.readSlides(joint, values, rates);
        if (joint.kind === "planar") this.readTwist(joint.firstCoordinate + 2, values, rates);
      }
    }
  }

  private row(body: number): number {
    return (body < 0 ? this.numBodies : body) * stateStride;
  }

  /** Leaves the joint's frame on both bodies and the turn and spin between them in the scratch. */
  private orient(joint: JointPlan): void {
    const { states } = this;
    const parent = this.row(joint.parent);
    const child = this.row(joint.body);
    multiplyAt(scratch, parentFrame, states, parent + rotationAt, joint.parentFrame, 0);
    multiplyAt(scratch, childFrame, states, child + rotationAt, joint.frame, 0);
    betweenAt(scratch, between, scratch, parentFrame, scratch, childFrame);
    subtractAt(scratch, vector, states, child + spinAt, states, parent + spinAt);
    rotateBackAt(scratch, spin, scratch, parentFrame, scratch, vector);
  }

  private readTwist(coordinate: number, values: Float64Array, rates: Float64Array): void {
    const { sign, reference } = this.plan.coordinates[coordinate]!;
    const w = scratch[between + 3]!;
    const angle = 2 * (w < 0 ? atan2(-scratch[between]!, -w) : atan2(scratch[between]!, w));
    values[coordinate] = sign * angle + reference;
    rates[coordinate] = sign * scratch[spin]!;
  }

  private readBall(coordinate: number, values: Float64Array, rates: Float64Array): void {
    const flip = scratch[between + 3]! < 0 ? -1 : 1;
    const squared = dotAt(scratch, between, scratch, between);
    const size = Math.sqrt(squared);
    const angle = 2 * (size < 0.5 ? asin(size) : atan2(size, Math.abs(scratch[between + 3]!)));
    const factor = size > 1e-9 ? (flip * angle) / size : 2 * flip;
    for (let i = 0; i < 3; i++) {
      values[coordinate + i] = factor * scratch[between + i]!;
      rates[coordinate + i] = scratch[spin + i]!;
    }
  }

  private readSlides(joint: JointPlan, values: Float64Array, rates: Float64Array): void {
    const { states, centers } = this;
    const parent = this.row(joint.parent);
    const child = this.row(joint.body);
    // The child's anchor, and the parent's point that is there now.
    rotateAt(scratch, point, states, child + rotationAt, joint.anchor, 0);
    addScaledAt(scratch, point, states, child, 1);
    rotateAt(scratch, vector, states, parent + rotationAt, joint.parentAnchor, 0);
    addScaledAt(scratch, vector, states, parent, 1);
    subtractAt(scratch, vector, scratch, point, scratch, vector);
    rotateBackAt(scratch, offset, scratch, parentFrame, scratch, vector);
    pointVelocity(states, child, centers, point);
    scratch.copyWithin(vector, speed, speed + 3);
    pointVelocity(states, parent, centers, point);
    subtractAt(scratch, vector, scratch, vector, scratch, speed);
    rotateBackAt(scratch, speed, scratch, parentFrame, scratch, vector);
    const count = joint.kind === "planar" ? 2 : 1;
    for (let i = 0; i < count; i++) {
      const coordinate = joint.firstCoordinate + i;
      const { axis, sign, reference } = this.plan.coordinates[coordinate]!;
      values[coordinate] = sign * scratch[offset + axis]! + reference;
      rates[coordinate] = sign * scratch[speed + axis]!;
    }
  }

  /** Sets every jointed body's state from its parent's and the coordinates; free bodies stay as they are. */
  place(values: Float64Array, rates: Float64Array): void {
    let next = 0;
    for (let body = 0; body < this.numBodies; body++) {
      const joint = this.plan.joints[next];
      if (joint?.body === body) {
        this.placeBody(joint, values, rates);
        next++;
      }
      this.updateCenter(body);
      this.setCenterVelocity(body, joint?.body === body);
    }
  }

  private placeBody(joint: JointPlan, values: Float64Array, rates: Float64Array): void {
    const { states } = this;
    const parent = this.row(joint.parent);
    const child = this.row(joint.body);
    multiplyAt(scratch, parentFrame, states, parent + rotationAt, joint.parentFrame, 0);
    rotateAt(scratch, point, states, parent + rotationAt, joint.parentAnchor, 0);
    addScaledAt(scratch, point, states, parent, 1);
    this.motion(joint, values, rates);
    rotateAt(scratch, vector, scratch, parentFrame, scratch, offset);
    addScaledAt(scratch, point, scratch, vector, 1); // the child's anchor
    multiplyAt(scratch, childFrame, scratch, parentFrame, scratch, between);
    conjugateFrame.set(joint.frame);
    for (let i = 0; i < 3; i++) conjugateFrame[i]! *= -1;
    multiplyAt(states, child + rotationAt, scratch, childFrame, conjugateFrame, 0);
    rotateAt(scratch, vector, states, child + rotationAt, joint.anchor, 0);
    subtractAt(states, child, scratch, point, scratch, vector);
    rotateAt(states, child + spinAt, scratch, parentFrame, scratch, spin);
    addScaledAt(states, child + spinAt, states, parent + spinAt, 1);
    pointVelocity(states, parent, this.centers, point);
    rotateAt(scratch, vector, scratch, parentFrame, scratch, relativeSpeed);
    addScaledAt(scratch, speed, scratch, vector, 1);
  }

  /** The child's velocity at its anchor, left by `placeBody`, becomes that of its centre of mass. */
  private setCenterVelocity(body: number, jointed: boolean): void {
    if (!jointed) return;
    const at = body * stateStride;
    subtractAt(scratch, vector, this.centers, 3 * body, scratch, point);
    for (let i = 0; i < 3; i++) this.states[at + velocityAt + i] = scratch[speed + i]!;
    addCrossAt(this.states, at + velocityAt, this.states, at + spinAt, scratch, vector);
  }

  /** The joint's own motion in its frame: turn, offset and their rates. */
  private motion(joint: JointPlan, values: Float64Array, rates: Float64Array): void {
    scratch.fill(0, between, relativeSpeed + 3);
    scratch[between + 3] = 1;
    for (let i = 0; i < joint.numCoordinates; i++) {
      const index = joint.firstCoordinate + i;
      const { axis, sign, reference } = this.plan.coordinates[index]!;
      const value = sign * (values[index]! - reference);
      if (axis < 3) {
        scratch[offset + axis] = value;
        scratch[relativeSpeed + axis] = sign * rates[index]!;
      } else {
        scratch[spin + axis - 3] = sign * rates[index]!;
        scratch[vector + axis - 3] = value;
      }
    }
    const angle = Math.sqrt(dotAt(scratch, vector, scratch, vector));
    if (angle === 0) return;
    const factor = sin(angle / 2) / angle;
    for (let i = 0; i < 3; i++) scratch[between + i] = factor * scratch[vector + i]!;
    scratch[between + 3] = cos(angle / 2);
  }
}

/** Leaves in `speed` how fast the body at row `at` moves at the point in the scratch. */
function pointVelocity(
  states: Float64Array,
  at: number,
  centers: Float64Array,
  where: number,
): void {
  subtractAt(scratch, arm, scratch, where, centers, (at / stateStride) * 3);
  for (let i = 0; i < 3; i++) scratch[speed + i] = states[at + velocityAt + i]!;
  addCrossAt(scratch, speed, states, at + spinAt, scratch, arm);
}

const conjugateFrame = new Float64Array(4);
const scratch = new Float64Array(64);
const parentFrame = 0;
const childFrame = 4;
const between = 8; // from here to relativeSpeed: cleared by `motion`
const offset = 12;
const spin = 15;
const vector = 18;
const relativeSpeed = 21;
const point = 24;
const speed = 27;
const arm = 30;
