// Changes of a robot's body for one episode: what domain randomisation does to the physics.

import type { Interval, Randomization, Task } from "./task.ts";
import type { World } from "./world.ts";

/** Scales every link's mass and inertia, rotors aside, from what the model says. */
export function scaleMasses(world: World, factor: number): void {
  const { assembly, plan } = world;
  world.massScale = factor;
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

/** Throws where a task's ranges make no sense, with the field's name. */
export function checkRandomization({ id, randomization, model, observation }: Task): void {
  if (!randomization) return;
  const wrong = (field: keyof Randomization, wanted: string, got: unknown): never => {
    const given = JSON.stringify(got, (_, value) =>
      typeof value === "number" && !Number.isFinite(value) ? String(value) : value,
    );
    throw new Error(`randomization.${field} of task "${id}" is ${wanted}, got ${given}`);
  };
  const { motorStrength, latency, mass, friction, observationNoise, pushes } = randomization;
  const check = (field: keyof Randomization, range: Interval | undefined, least: number): void => {
    if (range && !isRange(range, least))
      wrong(field, `a range [low, high] of numbers from ${least}`, range);
  };
  check("motorStrength", motorStrength, 0);
  check("mass", mass, 0.01);
  check("friction", friction, 0);
  check("latency", latency, 0);
  if (latency && !latency.every(Number.isInteger)) wrong("latency", "in whole steps", latency);
  if (observationNoise !== undefined && !isNoise(observationNoise, observation.size))
    wrong("observationNoise", `a number from 0 or ${observation.size} of them`, observationNoise);
  if (!pushes) return;
  const links = model.links.map(({ name }) => name);
  if (!links.includes(pushes.link)) wrong("pushes", `on one of ${links.join(", ")}`, pushes.link);
  if (!(pushes.every > 0)) wrong("pushes", "every so many seconds, more than 0", pushes.every);
  if (!isFromZero(pushes.speed)) wrong("pushes", "of a speed from 0", pushes.speed);
}

function isRange(range: Interval, least: number): boolean {
  const [low, high] = range;
  return range.length === 2 && low >= least && low <= high && Number.isFinite(high);
}

function isNoise(noise: number | readonly number[], size: number): boolean {
  if (typeof noise === "number") return isFromZero(noise);
  return noise.length === size && noise.every(isFromZero);
}

function isFromZero(value: number): boolean {
  return value >= 0 && Number.isFinite(value);
}
