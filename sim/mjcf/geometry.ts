// MJCF orientations, geoms, sites and explicit inertia.

import {
  aboutAxis,
  add,
  cross,
  direction,
  dot,
  fromColumns,
  fromZAxis,
  identity,
  length,
  multiply,
  normalise,
  scale,
  subtract,
  zero,
} from "../frames.ts";
import { toInertial } from "../inertia.ts";
import type { Geom, Inertial, Quat, Rgba, Shape, Site, Vec3 } from "../model.ts";
import type { XmlElement } from "../xml.ts";
import { type Context, takeName } from "./context.ts";
import { support } from "./schema.ts";

export interface Frame {
  readonly position: Vec3;
  readonly rotation: Quat;
}

const axes: Readonly<Record<string, Vec3>> = { x: [1, 0, 0], y: [0, 1, 0], z: [0, 0, 1] };

/** `pos` and whichever orientation the element has. */
export function readFrame(context: Context, element: XmlElement): Frame {
  const position = context.source.vector(element, "pos") ?? zero;
  return { position, rotation: readRotation(context, element) };
}

function readRotation(context: Context, element: XmlElement): Quat {
  const { source, angleUnit } = context;
  const given = ["quat", "axisangle", "euler", "xyaxes", "zaxis"].filter((name) =>
    element.attributes.has(name),
  );
  if (given.length > 1) {
    source.problem(element, `<${element.name}> has more than one orientation: ${given.join(", ")}`);
  }
  const degenerate = (name: string): Quat => {
    source.problem(element, `${name} of <${element.name}> gives no direction`);
    return identity;
  };
  switch (given[0]) {
    case "quat": {
      const q = source.numbers(element, "quat", 4);
      return q ? (normalise([q[1]!, q[2]!, q[3]!, q[0]!]) ?? degenerate("quat")) : identity;
    }
    case "axisangle": {
      const a = source.numbers(element, "axisangle", 4);
      const axis = a && direction([a[0]!, a[1]!, a[2]!]);
      if (!a) return identity;
      return axis ? aboutAxis(axis, a[3]! * angleUnit) : degenerate("axisangle");
    }
    case "euler": {
      const angles = source.vector(element, "euler");
      return angles ? fromEuler(scale(angles, angleUnit), context.eulerSequence) : identity;
    }
    case "xyaxes": {
      const n = source.numbers(element, "xyaxes", 6);
      const x = n && direction([n[0]!, n[1]!, n[2]!]);
      const given: Vec3 = n ? [n[3]!, n[4]!, n[5]!] : zero;
      const y = x && direction(subtract(given, scale(x, dot(x, given))));
      if (!n) return identity;
      return y ? fromColumns(x, y, cross(x, y)) : degenerate("xyaxes");
    }
    case "zaxis": {
      const given = source.vector(element, "zaxis");
      const z = given && direction(given);
      return z ? fromZAxis(z) : given ? degenerate("zaxis") : identity;
    }
    default:
      return identity;
  }
}

/** Small letters turn about the moving axes, capital ones about the fixed axes. */
export function fromEuler(angles: Vec3, sequence: string): Quat {
  let rotation: Quat = identity;
  for (let i = 0; i < 3; i++) {
    const letter = sequence[i]!;
    const turn = aboutAxis(axes[letter.toLowerCase()]!, angles[i]!);
    const moving = letter === letter.toLowerCase();
    rotation = moving ? multiply(rotation, turn) : multiply(turn, rotation);
  }
  return rotation;
}

const shapeTypes = [
  "sphere",
  "capsule",
  "ellipsoid",
  "cylinder",
  "box",
  "plane",
  "mesh",
  "hfield",
  "sdf",
] as const;

/** A geom with its defaults; undefined where it cannot be had, which is then on the list. */
export function readGeom(
  context: Context,
  raw: XmlElement,
  childClass: string,
  hasInertial: boolean,
): Geom | undefined {
  const { source } = context;
  const element = context.defaults.apply(raw, "geom", childClass);
  const group = context.contacts ? (source.amount(element, "contype") ?? 1) : 0;
  const affinity = context.contacts ? (source.amount(element, "conaffinity") ?? 1) : 0;
  const type = geomType(context, element);
  if (!type) return undefined;
  const weighs = !hasInertial && source.number(element, "mass") !== 0;
  if (type === "mesh" || type === "hfield" || type === "sdf") {
    const drawnOnly = group === 0 && affinity === 0;
    if (type !== "mesh" && (!drawnOnly || weighs))
      return source.unsupported(element, `type "${type}"`);
    if (drawnOnly && !weighs)
      return source.warn(raw, `a geom of type "${type}" that is only drawn was left out`);
  } else if (element.attributes.has("mesh")) {
    return source.unsupported(element, `type "${type}" fitted to a mesh`);
  }
  const frame = readSegment(context, element, type) ?? {
    ...readFrame(context, element),
    half: undefined,
  };
  const shape =
    type === "mesh"
      ? context.meshes.hull(context, element, weighs)
      : readShape(context, element, type, frame.half);
  if (!shape) return undefined;
  if (source.number(element, "condim") === 1 && (group || affinity)) {
    source.warn(raw, 'condim="1": contacts have friction here');
  }
  const friction = source.numbers(element, "friction", 1, 3)?.[0];
  const rgba = readRgba(context, element);
  const mass = source.amount(element, "mass");
  const density = source.amount(element, "density");
  const name = element.attributes.has("name") && takeName(context, "geom", element, "");
  const material = element.attributes.get("material");
  return {
    ...(name && { name }),
    shape,
    position: frame.position,
    rotation: frame.rotation,
    ...(mass !== undefined && { mass }),
    ...(density !== undefined && mass === undefined && { density }),
    friction: friction ?? 1,
    group,
    affinity,
    ...(rgba && { rgba }),
    ...(material && { material }),
  };
}

function geomType(context: Context, element: XmlElement): (typeof shapeTypes)[number] | undefined {
  if (!element.attributes.has("type")) return element.attributes.has("mesh") ? "mesh" : "sphere";
  return context.source.choice(element, "type", shapeTypes);
}

interface Segment extends Frame {
  readonly half: number | undefined;
}

/** Where `fromto` puts a long shape; undefined without it. */
function readSegment(context: Context, element: XmlElement, type: string): Segment | undefined {
  const n = context.source.numbers(element, "fromto", 6);
  if (!n) return undefined;
  if (!["capsule", "cylinder", "box", "ellipsoid"].includes(type)) {
    return context.source.problem(element, `fromto does not suit type "${type}"`);
  }
  const from: Vec3 = [n[0]!, n[1]!, n[2]!];
  const to: Vec3 = [n[3]!, n[4]!, n[5]!];
  const axis = direction(subtract(from, to));
  if (!axis) return context.source.problem(element, "fromto has no length");
  const half = length(subtract(from, to)) / 2;
  return { position: scale(add(from, to), 0.5), rotation: fromZAxis(axis), half };
}

function readShape(
  context: Context,
  element: XmlElement,
  type: (typeof shapeTypes)[number],
  half: number | undefined,
): Shape | undefined {
  const { source } = context;
  if (type === "mesh" || type === "hfield" || type === "sdf") return undefined;
  const fewest = { sphere: 1, capsule: 2, cylinder: 2, ellipsoid: 3, box: 3, plane: 2 }[type];
  if (type === "plane" && !element.attributes.has("size")) return { type };
  const size = source.numbers(
    element,
    "size",
    half === undefined ? fewest : Math.max(1, fewest - 1),
    3,
  );
  if (!size) {
    if (!element.attributes.has("size")) source.required(element, "size");
    return undefined;
  }
  if (type === "plane") {
    const [x, y] = [size[0]!, size[1]!];
    return x > 0 && y > 0 ? { type, halfExtents: [x, y] } : { type };
  }
  const used = half === undefined ? size.slice(0, fewest) : [...size.slice(0, fewest - 1), half];
  if (used.some((value) => value <= 0)) {
    return source.problem(
      element,
      `size of <${element.name}> must be positive, got "${used.join(" ")}"`,
    );
  }
  const [a, b, c] = [used[0]!, used[1] ?? 0, used[2] ?? 0];
  if (type === "sphere") return { type, radius: a };
  if (type === "box") return { type, halfExtents: [a, b, c] };
  if (type === "ellipsoid") return { type, radii: [a, b, c] };
  return { type, radius: a, halfLength: b };
}

export function readRgba(context: Context, element: XmlElement): Rgba | undefined {
  const n = context.source.numbers(element, "rgba", 4);
  if (n) return [n[0]!, n[1]!, n[2]!, n[3]!];
  const material = element.attributes.get("material");
  return material === undefined ? undefined : context.materials.get(material);
}

export function readSite(context: Context, raw: XmlElement, childClass: string): Site {
  const element = context.defaults.apply(raw, "site", childClass);
  const frame = readSegment(context, element, "capsule") ?? readFrame(context, element);
  const radius = context.source.numbers(element, "size", 1, 3)?.[0];
  const rgba = readRgba(context, element);
  return {
    name: takeName(context, "site", element, "site"),
    position: frame.position,
    rotation: frame.rotation,
    ...(radius !== undefined && { radius }),
    ...(rgba && { rgba }),
  };
}

/** `<inertial>`: principal moments, or a full matrix that is turned to its principal axes. */
export function readInertial(context: Context, element: XmlElement): Inertial | undefined {
  const { source } = context;
  source.checkAttributes(element, support.inertial);
  source.required(element, "mass");
  const { position, rotation } = readFrame(context, element);
  const mass = source.amount(element, "mass");
  const full = source.numbers(element, "fullinertia", 6);
  const diagonal = source.vector(element, "diaginertia");
  if (mass === undefined) return undefined;
  if (!full && !diagonal) {
    return source.problem(element, "<inertial> needs diaginertia or fullinertia");
  }
  const inertial: Inertial = full
    ? turnedBy(
        toInertial({
          mass,
          position: zero,
          inertia: full as [number, number, number, number, number, number],
        }),
        position,
        rotation,
      )
    : { mass, position, rotation, moments: diagonal! };
  checkMoments(context, element, inertial.moments);
  return inertial;
}

function turnedBy(inertial: Inertial, position: Vec3, rotation: Quat): Inertial {
  return { ...inertial, position, rotation: multiply(rotation, inertial.rotation) };
}

/**
 * Moments of a real body are positive and none exceeds the sum of the others. Many URDF files break the
 * second rule, which does the solver no harm: `lenient` makes it a warning.
 */
export function checkMoments(
  { source }: Pick<Context, "source">,
  element: XmlElement,
  moments: Vec3,
  lenient = false,
): void {
  const [a, b, c] = [...moments].sort((x, y) => x - y) as [number, number, number];
  if (a < 0)
    source.problem(element, `moments of inertia must be positive, got ${moments.join(" ")}`);
  else if (c > (a + b) * (1 + 1e-6) + 1e-12) {
    const text = `no body has these moments of inertia: ${moments.join(" ")} (the largest exceeds the sum of the others)`;
    if (lenient) source.warn(element, `${text}; used as they are`);
    else source.problem(element, text);
  }
}
