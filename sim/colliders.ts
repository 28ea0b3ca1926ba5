// Geoms as Rapier colliders: shapes, frames, surfaces. Colliders weigh nothing; bodies carry the mass.

import { add, multiply, rotate } from "./frames.ts";
import { cos, sin } from "./math.ts";
import type { Geom, HeightfieldShape, Quat, RobotModel, Vec3 } from "./model.ts";
import type { Rapier, RapierColliderDesc } from "./rapier.ts";

const floorHalfWidth = 500; // m
const floorHalfDepth = 1; // m; a box lets feet sink in less than a half-space does
const alongZ: Quat = [Math.SQRT1_2, 0, 0, Math.SQRT1_2]; // Rapier's capsules lie along y

/** The geom's collider in the frame of its link (or of the world), without collision groups. */
export function colliderOf(rapier: Rapier, geom: Geom): RapierColliderDesc {
  const { desc, position, rotation } = shapeOf(rapier, geom);
  const at = add(geom.position, rotate(geom.rotation, position));
  const turn = multiply(geom.rotation, rotation);
  return desc
    .setTranslation(at[0], at[1], at[2])
    .setRotation({ x: turn[0], y: turn[1], z: turn[2], w: turn[3] })
    .setDensity(0)
    .setFriction(geom.friction ?? 1)
    .setFrictionCombineRule(rapier.CoefficientCombineRule.Max)
    .setRestitution(geom.restitution ?? 0)
    .setRestitutionCombineRule(rapier.CoefficientCombineRule.Max);
}

interface PlacedShape {
  readonly desc: RapierColliderDesc;
  readonly position: Vec3;
  readonly rotation: Quat;
}

function shapeOf(rapier: Rapier, geom: Geom): PlacedShape {
  const { ColliderDesc } = rapier;
  const { shape } = geom;
  const upright = (desc: RapierColliderDesc): PlacedShape => {
    return { desc, position: [0, 0, 0], rotation: [0, 0, 0, 1] };
  };
  const turned = (desc: RapierColliderDesc): PlacedShape => {
    return { desc, position: [0, 0, 0], rotation: alongZ };
  };
  switch (shape.type) {
    case "sphere":
      return upright(ColliderDesc.ball(shape.radius));
    case "box":
      return upright(ColliderDesc.cuboid(...shape.halfExtents));
    case "capsule":
      return turned(ColliderDesc.capsule(shape.halfLength, shape.radius));
    case "cylinder":
      return turned(ColliderDesc.cylinder(shape.halfLength, shape.radius));
    case "plane":
      return {
        desc: ColliderDesc.cuboid(floorHalfWidth, floorHalfWidth, floorHalfDepth),
        position: [0, 0, -floorHalfDepth],
        rotation: [0, 0, 0, 1],
      };
    case "heightfield":
      return turned(heightfield(rapier, shape));
    case "ellipsoid":
      return upright(hull(rapier, geom, ellipsoidPoints(shape.radii)));
    case "convex":
      return upright(hull(rapier, geom, Float32Array.from(shape.points)));
  }
}

function hull(rapier: Rapier, geom: Geom, points: Float32Array): RapierColliderDesc {
  const desc = rapier.ColliderDesc.convexHull(points);
  if (!desc)
    throw new Error(`geom "${geom.name ?? ""}" has no convex hull: its points lie in a plane`);
  return desc;
}

/** Rapier's rows run along its z, which is turned to −y, and its matrix is column-major. */
function heightfield(rapier: Rapier, shape: HeightfieldShape): RapierColliderDesc {
  const { rows, columns, heights, size } = shape;
  if (heights.length !== rows * columns || rows < 2 || columns < 2)
    throw new Error(`a heightfield of ${rows} × ${columns} has ${heights.length} heights`);
  const matrix = new Float32Array(rows * columns);
  for (let row = 0; row < rows; row++) {
    for (let column = 0; column < columns; column++)
      matrix[rows - 1 - row + column * rows] = heights[row * columns + column]!;
  }
  const scale = { x: size[0], y: 1, z: size[1] };
  return rapier.ColliderDesc.heightfield(rows - 1, columns - 1, matrix, scale);
}

const ellipsoidRings = 8;
const ellipsoidSpokes = 16;

/** Points of an ellipsoid's surface, [points, 3]. */
function ellipsoidPoints([a, b, c]: Vec3): Float32Array {
  const points = [0, 0, -c, 0, 0, c];
  for (let ring = 1; ring < ellipsoidRings; ring++) {
    const polar = (Math.PI * ring) / ellipsoidRings;
    for (let spoke = 0; spoke < ellipsoidSpokes; spoke++) {
      const turn = (2 * Math.PI * spoke) / ellipsoidSpokes;
      points.push(a * sin(polar) * cos(turn), b * sin(polar) * sin(turn), c * cos(polar));
    }
  }
  return Float32Array.from(points);
}

/** Whether two geoms' groups let them meet: MuJoCo's rule. */
export function mayTouch(a: Geom, b: Geom): boolean {
  return (groupOf(a) & affinityOf(b)) !== 0 || (groupOf(b) & affinityOf(a)) !== 0;
}

/** Whether a geom may meet any of its own robot's, where these collide at all. */
export function meetsOwnRobot(model: RobotModel, geom: Geom): boolean {
  return model.links.some(({ geoms }) => geoms.some((other) => mayTouch(geom, other)));
}

/** MuJoCo's contype, 1 where missing. */
export const groupOf = (geom: Geom): number => geom.group ?? 1;

/** MuJoCo's conaffinity, 1 where missing. */
export const affinityOf = (geom: Geom): number => geom.affinity ?? 1;
