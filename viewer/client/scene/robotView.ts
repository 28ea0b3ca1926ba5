// RobotView: draws any number of equal robots, one instanced mesh a kind of shape.

import {
  Color,
  DynamicDrawUsage,
  Group,
  InstancedMesh,
  type Material,
  Matrix4,
  MeshBasicMaterial,
  MeshStandardMaterial,
  SRGBColorSpace,
} from "three";
import type { Geom, Rgba, RobotModel } from "../../../sim/model.ts";
import { composeMatrix, type GeomPlace, placesOf, poseStride } from "./compose.ts";
import { type Drawing, drawingOf } from "./shapes.ts";

export interface RobotViewOptions {
  /** 1 where missing. */
  readonly numRobots?: number;
  /** Below 1 draws a ghost, without a shadow. */
  readonly opacity?: number;
  /** Colour of all geoms, as 0xrrggbb, instead of their own. */
  readonly tint?: number;
  /** Draws only what may touch, as wires. */
  readonly collision?: boolean;
}

interface Batch {
  readonly mesh: InstancedMesh;
  readonly places: readonly (GeomPlace & { readonly scale: Drawing["scale"] })[];
}

const plain: Rgba = [0.72, 0.72, 0.74, 1];

export class RobotView {
  readonly object = new Group();
  readonly numRobots: number;
  readonly numLinks: number;
  private readonly batches: readonly Batch[];

  constructor(model: RobotModel, options: RobotViewOptions = {}) {
    const { numRobots = 1, collision = false } = options;
    this.numRobots = numRobots;
    this.numLinks = model.links.length;
    const places = placesOf(model).filter(({ geom }) => !collision || touches(geom));
    this.batches = batchesOf(places, numRobots, options);
    for (const { mesh } of this.batches) this.object.add(mesh);
  }

  /** Moves every robot; `poses` is [robots, links, 7] and is not kept. */
  setPoses(poses: ArrayLike<number>): void {
    const { numRobots, numLinks } = this;
    for (const { mesh, places } of this.batches) {
      const matrices = mesh.instanceMatrix.array as Float32Array;
      let at = 0;
      for (let robot = 0; robot < numRobots; robot++) {
        for (const { link, geom, scale } of places) {
          const poseAt = (robot * numLinks + link) * poseStride;
          composeMatrix(matrices, at, poses, poseAt, geom, scale);
          at += 16;
        }
      }
      mesh.instanceMatrix.needsUpdate = true;
    }
  }

  /** The link under an instance that a ray met; undefined for a mesh that is not this robot's. */
  linkAt(mesh: unknown, instance: number): number | undefined {
    const batch = this.batches.find((each) => each.mesh === mesh);
    return batch?.places[instance % batch.places.length]?.link;
  }

  dispose(): void {
    this.object.removeFromParent();
    for (const { mesh } of this.batches) {
      mesh.geometry.dispose();
      (mesh.material as Material).dispose();
      mesh.dispose();
    }
  }
}

function batchesOf(
  places: readonly GeomPlace[],
  numRobots: number,
  options: RobotViewOptions,
): Batch[] {
  const groups = new Map<string, { drawing: Drawing; places: Batch["places"][number][] }>();
  for (const place of places) {
    const drawing = drawingOf(place.geom.shape);
    const group = groups.get(drawing.key) ?? { drawing, places: [] };
    const [x, y, z] = drawing.scale;
    const { shrink } = place;
    group.places.push({ ...place, scale: [shrink * x, shrink * y, shrink * z] });
    groups.set(drawing.key, group);
  }
  return [...groups.values()].map((group) => {
    const count = group.places.length * numRobots;
    const mesh = new InstancedMesh(group.drawing.geometry(), materialOf(options), count);
    paint(mesh, group.places, options.tint);
    mesh.instanceMatrix.setUsage(DynamicDrawUsage);
    mesh.frustumCulled = false; // bounds of instances would have to follow every frame
    mesh.castShadow = !options.collision && (options.opacity ?? 1) === 1;
    mesh.receiveShadow = mesh.castShadow;
    return { mesh, places: group.places };
  });
}

function paint(mesh: InstancedMesh, places: Batch["places"], tint: number | undefined): void {
  const color = new Color();
  const hidden = new Matrix4().makeScale(0, 0, 0);
  for (let i = 0; i < mesh.count; i++) {
    const [r, g, b] = places[i % places.length]!.geom.rgba ?? plain;
    if (tint === undefined) color.setRGB(r, g, b, SRGBColorSpace);
    else color.set(tint);
    mesh.setColorAt(i, color);
    mesh.setMatrixAt(i, hidden);
  }
}

function materialOf({ opacity = 1, collision = false }: RobotViewOptions): Material {
  if (collision) return new MeshBasicMaterial({ wireframe: true, transparent: true, opacity: 0.5 });
  const transparent = opacity < 1;
  return new MeshStandardMaterial({ roughness: 0.55, metalness: 0.05, opacity, transparent });
}

function touches({ group = 1, affinity = 1 }: Geom): boolean {
  return group !== 0 || affinity !== 0;
}
