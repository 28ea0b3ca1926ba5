// Meshes as convex hulls: the vertices of STL and OBJ files, thinned to those that lie outermost.
//
// A hull's collider is made anew at each reset, so few points count: the outermost vertex in each of some
// directions spread evenly over the sphere. The hull of these lies within the mesh's.

import { cos, sin } from "./math.ts";
import type { Vec3 } from "./model.ts";

/** Bytes of the file of that name; undefined where there is none. */
export type ReadBytes = (name: string) => Uint8Array | undefined;

const numDirections = 96;
const maxBytes = 64_000_000;
const maxVertices = 2_000_000;

/** Points x, y, z, x, … of a mesh's hull; throws in lower case where the file cannot be read. */
export function hullOfMesh(bytes: Uint8Array, name: string, scale: Vec3): number[] {
  if (bytes.length > maxBytes)
    throw new Error(`mesh "${name}" has ${bytes.length} bytes; at most ${maxBytes} are read`);
  const vertices = readVertices(bytes, name);
  if (vertices.length < 12) throw new Error(`mesh "${name}" has fewer than four vertices`);
  for (let i = 0; i < vertices.length; i++) {
    vertices[i] = vertices[i]! * scale[i % 3]!;
    if (!Number.isFinite(vertices[i]!))
      throw new Error(`mesh "${name}" has a vertex at ${vertices[i]}`);
  }
  return outermost(vertices);
}

function readVertices(bytes: Uint8Array, name: string): number[] {
  const ending = /\.(\w+)$/.exec(name)?.[1]?.toLowerCase();
  if (ending === "obj") return objVertices(new TextDecoder().decode(bytes));
  if (ending === "stl") return stlVertices(bytes, name);
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
function outermost(vertices: readonly number[]): number[] {
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
