// Changes of a robot's body for one episode: what domain randomisation does to the physics.

import type { World } from "./world.ts";

/** Scales every link's mass and inertia, rotors aside, from what the model says. */
export function scaleMasses({ assembly, plan }: World, factor: number): void {
  for (const [k, body] of assembly.bodies.entries()) {
    const { inertial, rotorInertia } = plan.bodies[k]!;
    const [px, py, pz] = inertial.position;
    const [x, y, z, w] = inertial.rotation;
    const [i, j, l] = inertial.moments.map((moment) => factor * moment + rotorInertia);
    const center = { x: px, y: py, z: pz };
    const moments = { x: i!, y: j!, z: l! };
    body.setAdditionalMassProperties(
      factor * inertial.mass,
      center,
      moments,
      { x, y, z, w },
      false,
    );
    body.recomputeMassPropertiesFromColliders(); // else a push before the next step meets the old mass
  }
}

/** Scales the friction of every geom of the robot from what the model says. */
export function scaleFriction(world: World, factor: number): void {
  planFriction(world, factor);
  for (const { collider, geom } of world.assembly.colliders)
    collider.setFriction(factor * (geom.friction ?? 1));
}

/** Scales the friction of colliders that are yet to be made. */
export function planFriction(world: World, factor: number): void {
  world.frictionScale = factor;
  for (const { desc, geom } of world.assembly.colliderPlans)
    desc.setFriction(factor * (geom.friction ?? 1));
}
