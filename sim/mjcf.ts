// MJCF (MuJoCo's robot files) → RobotModel.
//
// After MuJoCo's XML reference, https://mujoco.readthedocs.io/en/stable/XMLreference.html. Reads bodies,
// joints, geoms, sites, inertia, defaults, motor/position/velocity drives, sensors, contact exclusions and
// keyframes. mjcf/schema.ts lists what is left out on purpose; everything else is refused by file and line.

import { linkMass } from "./inertia.ts";
import type { ReadBytes } from "./mesh.ts";
import { type Bodies, readWorld } from "./mjcf/bodies.ts";
import { type Context, nameKinds } from "./mjcf/context.ts";
import { Defaults } from "./mjcf/defaults.ts";
import { readActuator, readExclusion, readKey, readSensor } from "./mjcf/drives.ts";
import { readRgba } from "./mjcf/geometry.ts";
import { expandIncludes, type ReadFile } from "./mjcf/include.ts";
import { Meshes } from "./mjcf/meshes.ts";
import { harmlessSections, support } from "./mjcf/schema.ts";
import type { Geom, Link, Rgba, RobotModel, Vec3 } from "./model.ts";
import { Source } from "./source.ts";
import { readXml, type XmlElement } from "./xml.ts";

export interface ImportOptions {
  /** Named in errors and warnings. */
  readonly file: string;
  /** Text of a file that `<include>` names; without it includes are refused. */
  readonly readFile?: ReadFile;
  /** Bytes of a mesh's file; without it meshes that collide are refused. */
  readonly readBytes?: ReadBytes;
}

export interface Imported {
  readonly model: RobotModel;
  /** What was left out and does no harm, as `file:line: message`. */
  readonly warnings: readonly string[];
}

const sections = [
  "compiler",
  "option",
  "default",
  "asset",
  "worldbody",
  "contact",
  "actuator",
  "sensor",
  "keyframe",
];

/** Reads a robot; throws one error that lists everything unsupported, each by file and line. */
export function parseMjcf(text: string, { file, readFile, readBytes }: ImportOptions): Imported {
  const source = new Source(file);
  const root = expandIncludes(source, readXml(text, file), readFile);
  if (root.name !== "mujoco")
    source.problem(root, `an MJCF file starts with <mujoco>, not <${root.name}>`);
  else source.checkAttributes(root, support.mujoco);
  source.finish();
  const part = (name: string): XmlElement[] => root.children.filter((child) => child.name === name);
  const items = (name: string): XmlElement[] => part(name).flatMap((section) => section.children);
  for (const child of root.children) {
    if (
      !sections.includes(child.name) &&
      !harmlessSections.includes(child.name) &&
      child.children.length + child.attributes.size > 0
    ) {
      if (child.name === "tendon") readTendons(source, child);
      else source.unsupported(child);
    }
  }
  const { context, totalMass } = createContext(source, part, items("asset"), readBytes);
  const world = readWorld(context, part("worldbody"));
  const model = assemble(context, world, root.attributes.get("model") ?? "robot", part, items);
  source.finish();
  return { model: totalMass ? scaledTo(model, totalMass) : model, warnings: source.warnings };
}

/** A tendon that has a name alone pulls nothing; drives that use it are refused where they stand. */
function readTendons(source: Source, section: XmlElement): void {
  for (const tendon of section.children) {
    const forces = [...tendon.attributes.keys()].filter((name) => !idleTendon.includes(name));
    if (forces.length > 0)
      source.unsupported(section, `"${forces.join(", ")}" of <${tendon.name}>`);
    else source.warn(tendon, `tendon <${tendon.name}> pulls nothing and was left out`);
  }
}

const idleTendon = "name group width material rgba user".split(" ");

type Select = (name: string) => XmlElement[];

function createContext(
  source: Source,
  part: Select,
  assets: readonly XmlElement[],
  readBytes: ReadBytes | undefined,
): { context: Context; totalMass: number | undefined } {
  const compiler = mergedCompiler(source, part("compiler"));
  const degrees = source.choice(compiler, "angle", ["degree", "radian"]) !== "radian";
  const sequence = compiler.attributes.get("eulerseq") ?? "xyz";
  if (!/^[xyzXYZ]{3}$/.test(sequence))
    source.problem(compiler, `eulerseq "${sequence}" is no three axes`);
  const materials = new Map<string, Rgba>();
  const context: Context = {
    source,
    defaults: new Defaults(source, part("default")),
    angleUnit: degrees ? Math.PI / 180 : 1,
    eulerSequence: /^[xyzXYZ]{3}$/.test(sequence) ? sequence : "xyz",
    autoLimits: source.choice(compiler, "autolimits", ["true", "false"]) !== "false",
    inertiaFromGeom:
      source.choice(compiler, "inertiafromgeom", ["true", "false", "auto"]) ?? "auto",
    contacts: !flags(part("option"), "contact").includes("disable"),
    meshes: new Meshes(readBytes),
    materials,
    names: new Map(nameKinds.map((kind) => [kind, new Set<string>()])),
  };
  for (const asset of assets.filter(({ name }) => name === "material")) {
    const element = context.defaults.apply(asset, "material", "main");
    const rgba = readRgba(context, element);
    if (rgba) materials.set(source.required(element, "name"), rgba);
  }
  const folder = compiler.attributes.get("meshdir") ?? compiler.attributes.get("assetdir") ?? "";
  for (const asset of assets) if (asset.name === "mesh") context.meshes.add(asset, folder);
  return { context, totalMass: source.amount(compiler, "settotalmass") };
}

/** What `<flag>` says of one thing, in every `<option>`. */
function flags(options: readonly XmlElement[], name: string): (string | undefined)[] {
  return options.flatMap(({ children }) =>
    children.filter((child) => child.name === "flag").map(({ attributes }) => attributes.get(name)),
  );
}

/** All `<compiler>` elements as one: later attributes count. */
function mergedCompiler(source: Source, elements: readonly XmlElement[]): XmlElement {
  const attributes = new Map<string, string>();
  for (const element of elements) {
    source.checkAttributes(element, support.compiler);
    for (const child of element.children) source.unsupported(child);
    for (const [name, value] of element.attributes) attributes.set(name, value);
  }
  const place = elements.at(-1) ?? { name: "compiler", file: "", line: 0, children: [] };
  return { ...place, attributes };
}

function assemble(
  context: Context,
  world: Bodies,
  name: string,
  part: Select,
  items: Select,
): RobotModel {
  const links = world.bodies.map(({ link }) => link);
  const sites = new Map<string, Pick<Link, "geoms">>();
  for (const site of world.sites) sites.set(site.name, { geoms: [] });
  for (const link of links) for (const site of link.sites ?? []) sites.set(site.name, link);
  const present = <T>(item: T | undefined): item is T => item !== undefined;
  const actuators = items("actuator").map((item) => readActuator(context, item, world.bodies));
  const sensors = items("sensor").map((item) => readSensor(context, item, sites));
  const exclusions = items("contact").map((item) => readExclusion(context, item, links));
  const keys = items("keyframe").map((item) => readKey(context, item, links));
  return {
    name,
    links,
    actuators: actuators.filter(present),
    sensors: sensors.filter(present),
    scenery: world.scenery,
    worldSites: world.sites,
    contactExclusions: exclusions.filter(present),
    poses: Object.fromEntries(keys.filter(present)),
    ...readOption(context, part("option")),
  };
}

function readOption(
  { source }: Context,
  elements: readonly XmlElement[],
): Pick<RobotModel, "timestep" | "gravity"> {
  let wanted: { timestep?: number; gravity?: Vec3 } = {};
  for (const element of elements) {
    source.checkAttributes(element, support.option);
    const timestep = source.amount(element, "timestep");
    const gravity = source.vector(element, "gravity");
    wanted = { ...wanted, ...(timestep && { timestep }), ...(gravity && { gravity }) };
    if (flags([element], "gravity").includes("disable")) wanted = { ...wanted, gravity: [0, 0, 0] };
    for (const child of element.children) {
      if (child.name === "flag") source.checkAttributes(child, support.flag);
      else source.unsupported(child);
    }
  }
  return wanted;
}

/** The model with all its masses multiplied so that they sum to `totalMass`. */
function scaledTo(model: RobotModel, totalMass: number): RobotModel {
  const present = model.links.reduce((sum, link) => sum + linkMass(link).mass, 0);
  const factor = totalMass / present;
  const geom = (old: Geom): Geom =>
    old.mass === undefined
      ? { ...old, density: (old.density ?? 1000) * factor }
      : { ...old, mass: old.mass * factor };
  const links = model.links.map((link) => {
    const { inertial } = link;
    const geoms = link.geoms.map(geom);
    if (!inertial) return { ...link, geoms };
    const [a, b, c] = inertial.moments;
    const moments: Vec3 = [a * factor, b * factor, c * factor];
    return { ...link, geoms, inertial: { ...inertial, mass: inertial.mass * factor, moments } };
  });
  return { ...model, links };
}
