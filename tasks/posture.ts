// How a robot stands, leans and moves, read from its world; and how it is put on the ground.

import { rotate } from "../sim/frames.ts";
import { cos, sin } from "../sim/math.ts";
import type { Geom, Vec3 } from "../sim/model.ts";
import type { Rng } from "../sim/rng.ts";
import type { World } from "../sim/world.ts";

/** Uniform in [low, high). */
export function between(rng: Rng, low: number, high: number): number {
  return low + (high - low) * rng.uniform();
}

/** Component `row` (0 x, 1 y, 2 z in the world) of a link's own axis `column`. */
export function axisOf(world: World, link: number, row: number, column: number): number {
  const q = world.linkRotations;
  const at = 4 * link;
  if (row === column) {
    const a = q[at + ((row + 1) % 3)]!;
    const b = q[at + ((row + 2) % 3)]!;
    return 1 - 2 * (a * a + b * b);
  }
  const third = 3 - row - column;
  const sign = (column - row + 3) % 3 === 1 ? -1 : 1;
  return 2 * (q[at + row]! * q[at + column]! + sign * q[at + third]! * q[at + 3]!);
}

/** A vector of the world, which lies at `vectors[at …]`, along a link's own axis `column`. */
export function alongAxis(
  world: World,
  link: number,
  column: number,
  vectors: ArrayLike<number>,
  at: number,
): number {
  let sum = 0;
  for (let row = 0; row < 3; row++) sum += axisOf(world, link, row, column) * vectors[at + row]!;
  return sum;
}

/** Velocity of the link in the direction that it faces, over the ground. */
export function speedAhead(world: World, link: number): number {
  return overGround(world, link, 1, 0);
}

/** Velocity of the link to its left, over the ground. */
export function speedLeft(world: World, link: number): number {
  return overGround(world, link, 0, 1);
}

function overGround(world: World, link: number, ahead: number, left: number): number {
  const x = axisOf(world, link, 0, 0);
  const y = axisOf(world, link, 1, 0);
  const length = Math.sqrt(x * x + y * y) + 1e-9;
  const vx = world.linkVelocities[3 * link]!;
  const vy = world.linkVelocities[3 * link + 1]!;
  return (ahead * (vx * x + vy * y) + left * (vy * x - vx * y)) / length;
}

/** Mean square of an action: what effort costs are made of. */
export function meanSquare(values: ArrayLike<number>): number {
  let sum = 0;
  for (let i = 0; i < values.length; i++) sum += values[i]! * values[i]!;
  return sum / values.length;
}

/** Mean square of what changed from one action to the next. */
export function meanSquareChange(last: ArrayLike<number>, action: ArrayLike<number>): number {
  let sum = 0;
  for (let i = 0; i < action.length; i++) {
    const change = action[i]! - last[i]!;
    sum += change * change;
  }
  return sum / action.length;
}

/** Σ |torque × rate| over all joints, in W: what drives that recover nothing would draw. */
export function mechanicalPower({ jointTorques, jointVelocities }: World): number {
  let sum = 0;
  for (let c = 0; c < jointTorques.length; c++)
    sum += Math.abs(jointTorques[c]! * jointVelocities[c]!);
  return sum;
}

/** Sets the joints named in `rest` to its values, each shifted by up to `noise`. */
export function startNear(
  world: World,
  rest: Readonly<Record<string, number>>,
  rng: Rng,
  noise: number,
): void {
  for (const [name, value] of Object.entries(rest)) {
    world.start.positions[world.jointIndex(name)] = value + between(rng, -noise, noise);
  }
}

/** Turns the free link 0 about the vertical by `angle`. */
export function startFacing(world: World, angle: number): void {
  world.start.freePoses.set([0, 0, sin(angle / 2), cos(angle / 2)], 3);
}

/**
 * Moves the robot up or down so that its lowest point is `gap` above height 0. `rootHeight` is the index
 * of the coordinate that lifts it, or −1 where link 0 is free.
 */
export function startOnGround(world: World, rootHeight: number, gap = 0.005): void {
  world.place();
  let lowest = Number.POSITIVE_INFINITY;
  for (const [index, link] of world.model.links.entries()) {
    for (const geom of link.geoms) {
      if (geom.affinity !== 0 || geom.group !== 0)
        lowest = Math.min(lowest, lowestPoint(world, index, geom));
    }
  }
  if (rootHeight < 0) world.start.freePoses[2]! += gap - lowest;
  else world.start.positions[rootHeight]! += gap - lowest;
}

function lowestPoint(world: World, link: number, geom: Geom): number {
  // Height of the geom's centre, and how far its own axes rise.
  let height = world.linkPositions[3 * link + 2]!;
  const up: Vec3 = [
    axisOf(world, link, 2, 0),
    axisOf(world, link, 2, 1),
    axisOf(world, link, 2, 2),
  ];
  for (let i = 0; i < 3; i++) height += up[i]! * geom.position[i]!;
  const [x, y, z, w] = geom.rotation;
  const [ofX, ofY, ofZ] = rotate([-x, -y, -z, w], up);
  const { shape } = geom;
  switch (shape.type) {
    case "sphere":
      return height - shape.radius;
    case "capsule":
      return height - shape.radius - shape.halfLength * Math.abs(ofZ);
    case "cylinder":
      return (
        height -
        shape.halfLength * Math.abs(ofZ) -
        shape.radius * Math.sqrt(Math.max(0, 1 - ofZ * ofZ))
      );
    case "box": {
      const [a, b, c] = shape.halfExtents;
      return height - a * Math.abs(ofX) - b * Math.abs(ofY) - c * Math.abs(ofZ);
    }
    case "ellipsoid": {
      const [a, b, c] = [shape.radii[0] * ofX, shape.radii[1] * ofY, shape.radii[2] * ofZ];
      return height - Math.sqrt(a * a + b * b + c * c);
    }
    case "convex":
      return height + lowestOf(shape.points, ofX, ofY, ofZ);
    default:
      return height;
  }
}

/** Least height of points x, y, z, x, … in a frame whose axes rise so. */
function lowestOf(points: readonly number[], ofX: number, ofY: number, ofZ: number): number {
  let lowest = Number.POSITIVE_INFINITY;
  for (let i = 0; i < points.length; i += 3)
    lowest = Math.min(lowest, points[i]! * ofX + points[i + 1]! * ofY + points[i + 2]! * ofZ);
  return lowest;
}
