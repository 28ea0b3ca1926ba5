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

const leastOf = { motorStrength: 0, latency: 0, mass: 0.01, friction: 0 } as const;
const fields = ["motorStrength", "latency", "observationNoise", "pushes", "mass", "friction"];

/** Throws where a task's ranges make no sense, with the field's name. */
export function checkRandomization(task: Task): void {
  const { id, randomization } = task;
  if (!randomization) return;
  for (const field of Object.keys(randomization)) {
    if (!fields.includes(field))
      throw new Error(`randomization of task "${id}" knows ${fields.join(", ")}, got "${field}"`);
  }
  const wrong: Complain = (field, wanted, got) => {
    throw new Error(`randomization.${field} of task "${id}" is ${wanted}, got ${shown(got)}`);
  };
  checkRanges(randomization, task.maxEpisodeSteps, wrong);
  const { observationNoise, pushes } = randomization;
  const { size } = task.observation;
  if (observationNoise !== undefined && !isNoise(observationNoise, size))
    wrong("observationNoise", `a number from 0 or ${size} of them`, observationNoise);
  if (!pushes) return;
  const links = task.model.links.map(({ name }) => name);
  if (!links.includes(pushes.link)) wrong("pushes", `on one of ${links.join(", ")}`, pushes.link);
  if (!(pushes.every > 0)) wrong("pushes", "every so many seconds, more than 0", pushes.every);
  if (!isFromZero(pushes.speed)) wrong("pushes", "of a speed from 0", pushes.speed);
}

type Complain = (field: keyof Randomization, wanted: string, got: unknown) => never;

function checkRanges(randomization: Randomization, maxSteps: number, wrong: Complain): void {
  for (const [name, least] of Object.entries(leastOf)) {
    const field = name as keyof typeof leastOf;
    const range = randomization[field];
    if (range !== undefined && !isRange(range, least))
      wrong(field, `a range [low, high] of numbers with ${least} ≤ low ≤ high`, range);
  }
  const { latency } = randomization;
  if (latency && !latency.every(Number.isInteger))
    wrong("latency", "in whole control steps", latency);
  if (latency && latency[1] >= maxSteps)
    wrong("latency", `shorter than an episode of ${maxSteps} control steps`, latency);
}

function shown(got: unknown): string {
  return JSON.stringify(got, (_, value) =>
    typeof value === "number" && !Number.isFinite(value) ? String(value) : value,
  );
}

function isRange(range: Interval, least: number): boolean {
  if (!Array.isArray(range) || range.length !== 2 || !range.every(Number.isFinite)) return false;
  return range[0] >= least && range[0] <= range[1];
}

function isNoise(noise: number | readonly number[], size: number): boolean {
  if (!Array.isArray(noise)) return isFromZero(noise);
  return noise.length === size && noise.every(isFromZero);
}

function isFromZero(value: unknown): boolean {
  return typeof value === "number" && value >= 0 && Number.isFinite(value);
}
