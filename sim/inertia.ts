// Mass, centre of mass and inertia of geoms and links, for importers and tests.

import { add, cross, fromColumns, rotate, scale, subtract, toMatrix } from "./frames.ts";
import type { Geom, Inertial, Link, Quat, Shape, Vec3 } from "./model.ts";

/** The upper triangle of a symmetric matrix. */
export type Symmetric = readonly [
  xx: number,
  yy: number,
  zz: number,
  xy: number,
  xz: number,
  yz: number,
];

export interface MassProperties {
  readonly mass: number; // kg
  /** Centre of mass. */
  readonly position: Vec3;
  /** About the centre of mass, along the axes that `position` is given in, in kg m². */
  readonly inertia: Symmetric;
}

const defaultDensity = 1000; // kg/m³, water
const weightless: MassProperties = { mass: 0, position: [0, 0, 0], inertia: [0, 0, 0, 0, 0, 0] };

/** What a link weighs in its own frame: its explicit inertial, else the sum of its geoms. */
export function linkMass(link: Link): MassProperties {
  if (!link.inertial) return combine(link.geoms.map(geomMass));
  const { mass, position, rotation, moments } = link.inertial;
  return { mass, position, inertia: turned([...moments, 0, 0, 0], rotation) };
}

export function geomMass(geom: Geom): MassProperties {
  if (geom.shape.type === "convex" && geom.shape.solid) {
    const { mass: volume, position, inertia } = geom.shape.solid;
    const mass = geom.mass ?? volume * (geom.density ?? defaultDensity);
    const [xx, yy, zz, xy, xz, yz] = inertia.map((entry) => (entry * mass) / volume);
    const whole: MassProperties = { mass, position, inertia: [xx!, yy!, zz!, xy!, xz!, yz!] };
    return moved(whole, geom.position, geom.rotation);
  }
  const { volume, moments } = solid(geom.shape);
  const mass = geom.mass ?? volume * (geom.density ?? defaultDensity);
  const principal = scale(moments, mass);
  return { mass, position: geom.position, inertia: turned([...principal, 0, 0, 0], geom.rotation) };
}

/** Mass properties of several bodies held together, all given in one frame. */
export function combine(parts: readonly MassProperties[]): MassProperties {
  const mass = parts.reduce((sum, part) => sum + part.mass, 0);
  if (mass === 0) return weightless;
  const weighted = parts.map((part) => scale(part.position, part.mass / mass));
  const position = weighted.reduce(add);
  const inertia = [0, 0, 0, 0, 0, 0] as [number, number, number, number, number, number];
  for (const part of parts) {
    const [x, y, z] = subtract(part.position, position);
    const m = part.mass;
    const shift = [y * y + z * z, x * x + z * z, x * x + y * y, -x * y, -x * z, -y * z];
    for (let i = 0; i < 6; i++) inertia[i]! += part.inertia[i]! + m * shift[i]!;
  }
  return { mass, position, inertia };
}

/** The same body seen from a frame in which its own frame stands at `position`, `rotation`. */
export function moved(part: MassProperties, position: Vec3, rotation: Quat): MassProperties {
  return {
    mass: part.mass,
    position: add(position, rotate(rotation, part.position)),
    inertia: turned(part.inertia, rotation),
  };
}

/** Principal axes and moments, by Jacobi rotations. */
export function toInertial({ mass, position, inertia }: MassProperties): Inertial {
  const [xx, yy, zz, xy, xz, yz] = inertia;
  const matrix = [[xx, xy, xz], [xy, yy, yz], [xz, yz, zz]]; // biome-ignore format: a matrix
  const axes = [
    [1, 0, 0],
    [0, 1, 0],
    [0, 0, 1],
  ]; // columns; biome-ignore format: a matrix
  for (let sweep = 0; sweep < 16; sweep++) {
    for (const [p, q] of [
      [0, 1],
      [0, 2],
      [1, 2],
    ] as const)
      annihilate(matrix, axes, p, q);
  }
  const column = (i: number): Vec3 => [axes[0]![i]!, axes[1]![i]!, axes[2]![i]!];
  const [a, b] = [column(0), column(1)];
  const diagonal = [matrix[0]![0]!, matrix[1]![1]!, matrix[2]![2]!];
  const least = 1e-12 * Math.max(...diagonal.map(Math.abs)); // what is below is rounding
  const [u, v, w] = diagonal.map((moment) => (Math.abs(moment) < least ? 0 : moment));
  const moments: Vec3 = [u!, v!, w!];
  return { mass, position, rotation: fromColumns(a, b, cross(a, b)), moments };
}

/** One Jacobi rotation: makes entry (p, q) of a symmetric matrix 0 and turns the axes along. */
function annihilate(matrix: number[][], axes: number[][], p: number, q: number): void {
  const off = matrix[p]![q]!;
  if (off === 0) return;
  const theta = (matrix[q]![q]! - matrix[p]![p]!) / (2 * off);
  const t = (theta < 0 ? -1 : 1) / (Math.abs(theta) + Math.sqrt(theta * theta + 1));
  const c = 1 / Math.sqrt(t * t + 1);
  const s = t * c;
  const turn = (rows: number[][]): void => {
    for (const row of rows) {
      const [a, b] = [row[p]!, row[q]!];
      row[p] = c * a - s * b;
      row[q] = s * a + c * b;
    }
  };
  turn(matrix);
  for (let i = 0; i < 3; i++) {
    const [a, b] = [matrix[p]![i]!, matrix[q]![i]!];
    matrix[p]![i] = c * a - s * b;
    matrix[q]![i] = s * a + c * b;
  }
  turn(axes);
}

/** R I Rᵀ. */
function turned([xx, yy, zz, xy, xz, yz]: Symmetric, rotation: Quat): Symmetric {
  const r = toMatrix(rotation);
  const entry = (i: number, j: number): number => {
    const [a, b, c] = [r[3 * i]!, r[3 * i + 1]!, r[3 * i + 2]!];
    const [d, e, f] = [r[3 * j]!, r[3 * j + 1]!, r[3 * j + 2]!];
    return (
      a * (xx * d + xy * e + xz * f) +
      b * (xy * d + yy * e + yz * f) +
      c * (xz * d + yz * e + zz * f)
    );
  };
  return [entry(0, 0), entry(1, 1), entry(2, 2), entry(0, 1), entry(0, 2), entry(1, 2)];
}

interface Solid {
  readonly volume: number; // m³
  /** Principal moments per kg, in m². */
  readonly moments: Vec3;
}

function solid(shape: Shape): Solid {
  switch (shape.type) {
    case "sphere":
      return ellipsoid(shape.radius, shape.radius, shape.radius);
    case "ellipsoid":
      return ellipsoid(...shape.radii);
    case "box": {
      const [a, b, c] = shape.halfExtents;
      const moments: Vec3 = [(b * b + c * c) / 3, (a * a + c * c) / 3, (a * a + b * b) / 3];
      return { volume: 8 * a * b * c, moments };
    }
    case "cylinder": {
      const { radius: r, halfLength: h } = shape;
      const across = (r * r) / 4 + (h * h) / 3;
      return { volume: 2 * Math.PI * r * r * h, moments: [across, across, (r * r) / 2] };
    }
    case "capsule":
      return capsule(shape.radius, shape.halfLength);
    default: // planes, terrain and hulls weigh nothing by themselves
      return { volume: 0, moments: [0, 0, 0] };
  }
}

function ellipsoid(a: number, b: number, c: number): Solid {
  const moments: Vec3 = [(b * b + c * c) / 5, (a * a + c * c) / 5, (a * a + b * b) / 5];
  return { volume: (4 / 3) * Math.PI * a * b * c, moments };
}

function capsule(r: number, h: number): Solid {
  const tube = 2 * h; // volumes over π r²
  const caps = (4 / 3) * r;
  const whole = tube + caps;
  const along = (tube * (r * r) * 0.5 + caps * (r * r) * 0.4) / whole;
  const across =
    (tube * ((r * r) / 4 + (h * h) / 3) + caps * (0.4 * r * r + h * h + 0.75 * h * r)) / whole;
  return { volume: Math.PI * r * r * whole, moments: [across, across, along] };
}
