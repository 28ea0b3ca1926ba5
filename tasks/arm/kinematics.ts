// Kinematics of a chain of hinges: where its tool is, and the joint angles that bring it to a pose.
//
// Damped least squares (Wampler 1986; Nakamura and Hanafusa 1986): Δq = Jᵀ (J Jᵀ + λ² I)⁻¹ e with e the
// pose's error as a shift and a rotation vector. Lies on the path to physics: only +, −, ×, ÷, √ and sim/math.

import { identity } from "../../sim/frames.ts";
import { cos, sin } from "../../sim/math.ts";
import type { HingeJoint, Quat, RobotModel, Vec3 } from "../../sim/model.ts";
import { addScaledAt, betweenAt, multiplyAt, rotateAt, subtractAt } from "../../sim/vectors.ts";

const damping = 0.02; // λ, in m: how far from a singularity steps become cautious
const numTaskAxes = 6;

/** One hinge of the chain and how its link stands on the link before. */
interface Segment {
  readonly position: Vec3;
  readonly rotation: Quat;
  readonly axis: Vec3;
  readonly low: number;
  readonly high: number;
}

/** Forward and inverse kinematics of the hinges between the world and a site; keeps scratch space only. */
export class Chain {
  /** The hinges, from the base to the tool. */
  readonly joints: readonly string[];
  /** Where `forward` leaves the tool: position 3 and rotation 4. */
  readonly tool = new Float64Array(7);
  private readonly segments: readonly Segment[];
  private readonly toolPosition: Vec3;
  private readonly toolRotation: Quat;
  private readonly axes: Float64Array; // [joints, 3], in the world
  private readonly origins: Float64Array; // [joints, 3]
  private readonly jacobian: Float64Array; // [6, joints]
  private readonly gram = new Float64Array(numTaskAxes * numTaskAxes);
  private readonly error = new Float64Array(numTaskAxes);

  constructor(model: RobotModel, site: string) {
    const last = model.links.find(({ sites }) => sites?.some(({ name }) => name === site));
    const tool = last?.sites?.find(({ name }) => name === site);
    if (!last || !tool) throw new Error(`model "${model.name}" has no site "${site}"`);
    this.toolPosition = tool.position;
    this.toolRotation = tool.rotation;
    const links = [];
    for (let name: string | null = last.name; name !== null; ) {
      const link = model.links.find((each) => each.name === name)!;
      links.unshift(link);
      name = link.parent;
    }
    const hinges = links.map(({ name, joints: [joint] }) => {
      if (joint?.type !== "hinge" || joint.anchor.some((x) => x !== 0))
        throw new Error(`link "${name}" turns on no single hinge at its own origin`);
      return joint;
    });
    this.joints = hinges.map(({ name }) => name);
    this.segments = links.map((link, i) => segmentOf(link, hinges[i]!));
    this.axes = new Float64Array(3 * links.length);
    this.origins = new Float64Array(3 * links.length);
    this.jacobian = new Float64Array(numTaskAxes * links.length);
  }

  /** Writes the tool's pose for these angles into `tool`. */
  forward(angles: ArrayLike<number>): void {
    const { tool, axes, origins } = this;
    scratch.fill(0, at, at + 3);
    scratch.set(identity, turn);
    for (const [i, { position, rotation, axis }] of this.segments.entries()) {
      rotateAt(scratch, shift, scratch, turn, position, 0);
      addScaledAt(scratch, at, scratch, shift, 1);
      multiplyAt(scratch, turn, scratch, turn, rotation, 0);
      rotateAt(axes, 3 * i, scratch, turn, axis, 0);
      for (let k = 0; k < 3; k++) origins[3 * i + k] = scratch[at + k]!;
      const half = sin(angles[i]! / 2);
      for (let k = 0; k < 3; k++) scratch[own + k] = half * axis[k]!;
      scratch[own + 3] = cos(angles[i]! / 2);
      multiplyAt(scratch, turn, scratch, turn, scratch, own);
    }
    rotateAt(scratch, shift, scratch, turn, this.toolPosition, 0);
    addScaledAt(scratch, at, scratch, shift, 1);
    multiplyAt(scratch, turn, scratch, turn, this.toolRotation, 0);
    for (let k = 0; k < 7; k++) tool[k] = scratch[at + k]!;
  }

  /** Improves `angles` in place towards the pose [position 3, rotation 4]; returns what is left, in m. */
  inverse(pose: ArrayLike<number>, angles: Float64Array, numSteps: number): number {
    for (let step = 0; step < numSteps; step++) {
      this.measure(pose, angles);
      this.differentiate();
      this.solve();
      this.move(angles);
    }
    this.measure(pose, angles);
    let sum = 0;
    for (let k = 0; k < numTaskAxes; k++) sum += this.error[k]! * this.error[k]!;
    return Math.sqrt(sum);
  }

  private measure(pose: ArrayLike<number>, angles: Float64Array): void {
    const { tool, error } = this;
    this.forward(angles);
    for (let k = 0; k < 7; k++) scratch[wanted + k] = pose[k]!;
    subtractAt(error, 0, scratch, wanted, tool, 0);
    betweenAt(scratch, own, tool, 3, scratch, wanted + 3); // seen from the tool
    const sign = scratch[own + 3]! < 0 ? -2 : 2;
    for (let k = 0; k < 3; k++) scratch[shift + k] = sign * scratch[own + k]!;
    rotateAt(error, 3, tool, 3, scratch, shift);
  }

  private differentiate(): void {
    const { axes, origins, jacobian, tool } = this;
    const count = this.segments.length;
    for (let i = 0; i < count; i++) {
      subtractAt(scratch, shift, tool, 0, origins, 3 * i);
      for (let k = 0; k < 3; k++) {
        const [a, b] = [(k + 1) % 3, (k + 2) % 3];
        jacobian[k * count + i] =
          axes[3 * i + a]! * scratch[shift + b]! - axes[3 * i + b]! * scratch[shift + a]!;
        jacobian[(3 + k) * count + i] = axes[3 * i + k]!;
      }
    }
  }

  /** error ← (J Jᵀ + λ² I)⁻¹ error, by Cholesky's factors. */
  private solve(): void {
    const { jacobian, gram, error } = this;
    const count = this.segments.length;
    for (let r = 0; r < numTaskAxes; r++) {
      for (let c = 0; c <= r; c++) {
        let sum = r === c ? damping * damping : 0;
        for (let i = 0; i < count; i++) sum += jacobian[r * count + i]! * jacobian[c * count + i]!;
        for (let k = 0; k < c; k++) sum -= gram[r * numTaskAxes + k]! * gram[c * numTaskAxes + k]!;
        gram[r * numTaskAxes + c] = r === c ? Math.sqrt(sum) : sum / gram[c * numTaskAxes + c]!;
      }
    }
    for (let r = 0; r < numTaskAxes; r++) {
      for (let k = 0; k < r; k++) error[r]! -= gram[r * numTaskAxes + k]! * error[k]!;
      error[r]! /= gram[r * numTaskAxes + r]!;
    }
    for (let r = numTaskAxes - 1; r >= 0; r--) {
      for (let k = r + 1; k < numTaskAxes; k++) error[r]! -= gram[k * numTaskAxes + r]! * error[k]!;
      error[r]! /= gram[r * numTaskAxes + r]!;
    }
  }

  private move(angles: Float64Array): void {
    const { jacobian, error } = this;
    const count = this.segments.length;
    for (let i = 0; i < count; i++) {
      let change = 0;
      for (let r = 0; r < numTaskAxes; r++) change += jacobian[r * count + i]! * error[r]!;
      const { low, high } = this.segments[i]!;
      angles[i] = Math.min(high, Math.max(low, angles[i]! + change));
    }
  }
}

function segmentOf(
  { position, rotation }: { readonly position: Vec3; readonly rotation: Quat },
  { axis, range = [Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY] }: HingeJoint,
): Segment {
  return { position, rotation, axis, low: range[0], high: range[1] };
}

const scratch = new Float64Array(32);
const at = 0; // with `turn`, a pose
const turn = 3;
const shift = 7;
const own = 10;
const wanted = 14;
