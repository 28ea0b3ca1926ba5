// MJCF mesh assets: which file, how large.

import { massOfMesh, outermost, type ReadBytes, readMesh } from "../mesh.ts";
import type { Shape, Vec3 } from "../model.ts";
import { didYouMean } from "../source.ts";
import type { XmlElement } from "../xml.ts";
import type { Context } from "./context.ts";

interface MeshAsset {
  readonly element: XmlElement;
  /** The compiler's meshdir. */
  readonly folder: string;
}

/** The meshes of a file by name; each is read where a geom first needs it. */
export class Meshes {
  private readonly assets = new Map<string, MeshAsset>();
  private readonly shapes = new Map<string, Shape | undefined>();
  private readonly readBytes: ReadBytes | undefined;

  constructor(readBytes: ReadBytes | undefined) {
    this.readBytes = readBytes;
  }

  /** Adds a `<mesh>` of `<asset>`; `folder` is the compiler's meshdir. */
  add(element: XmlElement, folder: string): void {
    const file = element.attributes.get("file") ?? "";
    const name = element.attributes.get("name") ?? file.replace(/^.*\//, "").replace(/\.\w+$/, "");
    this.assets.set(name, { element, folder });
  }

  /** The hull of the mesh that a geom names, and what it weighs where that counts; undefined where it is on the list of problems. */
  hull(context: Context, geom: XmlElement, weighs: boolean): Shape | undefined {
    const { source } = context;
    const name = source.required(geom, "mesh");
    const key = `${name} ${weighs}`;
    if (this.shapes.has(key)) return this.shapes.get(key);
    const asset = this.assets.get(name);
    const shape = asset
      ? this.read(context, asset, weighs)
      : source.problem(geom, `unknown mesh "${name}"${didYouMean(name, [...this.assets.keys()])}`);
    this.shapes.set(key, shape);
    return shape;
  }

  private read(
    context: Context,
    { element: raw, folder }: MeshAsset,
    weighs: boolean,
  ): Shape | undefined {
    const { source } = context;
    const element = context.defaults.apply(raw, "mesh", "main");
    const name = source.required(element, "file");
    if (name === "") return undefined;
    const file = folder === "" ? name : `${folder.replace(/\/$/, "")}/${name}`;
    const scale = source.vector(element, "scale") ?? ([1, 1, 1] as Vec3);
    if (!this.readBytes) return source.unsupported(element, "this reader has one file alone");
    const bytes = this.readBytes(file);
    if (!bytes) return source.problem(element, `there is no file "${file}"`);
    try {
      const triangles = readMesh(bytes, file, scale);
      const points = outermost(triangles.vertices);
      return { type: "convex", points, ...(weighs && { solid: massOfMesh(triangles, 1) }) };
    } catch (error) {
      return source.problem(element, (error as Error).message);
    }
  }
}
