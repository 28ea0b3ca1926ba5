// Meshes as convex hulls: the vertices of STL and OBJ files, thinned to those that lie outermost.
//
// A hull's collider is made anew at each reset, so few points count: the outermost vertex in each of some
// directions spread evenly over the sphere. The hull of these lies within the mesh's.

import { add, cross, dot, length, scale as scaled, subtract, zero } from "./frames.ts";
import type { MassProperties } from "./inertia.ts";
import { cos, sin } from "./math.ts";
import type { Vec3 } from "./model.ts";

/** Bytes of the file of that name; undefined where there is none. */
export type ReadBytes = (name: string) => Uint8Array | undefined;

const numDirections = 96;
const maxBytes = 64_000_000;
const maxVertices = 2_000_000;

/** Points x, y, z, x, … of a mesh's hull; throws in lower case where the file cannot be read. */
export function hullOfMesh(bytes: Uint8Array, name: string, scale: Vec3): number[] {
  return outermost(readMesh(bytes, name, scale).vertices);
}

/** A mesh's triangles: corners x, y, z, x, … and which three make each. */
export interface Triangles {
  readonly vertices: readonly number[];
  readonly corners: readonly number[];
}

/** A mesh's triangles, scaled; throws as `hullOfMesh` does. */
export function readMesh(bytes: Uint8Array, name: string, scale: Vec3): Triangles {
  if (bytes.length > maxBytes)
    throw new Error(`mesh "${name}" has ${bytes.length} bytes; at most ${maxBytes} are read`);
  const { vertices, corners } = readTriangles(bytes, name);
  if (vertices.length < 12) throw new Error(`mesh "${name}" has fewer than four vertices`);
  for (let i = 0; i < vertices.length; i++) {
    vertices[i] = vertices[i]! * scale[i % 3]!;
    if (!Number.isFinite(vertices[i]!))
      throw new Error(`mesh "${name}" has a vertex at ${vertices[i]}`);
  }
  return { vertices, corners };
}

function readTriangles(
  bytes: Uint8Array,
  name: string,
): { readonly vertices: number[]; readonly corners: number[] } {
  const ending = /\.(\w+)$/.exec(name)?.[1]?.toLowerCase();
  if (ending === "obj") {
    const text = new TextDecoder().decode(bytes);
    const vertices = objVertices(text);
    return { vertices, corners: objCorners(text, vertices.length / 3) };
  }
  if (ending === "stl") {
    const vertices = stlVertices(bytes, name);
    return { vertices, corners: Array.from({ length: vertices.length / 3 }, (_, i) => i) };
  }
  throw new Error(`mesh "${name}" is no STL or OBJ file`);
}

function objVertices(text: string): number[] {
  const vertices: number[] = [];
  for (const match of text.matchAll(/^v\s+(\S+)\s+(\S+)\s+(\S+)/gm)) {
    vertices.push(Number(match[1]), Number(match[2]), Number(match[3]));
    if (vertices.length > 3 * maxVertices) break;
  }
  return vertices;
}

/** Faces as fans of triangles; a corner is "vertex/texture/normal", counted from 1, or from the end. */
function objCorners(text: string, numVertices: number): number[] {
  const corners: number[] = [];
  for (const match of text.matchAll(/^f\s+(.+)$/gm)) {
    const face = match[1]!
      .trim()
      .split(/\s+/)
      .map((corner) => {
        const index = Number.parseInt(corner, 10);
        return index < 0 ? numVertices + index : index - 1;
      });
    if (face.some((index) => !(index >= 0 && index < numVertices))) continue;
    for (let i = 2; i < face.length; i++) corners.push(face[0]!, face[i - 1]!, face[i]!);
  }
  return corners;
}

/** Binary: 80 bytes of anything, the number of triangles, 50 bytes each. */
function stlVertices(bytes: Uint8Array, name: string): number[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const count = bytes.length >= 84 ? view.getUint32(80, true) : 0;
  const vertices: number[] = [];
  if (84 + 50 * count !== bytes.length) {
    const text = new TextDecoder().decode(bytes);
    if (!/^\s*solid/.test(text)) throw new Error(`mesh "${name}" is cut or no STL file`);
    for (const match of text.matchAll(/vertex\s+(\S+)\s+(\S+)\s+(\S+)/g))
      vertices.push(Number(match[1]), Number(match[2]), Number(match[3]));
    return vertices;
  }
  for (let triangle = 0; triangle < count; triangle++) {
    for (let i = 0; i < 9; i++)
      vertices.push(view.getFloat32(84 + 50 * triangle + 12 + 4 * i, true));
  }
  return vertices;
}

/** The vertices that are outermost in some direction; fresh. */
export function outermost(vertices: readonly number[]): number[] {
  const chosen = new Set<number>();
  for (let d = 0; d < numDirections; d++) {
    // Fibonacci's spiral over the sphere.
    const z = 1 - (2 * d + 1) / numDirections;
    const radius = Math.sqrt(1 - z * z);
    const turn = d * goldenAngle;
    const [x, y] = [radius * cos(turn), radius * sin(turn)];
    let [best, most] = [0, Number.NEGATIVE_INFINITY];
    for (let i = 0; i < vertices.length; i += 3) {
      const reach = x * vertices[i]! + y * vertices[i + 1]! + z * vertices[i + 2]!;
      if (reach > most) [best, most] = [i, reach];
    }
    chosen.add(best);
  }
  const seen = new Set<string>();
  const points: number[] = [];
  for (const i of chosen) {
    const point = [vertices[i]!, vertices[i + 1]!, vertices[i + 2]!];
    if (seen.has(point.join())) continue;
    seen.add(point.join());
    points.push(...point);
  }
  return points;
}

const goldenAngle = Math.PI * (3 - Math.sqrt(5)); // rad

/**
 * What a mesh of a density weighs, summed over the tetrahedra between its triangles and its middle. As
 * MuJoCo does by default, all count as positive: exact for meshes that are seen whole from there, too much
 * for others, and something for those that are not closed.
 */
export function massOfMesh({ vertices, corners }: Triangles, density: number): MassProperties {
  const middle = middleOf(vertices, corners);
  let volume = 0;
  const first = [0, 0, 0];
  const second = [0, 0, 0, 0, 0, 0]; // ∫ xx yy zz xy xz yz
  for (let t = 0; t < corners.length; t += 3) {
    const [a, b, c] = [0, 1, 2].map((i) => cornerAt(vertices, corners[t + i]!, middle)) as [
      Vec3,
      Vec3,
      Vec3,
    ];
    const v = Math.abs(dot(a, cross(b, c))) / 6;
    volume += v;
    const sum = add(add(a, b), c);
    for (let i = 0; i < 3; i++) first[i]! += (v * sum[i]!) / 4;
    for (const [k, [i, j]] of pairs.entries()) {
      const products = a[i]! * a[j]! + b[i]! * b[j]! + c[i]! * c[j]! + sum[i]! * sum[j]!;
      second[k]! += (v * products) / 20;
    }
  }
  if (!(volume > 0)) throw new Error("the mesh encloses no volume");
  const center: Vec3 = [first[0]! / volume, first[1]! / volume, first[2]! / volume];
  const [xx, yy, zz, xy, xz, yz] = pairs.map(
    ([i, j], k) => density * (second[k]! - volume * center[i]! * center[j]!),
  ) as [number, number, number, number, number, number];
  return {
    mass: density * volume,
    position: add(center, middle),
    inertia: [yy + zz, xx + zz, xx + yy, -xy, -xz, -yz],
  };
}

const pairs = [[0, 0], [1, 1], [2, 2], [0, 1], [0, 2], [1, 2]] as const; // biome-ignore format: a table

function cornerAt(vertices: readonly number[], index: number, middle: Vec3): Vec3 {
  const at = 3 * index;
  return subtract([vertices[at]!, vertices[at + 1]!, vertices[at + 2]!], middle);
}

/** Mean of the triangles' middles, by area. */
function middleOf(vertices: readonly number[], corners: readonly number[]): Vec3 {
  let sum = zero;
  let area = 0;
  for (let t = 0; t < corners.length; t += 3) {
    const a = cornerAt(vertices, corners[t]!, zero);
    const b = cornerAt(vertices, corners[t + 1]!, zero);
    const c = cornerAt(vertices, corners[t + 2]!, zero);
    const size = length(cross(subtract(b, a), subtract(c, a))) / 2;
    sum = add(sum, scaled(add(add(a, b), c), size / 3));
    area += size;
  }
  return area > 0 ? scaled(sum, 1 / area) : zero;
}
