// Tally of one start's motion, from what gaitMeasures.ts reads after every control step.

import { atan2, cos, sin } from "../../sim/math.ts";
import type { Task } from "../../sim/task.ts";
import { measureAt } from "./gaitMeasures.ts";

const settling = 2; // s after the start in which nothing counts
const commandSettling = 1; // s after a command in which the robot may still obey the last one

/** A command and the mean velocity while it held. */
interface Segment {
  readonly ahead: number;
  readonly left: number;
  numSteps: number;
  sumAhead: number;
  sumLeft: number;
}

export class GaitTally {
  fell = false;
  ended = false;
  /** Largest overlap with the ground, in mm. */
  sinking = 0;
  /** Farthest beyond a joint's range, in rad or m. */
  overshoot = 0;
  /** Radians turned, counter-clockwise. */
  headingDrift = 0;
  private readonly controlDt: number;
  private readonly commandAt: readonly number[];
  private readonly sums = { x: 0, y: 0, left: 0, power: 0, airborne: 0 };
  private readonly landings: number[];
  private readonly touched: boolean[];
  private readonly segments: Segment[] = [];
  private heading: number | null = null;
  private time = 0; // s
  private numSteps = 0;

  constructor({ controlDt, observation, model }: Task) {
    this.controlDt = controlDt;
    this.landings = model.links.map(() => 0);
    this.touched = model.links.map(() => false);
    const { names } = observation;
    this.commandAt = ["commanded speed ahead [m/s]", "commanded speed to the left [m/s]"]
      .map((name) => names.indexOf(name))
      .filter((index) => index >= 0);
  }

  get speed(): number {
    return this.sums.x / this.numCounted;
  }

  /** Mean size of the velocity to the side, in m/s. */
  get sideways(): number {
    return this.sums.y / this.numCounted;
  }

  /** Mean velocity to the robot's own left, without sign: a crab's walk; swaying cancels out. In m/s. */
  get crab(): number {
    return Math.abs(this.sums.left) / this.numCounted;
  }

  get power(): number {
    return this.sums.power / this.numCounted;
  }

  get airborne(): number {
    return this.sums.airborne / this.numCounted;
  }

  get stepFrequency(): number {
    return Math.max(...this.landings) / (this.numCounted * this.controlDt);
  }

  /** To be called after each control step, with what was measured and observed at its end. */
  add(measures: ArrayLike<number>, observations: ArrayLike<number>): void {
    this.time += this.controlDt;
    const heading = measures[measureAt.heading]!;
    const turn = heading - (this.heading ?? heading);
    this.headingDrift += atan2(sin(turn), cos(turn));
    this.heading = heading;
    this.sinking = Math.max(this.sinking, measures[measureAt.sinking]!);
    this.overshoot = Math.max(this.overshoot, measures[measureAt.overshoot]!);
    const counts = this.time > settling;
    if (counts) this.addMotion(measures);
    this.addContacts(measures, counts);
    if (this.commandAt.length === 2) this.addCommand(measures, observations);
  }

  /** Distance between each command and the mean velocity while it held, in m/s. */
  readonly commandErrors = (): number[] =>
    this.segments
      .map((segment) => ({ ...segment, counted: this.countedOf(segment) }))
      .filter(({ counted }) => counted > 0)
      .map(({ ahead, left, sumAhead, sumLeft, counted }) =>
        Math.hypot(sumAhead / counted - ahead, sumLeft / counted - left),
      );

  private get numCounted(): number {
    return Math.max(1, this.numSteps);
  }

  private countedOf({ numSteps }: Segment): number {
    return numSteps - Math.round(commandSettling / this.controlDt);
  }

  private addMotion(measures: ArrayLike<number>): void {
    this.numSteps++;
    this.sums.x += measures[measureAt.speed]!;
    this.sums.y += Math.abs(measures[measureAt.sideways]!);
    this.sums.left += measures[measureAt.left]!;
    this.sums.power += measures[measureAt.power]!;
  }

  private addContacts(measures: ArrayLike<number>, counts: boolean): void {
    for (const link of this.touched.keys()) {
      const touches = measures[measureAt.touches + link] === 1;
      if (counts && touches && !this.touched[link]) this.landings[link]!++;
      this.touched[link] = touches;
    }
    if (counts && !this.touched.includes(true)) this.sums.airborne++;
  }

  private addCommand(measures: ArrayLike<number>, observations: ArrayLike<number>): void {
    const [ahead, left] = this.commandAt.map((index) => observations[index]!) as [number, number];
    let segment = this.segments.at(-1);
    if (segment?.ahead !== ahead || segment.left !== left) {
      segment = { ahead, left, numSteps: 0, sumAhead: 0, sumLeft: 0 };
      this.segments.push(segment);
    }
    segment.numSteps++;
    if (this.countedOf(segment) <= 0) return;
    segment.sumAhead += measures[measureAt.ahead]!;
    segment.sumLeft += measures[measureAt.left]!;
  }
}
