// URDF joints.

import { cross, direction, zero } from "../frames.ts";
import type { Frame } from "../mjcf/geometry.ts";
import type { Actuator, Joint, Range, Vec3 } from "../model.ts";
import type { Source, Support } from "../source.ts";
import type { XmlElement } from "../xml.ts";
import { readOrigin } from "./links.ts";

/** A joint between two links; a fixed one has no joints of the model. */
export interface UrdfJoint extends Frame {
  readonly name: string;
  readonly element: XmlElement;
  readonly parent: string;
  readonly child: string;
  readonly joints: readonly Joint[];
  readonly actuator: Actuator | undefined;
  /** Whether the file limits its speed, which is not enforced. */
  readonly limitsSpeed: boolean;
}

const support = {
  joint: { used: "name type", ignored: "dont_collapse" },
  end: { used: "link" },
  axis: { used: "xyz" },
  limit: {
    used: "lower upper effort velocity",
    ignored: "acceleration deceleration jerk command_effort current gear_velocity",
  },
  dynamics: { used: "damping friction", ignored: "D K mu_coulomb mu_viscous" },
} satisfies Record<string, Support>;

const types = ["revolute", "continuous", "prismatic", "fixed", "floating", "planar"] as const;
const known = "origin parent child axis limit dynamics calibration safety_controller".split(" ");

export function readJoint(source: Source, element: XmlElement): UrdfJoint | undefined {
  source.checkAttributes(element, support.joint);
  for (const child of element.children) if (!known.includes(child.name)) source.unsupported(child);
  const name = source.required(element, "name");
  source.required(element, "type");
  const type = source.choice(element, "type", types);
  const find = (wanted: string) => element.children.find((child) => child.name === wanted);
  const end = (wanted: string): string => {
    const found = find(wanted);
    if (!found) source.problem(element, `<joint> needs <${wanted} link="…"/>`);
    else source.checkAttributes(found, support.end);
    return found ? source.required(found, "link") : "";
  };
  const [parent, child] = [end("parent"), end("child")];
  if (!type || !parent || !child) return undefined;
  const limit = find("limit");
  if (limit) source.checkAttributes(limit, support.limit);
  const joints = createJoints(source, element, name, type, limit);
  const effort = limit && source.amount(limit, "effort");
  const drives = effort && ["revolute", "continuous", "prismatic"].includes(type);
  return {
    name,
    element,
    parent,
    child,
    ...readOrigin(source, element),
    joints,
    actuator: drives ? { name, type: "motor", joint: name, gear: effort } : undefined,
    limitsSpeed: limit?.attributes.has("velocity") ?? false,
  };
}

function createJoints(
  source: Source,
  element: XmlElement,
  name: string,
  type: (typeof types)[number],
  limit: XmlElement | undefined,
): Joint[] {
  if (type === "fixed") return [];
  if (type === "floating") return [{ type: "free", name }];
  const axis = readAxis(source, element);
  const range =
    type === "continuous" || type === "planar" ? undefined : readLimits(source, element, limit);
  const dynamics = element.children.find((child) => child.name === "dynamics");
  if (dynamics) source.checkAttributes(dynamics, support.dynamics);
  const damping = dynamics && source.amount(dynamics, "damping");
  const frictionLoss = dynamics && source.amount(dynamics, "friction");
  const common = {
    anchor: zero,
    ...(range && { range }),
    ...(damping && { damping }),
    ...(frictionLoss && { frictionLoss }),
  };
  if (type === "planar") return planar(name, axis, common);
  return [{ type: type === "prismatic" ? "slide" : "hinge", name, axis, ...common }];
}

function readAxis(source: Source, element: XmlElement): Vec3 {
  const axis = element.children.find((child) => child.name === "axis");
  if (axis) source.checkAttributes(axis, support.axis);
  const given = (axis && source.vector(axis, "xyz")) ?? ([1, 0, 0] as const);
  if (!direction(given)) source.problem(axis ?? element, "the axis has no length");
  return given;
}

function readLimits(
  source: Source,
  element: XmlElement,
  limit: XmlElement | undefined,
): Range | undefined {
  if (!limit) return source.problem(element, "a revolute or prismatic joint needs <limit>");
  const low = source.number(limit, "lower") ?? 0;
  const high = source.number(limit, "upper") ?? 0;
  if (low <= high) return [low, high];
  return source.problem(limit, `the limits are upside down: ${low} to ${high}`);
}

/** Two slides across the axis and a hinge about it. */
function planar(
  name: string,
  axis: Vec3,
  common: { readonly anchor: Vec3; readonly damping?: number; readonly frictionLoss?: number },
): Joint[] {
  const normal = direction(axis) ?? [0, 0, 1];
  const least = Math.abs(normal[0]) < 0.9 ? ([1, 0, 0] as const) : ([0, 1, 0] as const);
  const second = direction(cross(normal, least))!;
  const first = cross(second, normal);
  return [
    { type: "slide", name: `${name}_x`, axis: first, ...common },
    { type: "slide", name: `${name}_y`, axis: second, ...common },
    { type: "hinge", name, axis: normal, ...common },
  ];
}
