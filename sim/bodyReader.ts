// BodyReader: one robot's state as its world shows it, read from Rapier when something may have moved.
//
// Arrays are views, valid until the next step or reset.

import type { Assembly } from "./assemble.ts";
import { arenaIndex } from "./bodyMemory.ts";
import { BodyStates, stateStride } from "./kinematics.ts";
import type { Vec3 } from "./model.ts";
import { readGetters, readMemory } from "./readBodies.ts";
import type { RobotPlan } from "./robotPlan.ts";
import type { Shared } from "./shared.ts";
import { createLinkArrays, type LinkArrays } from "./worldArrays.ts";

export class BodyReader {
  readonly states: BodyStates;
  /** By coordinate; current after `sync`, like `states`. */
  readonly values: Float64Array;
  readonly rates: Float64Array;
  /** By body, places in Rapier's arena. */
  readonly places: Int32Array;
  private readonly plan: RobotPlan;
  private readonly shared: Shared;
  private readonly assembly: Assembly;
  private readonly origin: Vec3;
  private readonly linkArrays: LinkArrays;
  private bodyStamp = -1;
  private linkStamp = -1;

  constructor(plan: RobotPlan, shared: Shared, assembly: Assembly, origin: Vec3) {
    this.plan = plan;
    this.shared = shared;
    this.assembly = assembly;
    this.origin = origin;
    this.states = new BodyStates(plan);
    this.places = Int32Array.from(assembly.bodies, ({ handle }) => arenaIndex(handle));
    this.values = new Float64Array(plan.coordinates.length);
    this.rates = new Float64Array(plan.coordinates.length);
    this.linkArrays = createLinkArrays(plan.model.links.length);
  }

  /** Reads the bodies' states, unless nothing has moved since the last time. */
  sync(): this {
    const { shared, states } = this;
    if (this.bodyStamp === shared.stamp) return this;
    this.bodyStamp = shared.stamp;
    // Another simulation of this thread may have grown the memory meanwhile.
    shared.memory?.refresh();
    if (shared.memory) readMemory(states, shared.memory, this.places, this.origin);
    else readGetters(states, this.assembly.bodies, this.origin);
    states.updateCenters();
    states.readCoordinates(this.values, this.rates);
    return this;
  }

  /** The links' states, read anew where something moved. */
  links(): LinkArrays {
    this.sync();
    if (this.linkStamp === this.bodyStamp) return this.linkArrays;
    this.linkStamp = this.bodyStamp;
    const { linkArrays, plan } = this;
    const { states, centers } = this.states;
    for (let l = 0; l < plan.bodyOfLink.length; l++) {
      const body = plan.bodyOfLink[l]!;
      const at = body * stateStride;
      for (let i = 0; i < 3; i++) {
        linkArrays.positions[3 * l + i] = states[at + i]!;
        linkArrays.velocities[3 * l + i] = states[at + 7 + i]!;
        linkArrays.angularVelocities[3 * l + i] = states[at + 10 + i]!;
        linkArrays.centers[3 * l + i] = centers[3 * body + i]!;
      }
      for (let i = 0; i < 4; i++) linkArrays.rotations[4 * l + i] = states[at + 3 + i]!;
    }
    return linkArrays;
  }
}
