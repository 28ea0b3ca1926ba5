// Shapes: a model's shape → geometry to draw, in the geom's own frame (z along capsules and cylinders).

import {
  BoxGeometry,
  BufferAttribute,
  BufferGeometry,
  CapsuleGeometry,
  CylinderGeometry,
  PlaneGeometry,
  SphereGeometry,
  Vector3,
} from "three";
import { ConvexGeometry } from "three/addons/geometries/ConvexGeometry.js";
import type { HeightfieldShape, Shape, Vec3 } from "../../../sim/model.ts";

const segments = 24; // around
const rings = 10; // of a capsule's cap

/** What to draw of a shape: equal keys share one geometry, stretched by `scale`. */
export interface Drawing {
  readonly key: string;
  readonly scale: Vec3;
  readonly geometry: () => BufferGeometry;
}

/** How a shape is drawn; fresh geometry at every call of `geometry`. */
export function drawingOf(shape: Shape): Drawing {
  switch (shape.type) {
    case "sphere":
      return unit("sphere", [shape.radius, shape.radius, shape.radius], sphere);
    case "ellipsoid":
      return unit("sphere", shape.radii, sphere);
    case "box":
      return unit("box", shape.halfExtents, () => new BoxGeometry(2, 2, 2));
    case "cylinder":
      return unit("cylinder", [shape.radius, shape.radius, shape.halfLength], cylinder);
    case "capsule": {
      // Caps are round whatever the length, so that only equal proportions share a geometry.
      const { radius, halfLength } = shape;
      const ratio = halfLength / radius;
      return unit(`capsule ${ratio.toFixed(4)}`, [radius, radius, radius], () =>
        upright(new CapsuleGeometry(1, 2 * ratio, rings, segments)),
      );
    }
    case "plane": {
      const [x, y] = shape.halfExtents ?? [50, 50];
      return unit("plane", [x || 50, y || 50, 1], () => new PlaneGeometry(2, 2));
    }
    case "heightfield":
      return unit(JSON.stringify(shape.size) + shape.heights.length, [1, 1, 1], () =>
        heightfield(shape),
      );
    case "convex":
      return unit(`convex ${shape.points.join()}`, [1, 1, 1], () =>
        convex(shape.points, shape.faces),
      );
  }
}

function unit(key: string, scale: Vec3, geometry: () => BufferGeometry): Drawing {
  return { key, scale, geometry };
}

function sphere(): BufferGeometry {
  return upright(new SphereGeometry(1, segments, segments / 2 + 4));
}

function cylinder(): BufferGeometry {
  return upright(new CylinderGeometry(1, 1, 2, segments * 2));
}

/** three.js' round shapes stand along y. */
function upright(geometry: BufferGeometry): BufferGeometry {
  return geometry.rotateX(Math.PI / 2);
}

function convex(points: readonly number[], faces?: readonly number[]): BufferGeometry {
  if (!faces) {
    const corners: Vector3[] = [];
    for (let i = 0; i < points.length; i += 3)
      corners.push(new Vector3(points[i]!, points[i + 1]!, points[i + 2]!));
    return new ConvexGeometry(corners);
  }
  const indexed = new BufferGeometry();
  indexed.setAttribute("position", new BufferAttribute(Float32Array.from(points), 3));
  indexed.setIndex([...faces]);
  const flat = indexed.toNonIndexed(); // faces keep their own normals
  flat.computeVertexNormals();
  return flat;
}

function heightfield({ rows, columns, heights, size }: HeightfieldShape): BufferGeometry {
  const geometry = new PlaneGeometry(size[0], size[1], columns - 1, rows - 1);
  const position = geometry.getAttribute("position");
  // A plane's vertices run from +y to −y, a field's rows from −y to +y.
  for (let row = 0; row < rows; row++) {
    for (let column = 0; column < columns; column++)
      position.setZ((rows - 1 - row) * columns + column, heights[row * columns + column]!);
  }
  geometry.computeVertexNormals();
  return geometry;
}
