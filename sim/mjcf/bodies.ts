// MJCF bodies and joints → links.

import { direction, zero } from "../frames.ts";
import { linkMass } from "../inertia.ts";
import type { Geom, Joint, Link, Range, Site } from "../model.ts";
import type { XmlElement } from "../xml.ts";
import { type Context, takeName } from "./context.ts";
import { readFrame, readGeom, readInertial, readSite } from "./geometry.ts";
import { harmlessParts, support } from "./schema.ts";

/** A link, and what later readers need to know of its element. */
export interface Body {
  readonly link: Link;
  readonly element: XmlElement;
  /** Bounds that the file sets on all drives of a joint together, by joint. */
  readonly driveLimits: ReadonlyMap<string, Range>;
}

export interface Bodies {
  readonly bodies: Body[]; // parents first
  readonly scenery: Geom[];
  readonly sites: Site[];
}

export function readWorld(context: Context, sections: readonly XmlElement[]): Bodies {
  const all: Bodies = { bodies: [], scenery: [], sites: [] };
  for (const section of sections) {
    context.source.checkAttributes(section, support.worldbody);
    for (const child of section.children) {
      if (child.name === "body") readBody(context, child, null, "main", all.bodies);
      else if (child.name === "geom") pushIf(all.scenery, readGeom(context, child, "main", true));
      else if (child.name === "site") all.sites.push(readSite(context, child, "main"));
      else if (!harmlessParts.includes(child.name)) context.source.unsupported(child);
    }
  }
  checkMasses(context, all.bodies);
  return all;
}

function readBody(
  context: Context,
  element: XmlElement,
  parent: string | null,
  outerClass: string,
  bodies: Body[],
): void {
  const { source } = context;
  source.checkAttributes(element, support.body);
  const name = takeName(context, "body", element, "body");
  if (element.attributes.get("mocap") === "true")
    source.warn(element, `body "${name}" is for motion capture: it stands still here`);
  const childClass = element.attributes.get("childclass") ?? outerClass;
  context.defaults.find(element, childClass);
  const inertialElement = element.children.find((child) => child.name === "inertial");
  const inertial = inertialElement && readInertial(context, inertialElement);
  const explicit = inertial !== undefined && context.inertiaFromGeom !== "true";
  if (!explicit && context.inertiaFromGeom === "false") {
    source.problem(element, `inertiafromgeom="false", but body "${name}" has no <inertial>`);
  }
  const joints: Joint[] = [];
  const geoms: Geom[] = [];
  const sites: Site[] = [];
  const driveLimits = new Map<string, Range>();
  const frame = readFrame(context, element);
  const gravityCompensation = source.number(element, "gravcomp");
  const link: Link = {
    name,
    parent,
    ...frame,
    ...(gravityCompensation && { gravityCompensation }),
    joints,
    ...(explicit && { inertial }),
    geoms,
    sites,
  };
  bodies.push({ link, element, driveLimits });
  for (const child of element.children) {
    if (child.name === "body") readBody(context, child, name, childClass, bodies);
    else if (child.name === "geom") pushIf(geoms, readGeom(context, child, childClass, explicit));
    else if (child.name === "site") sites.push(readSite(context, child, childClass));
    else if (child.name === "joint" || child.name === "freejoint") {
      pushIf(joints, readJoint(context, child, childClass, name, driveLimits));
    } else if (child.name !== "inertial" && !harmlessParts.includes(child.name)) {
      source.unsupported(child);
    }
  }
  checkJoints(context, element, link);
}

function pushIf<T>(list: T[], item: T | undefined): void {
  if (item !== undefined) list.push(item);
}

function checkJoints(
  { source }: Context,
  element: XmlElement,
  { joints, parent, name }: Link,
): void {
  if (joints.some((joint) => joint.type === "free")) {
    if (parent !== null)
      source.problem(element, `body "${name}" has a free joint but is no child of the world`);
    if (joints.length > 1)
      source.problem(element, `body "${name}" has joints beside its free joint`);
  }
  if (joints.filter((joint) => joint.type === "ball").length > 0 && joints.length > 1) {
    source.problem(element, `body "${name}" has joints beside its ball joint`);
  }
}

function readJoint(
  context: Context,
  raw: XmlElement,
  childClass: string,
  body: string,
  driveLimits: Map<string, Range>,
): Joint | undefined {
  const { source } = context;
  if (raw.name === "freejoint") {
    source.checkAttributes(raw, support.freejoint);
    return { type: "free", name: takeName(context, "joint", raw, `${body}_free`) };
  }
  const element = context.defaults.apply(raw, "joint", childClass);
  const type = element.attributes.has("type")
    ? source.choice(element, "type", ["hinge", "slide", "ball", "free"])
    : "hinge";
  if (!type) return undefined;
  const name = takeName(context, "joint", element, `${body}_${type}`);
  const drives = limitedRange(context, element, "actuatorfrcrange", "actuatorfrclimited");
  if (drives) driveLimits.set(name, drives);
  const damping = source.amount(element, "damping");
  const armature = source.amount(element, "armature");
  const base = { name, ...(damping && { damping }), ...(armature && { armature }) };
  if (type === "free") return { type, ...base };
  const anchor = source.vector(element, "pos") ?? zero;
  const stiffness = source.amount(element, "stiffness");
  const unit = type === "slide" ? 1 : context.angleUnit;
  const limits = limitedRange(context, element, "range", "limited");
  if (type === "ball") {
    return {
      type,
      ...base,
      anchor,
      ...(limits && { maxAngle: limits[1] * unit }),
      ...(stiffness && { stiffness }),
    };
  }
  const axis = source.vector(element, "axis") ?? [0, 0, 1];
  if (!direction(axis)) source.problem(element, `axis of joint "${name}" has no length`);
  const springRest = source.number(element, "springref");
  const reference = source.number(element, "ref");
  const frictionLoss = source.amount(element, "frictionloss");
  return {
    type,
    ...base,
    axis,
    anchor,
    ...(limits && { range: [limits[0] * unit, limits[1] * unit] as const }),
    ...(stiffness && { stiffness }),
    ...(springRest && { springRest: springRest * unit }),
    ...(reference && { reference: reference * unit }),
    ...(frictionLoss && { frictionLoss }),
  };
}

/** A range that is in force: said to be so, or by itself where the compiler sets limits automatically. */
export function limitedRange(
  context: Context,
  element: XmlElement,
  rangeName: string,
  flagName: string,
): Range | undefined {
  const { source } = context;
  const flag = source.choice(element, flagName, ["true", "false", "auto"]) ?? "auto";
  if (flag === "false") return undefined;
  const range = source.range(element, rangeName);
  if (flag === "true" && !element.attributes.has(rangeName)) {
    return source.problem(element, `${flagName}="true" needs ${rangeName}="…"`);
  }
  if (flag === "auto" && range && !context.autoLimits) {
    return source.problem(
      element,
      `${rangeName} needs ${flagName}="true" or "false", as autolimits is off`,
    );
  }
  // MuJoCo takes 0 0, its default, for no range.
  return range && range[0] === 0 && range[1] === 0 && flag === "auto" ? undefined : range;
}

/** Whatever moves must have a mass, its own or of parts welded to it. */
function checkMasses({ source }: Context, bodies: readonly Body[]): void {
  const carried = new Map<string, number>();
  for (const { link } of [...bodies].reverse()) {
    const mass = (carried.get(link.name) ?? 0) + linkMass(link).mass;
    carried.set(link.name, mass);
    if (link.joints.length === 0 && link.parent !== null) {
      carried.set(link.parent, (carried.get(link.parent) ?? 0) + mass);
    }
  }
  for (const { link, element } of bodies) {
    const moves = link.joints.length > 0;
    if (moves && !(carried.get(link.name)! > 0)) {
      source.problem(element, `body "${link.name}" moves but has no mass`);
    }
    if (moves && link.geoms.some((geom) => geom.shape.type === "plane")) {
      source.problem(element, `body "${link.name}" moves but has a plane`);
    }
  }
}
