// What pulls at the joints: actuators, damping and springs, through motor rows or as torques.

import type { Assembly } from "./assemble.ts";
import type { BodyReader } from "./bodyReader.ts";
import { stateStride } from "./kinematics.ts";
import type { ActuatorPlan, RobotPlan } from "./robotPlan.ts";
import type { Shared } from "./shared.ts";
import { rotateAt } from "./vectors.ts";

/** Drives one robot's joints. Strengths scale its actuators' forces, for randomisation. */
export interface Drives {
  /** One for each actuator, in [−1, 1]. */
  readonly controls: Float64Array;
  /** One for each actuator; 1 is the model's. */
  readonly strengths: Float64Array;
  /** After controls or strengths changed. */
  apply(): void;
  /** Before each physics step. */
  beforeStep(): void;
  /** After the joints were made anew. */
  renew(): void;
}

/** The actuator's force on its joint, and what it adds to the joint's stiffness and damping. */
function driveForce(a: ActuatorPlan, action: number, strength: number, q: number, rate: number) {
  const u = controlOf(a, action);
  let force = u;
  if (a.source.type === "position") force = a.kp * (u - a.gear * q) - a.kv * a.gear * rate;
  if (a.source.type === "velocity") force = a.kv * (u - a.gear * rate);
  return a.gear * strength * Math.min(Math.max(force, a.forceLow), a.forceHigh);
}

function controlOf(a: ActuatorPlan, action: number): number {
  return a.low + 0.5 * (action + 1) * (a.high - a.low);
}

/** The forces of all actuators on their coordinates, in N m or N, for these joint values. */
export function driveForces(
  plan: RobotPlan,
  { controls, strengths }: Drives,
  values: Float64Array,
  rates: Float64Array,
  out: Float64Array,
): void {
  out.fill(0);
  for (let i = 0; i < plan.actuators.length; i++) {
    const actuator = plan.actuators[i]!;
    const at = actuator.coordinate;
    out[at]! += driveForce(actuator, controls[i]!, strengths[i]!, values[at]!, rates[at]!);
  }
}

const leastDamping = 1e-3; // N m s/rad; a motor row needs some to carry a force

/** Motor rows: F = stiffness (rest − q) + damping (target rate − q̇), solved with the constraints. */
export class MotorRows implements Drives {
  readonly controls: Float64Array;
  readonly strengths: Float64Array;
  private readonly plan: RobotPlan;
  private readonly shared: Shared;
  private readonly assembly: Assembly;
  private handles: readonly number[] = [];
  private readonly sums: Float64Array; // [coordinates, 4]: stiffness, stiffness × rest, damping, force

  constructor(plan: RobotPlan, shared: Shared, assembly: Assembly) {
    this.plan = plan;
    this.shared = shared;
    this.assembly = assembly;
    this.controls = new Float64Array(plan.actuators.length);
    this.strengths = new Float64Array(plan.actuators.length).fill(1);
    this.sums = new Float64Array(plan.coordinates.length * 4);
    this.renew();
    this.apply();
  }

  renew(): void {
    const { joints } = this.assembly;
    this.handles = this.plan.coordinates.map(({ joint }) => joints[joint]!.handle);
    this.limitForces();
  }

  apply(): void {
    const { sums, plan } = this;
    for (let c = 0; c < plan.coordinates.length; c++) {
      const { stiffness, springRest, damping } = plan.coordinates[c]!;
      sums[4 * c] = stiffness;
      sums[4 * c + 1] = stiffness * springRest;
      sums[4 * c + 2] = damping;
      sums[4 * c + 3] = 0;
    }
    for (let i = 0; i < plan.actuators.length; i++) this.addActuator(i);
    for (let c = 0; c < plan.coordinates.length; c++) this.configure(c);
  }

  beforeStep(): void {}

  private addActuator(i: number): void {
    const a = this.plan.actuators[i]!;
    const { sums } = this;
    const at = 4 * a.coordinate;
    const u = controlOf(a, this.controls[i]!);
    const strength = this.strengths[i]! * a.gear;
    const { type } = a.source;
    if (type === "motor") {
      sums[at + 3]! += strength * Math.min(Math.max(u, a.forceLow), a.forceHigh);
      return;
    }
    sums[at + 2]! += strength * a.gear * a.kv;
    if (type === "position") {
      sums[at]! += strength * a.gear * a.kp;
      sums[at + 1]! += strength * a.kp * u;
    } else sums[at + 3]! += strength * a.kv * u;
  }

  private configure(c: number): void {
    const { sums } = this;
    const { axis, sign, reference } = this.plan.coordinates[c]!;
    const stiffness = sums[4 * c]!;
    const force = sums[4 * c + 3]!;
    let damping = sums[4 * c + 2]!;
    if (stiffness === 0 && damping === 0 && force === 0 && !this.driven(c)) return;
    damping = Math.max(damping, leastDamping);
    const rest = stiffness === 0 ? 0 : sums[4 * c + 1]! / stiffness - reference;
    const raw = this.shared.rapierWorld.impulseJoints.raw;
    raw.jointConfigureMotor(
      this.handles[c]!,
      axis,
      sign * rest,
      (sign * force) / damping,
      stiffness,
      damping,
    );
  }

  private driven(c: number): boolean {
    return this.plan.actuators.some(({ coordinate }) => coordinate === c);
  }

  /** A servo's force bounds become those of its joint's row. */
  private limitForces(): void {
    const raw = this.shared.rapierWorld.impulseJoints.raw;
    for (const { coordinate, forceLow, forceHigh, gear, source } of this.plan.actuators) {
      const most = Math.abs(gear) * Math.max(-forceLow, forceHigh);
      if (source.type === "motor" || !Number.isFinite(most)) continue;
      const { axis } = this.plan.coordinates[coordinate]!;
      raw.jointSetMotorMaxForce(this.handles[coordinate]!, axis, most);
    }
  }
}

/** Torques on both bodies of a hinge, computed from the state before each physics step. */
export class Torques implements Drives {
  readonly controls: Float64Array;
  readonly strengths: Float64Array;
  private readonly plan: RobotPlan;
  private readonly assembly: Assembly;
  private readonly shared: Shared;
  private readonly reader: BodyReader;
  private readonly forces: Float64Array;
  private readonly torques: Float64Array; // [bodies + 1, 3]; the last row is the world's

  constructor(plan: RobotPlan, assembly: Assembly, shared: Shared, reader: BodyReader) {
    for (const { axis, name, damping, stiffness } of plan.coordinates) {
      const driven = plan.actuators.some(
        ({ coordinate }) => plan.coordinates[coordinate]!.name === name,
      );
      if (axis < 3 && (damping !== 0 || stiffness !== 0 || driven))
        throw new Error(`slide "${name}" needs the actuation "rows": torques only turn`);
    }
    this.plan = plan;
    this.assembly = assembly;
    this.shared = shared;
    this.reader = reader;
    this.controls = new Float64Array(plan.actuators.length);
    this.strengths = new Float64Array(plan.actuators.length).fill(1);
    this.forces = new Float64Array(plan.coordinates.length);
    this.torques = new Float64Array((plan.bodies.length + 1) * 3);
  }

  apply(): void {}

  renew(): void {}

  beforeStep(): void {
    const { plan, forces } = this;
    const { values, rates } = this.reader.sync();
    driveForces(plan, this, values, rates, forces);
    this.torques.fill(0);
    for (let c = 0; c < plan.coordinates.length; c++) {
      const { damping, stiffness, springRest, axis } = plan.coordinates[c]!;
      if (axis < 3) continue;
      const passive = stiffness * (springRest - values[c]!) - damping * rates[c]!;
      this.addTorque(c, forces[c]! + passive);
    }
    this.write();
  }

  private addTorque(c: number, torque: number): void {
    if (torque === 0) return;
    const { joint, axis, sign } = this.plan.coordinates[c]!;
    const { parent, body, parentFrame } = this.plan.joints[joint]!;
    const numBodies = this.plan.bodies.length;
    const from = parent < 0 ? numBodies : parent;
    unit.fill(0);
    unit[axis - 3] = sign * torque;
    rotateAt(unit, 0, parentFrame, 0, unit, 0);
    rotateAt(unit, 0, this.reader.states.states, from * stateStride + 3, unit, 0);
    for (let i = 0; i < 3; i++) {
      this.torques[3 * body + i]! += unit[i]!;
      this.torques[3 * from + i]! -= unit[i]!;
    }
  }

  private write(): void {
    const { torques } = this;
    const { places } = this.reader;
    const view = this.shared.memory;
    view?.refresh(); // writing into memory that has moved would do nothing
    for (let k = 0; k < places.length; k++) {
      if (view) {
        const at = view.start + places[k]! * view.layout.stride + view.layout.torque;
        for (let i = 0; i < 3; i++) view.words[at + i] = torques[3 * k + i]!;
      } else {
        const body = this.assembly.bodies[k]!;
        body.resetTorques(false);
        body.addTorque(
          { x: torques[3 * k]!, y: torques[3 * k + 1]!, z: torques[3 * k + 2]! },
          false,
        );
      }
    }
  }
}

const unit = new Float64Array(3);
