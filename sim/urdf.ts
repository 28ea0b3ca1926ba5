// URDF (ROS robot files) → RobotModel.
//
// After http://wiki.ros.org/urdf/XML. Differs: links behind fixed joints become part of the link that
// carries them and leave a site of their name; every joint with an effort limit gets a motor of that
// strength; a link's mass is what <inertial> says, its geometry weighs nothing. Left out on purpose:
// <transmission>, <gazebo>, <calibration>, <safety_controller>, velocity limits.

import { add, multiply, rotate } from "./frames.ts";
import { combine, linkMass, type MassProperties, moved, toInertial } from "./inertia.ts";
import type { ReadBytes } from "./mesh.ts";
import type { Actuator, Geom, Inertial, Joint, Link, RobotModel, Site } from "./model.ts";
import { didYouMean, Source } from "./source.ts";
import { readJoint, type UrdfJoint } from "./urdf/joints.ts";
import { type Part, readLink } from "./urdf/links.ts";
import { readXml, type XmlElement } from "./xml.ts";

export interface UrdfOptions {
  /** Named in errors and warnings. */
  readonly file: string;
  /** Whether the root link is free to move; else it stands still in the world. */
  readonly floatingBase?: boolean;
  /** Bytes of a mesh's file; without it meshes that collide are refused. */
  readonly readBytes?: ReadBytes;
}

const ignored = ["transmission", "gazebo", "material"];

/** Reads a robot; throws one error that lists everything unsupported, each by file and line. */
export function parseUrdf(
  text: string,
  { file, floatingBase = false, readBytes }: UrdfOptions,
): { readonly model: RobotModel; readonly warnings: readonly string[] } {
  const source = new Source(file);
  const root = readXml(text, file);
  if (root.name !== "robot")
    source.problem(root, `a URDF file starts with <robot>, not <${root.name}>`);
  source.finish();
  const { parts, joints } = readParts(source, root, readBytes);
  source.finish();
  const order = treeOrder(source, root, parts, joints);
  source.finish();
  const model = assemble(source, root.attributes.get("name") ?? "robot", order, floatingBase);
  source.finish();
  return { model, warnings: source.warnings };
}

function readParts(
  source: Source,
  root: XmlElement,
  readBytes: ReadBytes | undefined,
): { parts: Map<string, Part>; joints: UrdfJoint[] } {
  const colours = root.children.filter((child) => child.name === "material");
  const parts = new Map<string, Part>();
  const joints: UrdfJoint[] = [];
  for (const child of root.children) {
    if (child.name === "link") {
      const part = readLink(source, child, colours, readBytes);
      if (parts.has(part.name)) source.problem(child, `the link name "${part.name}" is used twice`);
      parts.set(part.name, part);
    } else if (child.name === "joint") {
      const joint = readJoint(source, child);
      if (!joint) continue;
      if (joints.some(({ name }) => name === joint.name)) {
        source.problem(child, `the joint name "${joint.name}" is used twice`);
      }
      joints.push(joint);
    } else if (!ignored.includes(child.name)) source.unsupported(child);
  }
  if (parts.size === 0) source.problem(root, "the robot has no link");
  warnOnce(source, root, joints);
  return { parts, joints };
}

function warnOnce(source: Source, root: XmlElement, joints: readonly UrdfJoint[]): void {
  const gazebo = root.children.find(({ name }) => name === "gazebo");
  if (gazebo) source.warn(gazebo, "<gazebo> elements are left out");
  const fast = joints.find(({ limitsSpeed }) => limitsSpeed);
  if (fast) source.warn(fast.element, "velocity limits of joints are not enforced");
}

/** A link with the joint that holds it; the root has none. */
interface Placed {
  readonly part: Part;
  readonly joint: UrdfJoint | undefined;
}

/** Links, parents first; reports links with two parents, loops and loose ends. */
function treeOrder(
  source: Source,
  root: XmlElement,
  parts: ReadonlyMap<string, Part>,
  joints: readonly UrdfJoint[],
): Placed[] {
  const holders = new Map<string, UrdfJoint>();
  const children = new Map<string, UrdfJoint[]>();
  for (const joint of joints) {
    for (const end of [joint.parent, joint.child]) {
      if (parts.has(end)) continue;
      source.problem(joint.element, `unknown link "${end}"${didYouMean(end, [...parts.keys()])}`);
    }
    const other = holders.get(joint.child);
    if (other) {
      source.problem(
        joint.element,
        `link "${joint.child}" has two parents: "${other.parent}" and "${joint.parent}"`,
      );
    }
    holders.set(joint.child, joint);
    children.set(joint.parent, [...(children.get(joint.parent) ?? []), joint]);
  }
  const roots = [...parts.values()].filter(({ name }) => !holders.has(name));
  if (roots.length === 0) source.problem(root, "every link has a parent: the links form a loop");
  if (roots.length > 1) {
    const names = roots.map(({ name }) => `"${name}"`).join(", ");
    source.problem(roots[1]!.element, `a robot has one root, got ${names}`);
  }
  source.finish();
  const order: Placed[] = [{ part: roots[0]!, joint: undefined }];
  for (const { part } of order) {
    for (const joint of children.get(part.name) ?? []) {
      order.push({ part: parts.get(joint.child)!, joint });
    }
  }
  const reached = new Set(order.map(({ part }) => part.name));
  for (const part of parts.values()) {
    if (!reached.has(part.name))
      source.problem(part.element, `link "${part.name}" is part of a loop`);
  }
  return order;
}

/** A link under construction: its own part and those welded to it, all in its frame. */
interface Draft {
  readonly name: string;
  readonly element: XmlElement;
  readonly parent: string | null;
  readonly frame: Pick<Link, "position" | "rotation">;
  readonly joints: readonly Joint[];
  readonly masses: MassProperties[];
  readonly geoms: Geom[];
  readonly sites: Site[];
}

const home = { position: [0, 0, 0], rotation: [0, 0, 0, 1] } as const;

function assemble(
  source: Source,
  name: string,
  order: readonly Placed[],
  floatingBase: boolean,
): RobotModel {
  const drafts: Draft[] = [];
  const carriers = new Map<string, { draft: Draft; frame: Draft["frame"] }>();
  const actuators: Actuator[] = [];
  for (const { part, joint } of order) {
    const carrier = joint && carriers.get(joint.parent)!;
    const frame = carrier ? composed(carrier.frame, joint) : home;
    if (carrier && joint.joints.length === 0) {
      addPart(carrier.draft, part, frame);
      carrier.draft.sites.push({ name: part.name, ...frame });
      carriers.set(part.name, { draft: carrier.draft, frame });
      continue;
    }
    const free = joint?.joints[0]?.type === "free";
    if (free && carrier!.draft.parent !== null) {
      source.unsupported(joint.element, "a floating joint must hang from the root");
    }
    const joints = joint?.joints ?? (floatingBase ? [freeJoint(part)] : []);
    const parent = carrier && !free ? carrier.draft.name : null;
    const draft = {
      name: part.name,
      element: part.element,
      parent,
      frame,
      joints,
      masses: [],
      geoms: [],
      sites: [],
    };
    addPart(draft, part, home);
    drafts.push(draft);
    carriers.set(part.name, { draft, frame: home });
    if (joint?.actuator) actuators.push(joint.actuator);
  }
  const links = drafts.map((draft) => finishLink(source, draft));
  return { name, links: withoutEmptyRoot(links), actuators };
}

function freeJoint({ name }: Part): Joint {
  return { type: "free", name: `${name}_free` };
}

function composed(outer: Draft["frame"], inner: Draft["frame"]): Draft["frame"] {
  return {
    position: add(outer.position, rotate(outer.rotation, inner.position)),
    rotation: multiply(outer.rotation, inner.rotation),
  };
}

function addPart(draft: Draft, part: Part, frame: Draft["frame"]): void {
  if (part.inertial) {
    const own = linkMass({
      ...home,
      name: "",
      parent: null,
      joints: [],
      geoms: [],
      inertial: part.inertial,
    });
    draft.masses.push(moved(own, frame.position, frame.rotation));
  }
  for (const geom of part.geoms) draft.geoms.push({ ...geom, ...composed(frame, geom) });
}

function finishLink(source: Source, draft: Draft): Link {
  const total = combine(draft.masses);
  if (draft.joints.length > 0 && total.mass <= 0) {
    source.problem(
      draft.element,
      `link "${draft.name}" moves but has no mass: it needs <inertial>`,
    );
  }
  const inertial: Inertial | undefined = total.mass > 0 ? toInertial(total) : undefined;
  return {
    name: draft.name,
    parent: draft.parent,
    ...draft.frame,
    joints: draft.joints,
    ...(inertial && { inertial }),
    geoms: draft.geoms,
    sites: draft.sites,
  };
}

/** Many files begin with an empty link called world, which is the world. */
function withoutEmptyRoot(links: readonly Link[]): readonly Link[] {
  const [root, ...others] = links;
  const empty =
    root!.joints.length + root!.geoms.length + root!.sites!.length === 0 && !root!.inertial;
  if (!empty || others.length === 0) return links;
  return others.map((link) => (link.parent === root!.name ? { ...link, parent: null } : link));
}
