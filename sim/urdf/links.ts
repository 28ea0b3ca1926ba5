// URDF links: inertia, collision and visual geometry.

import { identity, multiply, zero } from "../frames.ts";
import { toInertial } from "../inertia.ts";
import { hullOfMesh, type ReadBytes } from "../mesh.ts";
import { checkMoments, type Frame, fromEuler } from "../mjcf/geometry.ts";
import type { Geom, Inertial, Rgba, Shape } from "../model.ts";
import type { Source, Support } from "../source.ts";
import type { XmlElement } from "../xml.ts";

/** One URDF link, before links behind fixed joints are merged. */
export interface Part {
  readonly name: string;
  readonly element: XmlElement;
  readonly inertial: Inertial | undefined;
  readonly geoms: readonly Geom[];
}

const support = {
  link: { used: "name", ignored: "type" },
  origin: { used: "xyz rpy" },
  mass: { used: "value" },
  inertia: { used: "ixx ixy ixz iyy iyz izz" },
  named: { used: "", ignored: "name" },
  box: { used: "size" },
  sphere: { used: "radius" },
  cylinder: { used: "radius length" },
  mesh: { used: "filename scale" },
  color: { used: "rgba" },
} satisfies Record<string, Support>;

/** Parts of a link that are no URDF but that simulators and planners know. */
const extensions = "contact self_filter gravity kinematic surface collision_checking".split(" ");
const drawnOnly = { mass: 0, group: 0, affinity: 0 };
const invisible: Rgba = [0, 0, 0, 0];

export function readLink(
  source: Source,
  element: XmlElement,
  colours: readonly XmlElement[],
  readBytes?: ReadBytes,
): Part {
  source.checkAttributes(element, support.link);
  const name = source.required(element, "name");
  const visuals: Geom[] = [];
  const collisions: Geom[] = [];
  let inertial: Inertial | undefined;
  for (const child of element.children) {
    if (child.name === "inertial") inertial = readInertial(source, child);
    else if (child.name === "collision") {
      const geom = readGeometry(source, child, true, readBytes);
      if (geom) collisions.push({ ...geom, mass: 0 });
    } else if (child.name === "visual") {
      const geom = readGeometry(source, child, false);
      const rgba = readColour(source, child, colours);
      if (geom) visuals.push({ ...geom, ...drawnOnly, ...(rgba && { rgba }) });
    } else if (extensions.includes(child.name)) {
      source.warn(child, `<${child.name}> of <link> is another program's and was left out`);
    } else source.unsupported(child);
  }
  // What is drawn is the visual geometry; without it, what collides.
  const hidden = visuals.length > 0 ? { rgba: invisible } : {};
  return {
    name,
    element,
    inertial,
    geoms: [...visuals, ...collisions.map((geom) => ({ ...geom, ...hidden }))],
  };
}

/** The frame that an element's <origin> gives it. */
export function readOrigin(source: Source, element: XmlElement): Frame {
  const origin = element.children.find(({ name }) => name === "origin");
  if (!origin) return { position: zero, rotation: identity };
  source.checkAttributes(origin, support.origin);
  const angles = source.vector(origin, "rpy") ?? zero;
  return { position: source.vector(origin, "xyz") ?? zero, rotation: fromEuler(angles, "XYZ") };
}

function readInertial(source: Source, element: XmlElement): Inertial | undefined {
  const find = (wanted: string) => element.children.find(({ name }) => name === wanted);
  const [massElement, inertiaElement] = [find("mass"), find("inertia")];
  if (!massElement || !inertiaElement) {
    return source.problem(element, "<inertial> needs <mass> and <inertia>");
  }
  source.checkAttributes(massElement, support.mass);
  source.checkAttributes(inertiaElement, support.inertia);
  source.required(massElement, "value");
  const mass = source.amount(massElement, "value");
  const entry = (name: string) => source.number(inertiaElement, name) ?? 0;
  const inertia = [
    entry("ixx"),
    entry("iyy"),
    entry("izz"),
    entry("ixy"),
    entry("ixz"),
    entry("iyz"),
  ];
  if (mass === undefined) return undefined;
  const principal = toInertial({
    mass,
    position: zero,
    inertia: inertia as [number, number, number, number, number, number],
  });
  checkMoments({ source }, inertiaElement, principal.moments, true);
  const { position, rotation } = readOrigin(source, element);
  return { ...principal, position, rotation: multiply(rotation, principal.rotation) };
}

function readGeometry(
  source: Source,
  element: XmlElement,
  collides: boolean,
  readBytes?: ReadBytes,
): Geom | undefined {
  source.checkAttributes(element, support.named);
  const geometry = element.children.find(({ name }) => name === "geometry");
  const shapeElement = geometry?.children[0];
  if (!shapeElement)
    return source.problem(element, `<${element.name}> needs <geometry> with a shape`);
  const frame = readOrigin(source, element);
  if (shapeElement.name === "mesh" && !collides) {
    return source.warn(shapeElement, "a mesh that is only drawn was left out");
  }
  const shape =
    shapeElement.name === "mesh"
      ? readMesh(source, shapeElement, readBytes)
      : readShape(source, shapeElement);
  return shape && { shape, ...frame };
}

/** A mesh as its convex hull. */
function readMesh(
  source: Source,
  element: XmlElement,
  readBytes: ReadBytes | undefined,
): Shape | undefined {
  source.checkAttributes(element, support.mesh);
  const file = source.required(element, "filename");
  const scale = source.vector(element, "scale") ?? ([1, 1, 1] as const);
  if (file === "") return undefined;
  if (!readBytes) return source.unsupported(element, "this reader has one file alone");
  const bytes = readBytes(file);
  if (!bytes) return source.problem(element, `there is no file "${file}"`);
  try {
    return { type: "convex", points: hullOfMesh(bytes, file, scale) };
  } catch (error) {
    return source.problem(element, (error as Error).message);
  }
}

function readShape(source: Source, element: XmlElement): Shape | undefined {
  const positive = (name: string): number | undefined => {
    source.required(element, name);
    const value = source.number(element, name);
    if (value === undefined || value > 0) return value;
    return source.problem(element, `${name} of <${element.name}> must be positive, got ${value}`);
  };
  switch (element.name) {
    case "sphere": {
      source.checkAttributes(element, support.sphere);
      const radius = positive("radius");
      return radius ? { type: "sphere", radius } : undefined;
    }
    case "capsule":
    case "cylinder": {
      source.checkAttributes(element, support.cylinder);
      const [radius, length] = [positive("radius"), positive("length")];
      return radius && length ? { type: element.name, radius, halfLength: length / 2 } : undefined;
    }
    case "box": {
      source.checkAttributes(element, support.box);
      source.required(element, "size");
      const size = source.vector(element, "size");
      if (!size) return undefined;
      if (size.some((side) => side <= 0)) {
        return source.problem(element, `size of <box> must be positive, got ${size.join(" ")}`);
      }
      return { type: "box", halfExtents: [size[0] / 2, size[1] / 2, size[2] / 2] };
    }
    default:
      return source.unsupported(
        element,
        "shapes that collide are box, sphere, cylinder, capsule and mesh",
      );
  }
}

/** The colour of <material>: its own, or that of the robot's material of its name. */
function readColour(
  source: Source,
  visual: XmlElement,
  colours: readonly XmlElement[],
): Rgba | undefined {
  const own = visual.children.find(({ name }) => name === "material");
  if (!own) return undefined;
  const shared = colours.find(
    ({ attributes }) => attributes.get("name") === own.attributes.get("name"),
  );
  for (const material of [own, shared]) {
    const colour = material?.children.find(({ name }) => name === "color");
    if (!colour) continue;
    source.checkAttributes(colour, support.color);
    const n = source.numbers(colour, "rgba", 4);
    return n && [n[0]!, n[1]!, n[2]!, n[3]!];
  }
  return undefined;
}
