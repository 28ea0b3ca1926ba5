// MJCF actuators, sensors, contact exclusions and keyframes.

import type { Actuator, Joint, Link, Pose, Range, Sensor } from "../model.ts";
import { didYouMean } from "../source.ts";
import type { XmlElement } from "../xml.ts";
import { type Body, limitedRange } from "./bodies.ts";
import { type Context, takeName } from "./context.ts";
import { support } from "./schema.ts";

const kinds = ["motor", "position", "velocity", "general"];

/** One drive; undefined where it is on the list of problems. */
export function readActuator(
  context: Context,
  raw: XmlElement,
  bodies: readonly Body[],
): Actuator | undefined {
  const { source } = context;
  if (!kinds.includes(raw.name)) return source.unsupported(raw, `drives are ${kinds.join(", ")}`);
  const element = context.defaults.apply(raw, "actuator", "main");
  const jointName = source.required(element, "joint");
  const body = bodies.find(({ link }) => link.joints.some(({ name }) => name === jointName));
  const joint = body?.link.joints.find(({ name }) => name === jointName);
  if (!body || !joint) {
    const known = bodies.flatMap(({ link }) => link.joints.map(({ name }) => name));
    const hint = didYouMean(jointName, known);
    return element.attributes.has("joint")
      ? source.problem(element, `unknown joint "${jointName}"${hint}`)
      : undefined;
  }
  if (joint.type === "ball" || joint.type === "free") {
    return source.unsupported(
      element,
      `"${jointName}" is a ${joint.type} joint; drives act on hinges and slides`,
    );
  }
  const law = readLaw(context, element);
  if (!law) return undefined;
  const gear = readGear(context, element);
  const controlRange = readControlRange(context, element, joint);
  const forceRange = narrowed(
    limitedRange(context, element, "forcerange", "forcelimited"),
    body.driveLimits.get(jointName),
    gear,
  );
  return {
    name: takeName(context, "actuator", element, jointName),
    joint: jointName,
    ...law,
    ...(gear !== 1 && { gear }),
    ...(controlRange && { controlRange }),
    ...(forceRange && { forceRange }),
  };
}

/** The drive's kind and gains; of `general` the forms that are a motor, a position or a velocity drive. */
function readLaw(
  context: Context,
  element: XmlElement,
): Pick<Actuator, "type" | "kp" | "kv"> | undefined {
  const { source } = context;
  const kp = source.amount(element, "kp");
  const kv = source.amount(element, "kv");
  switch (element.name) {
    case "motor":
      return { type: "motor" };
    case "position":
      return { type: "position", kp: kp ?? 1, ...(kv && { kv }) };
    case "velocity":
      return { type: "velocity", kv: kv ?? 1 };
    default:
      return readGeneral(context, element);
  }
}

function readGeneral(
  context: Context,
  element: XmlElement,
): Pick<Actuator, "type" | "kp" | "kv"> | undefined {
  const { source } = context;
  const word = (name: string, fallback: string) => element.attributes.get(name) ?? fallback;
  const gain = source.numbers(element, "gainprm", 1, 10)?.[0] ?? 1;
  const [b0 = 0, b1 = 0, b2 = 0] = source.numbers(element, "biasprm", 1, 10) ?? [];
  const [dynamics, gainType, biasType] = [
    word("dyntype", "none"),
    word("gaintype", "fixed"),
    word("biastype", "none"),
  ];
  if (dynamics === "none" && gainType === "fixed") {
    const unbiased = biasType === "none" || (b0 === 0 && b1 === 0 && b2 === 0);
    if (unbiased && gain === 1) return { type: "motor" };
    if (biasType === "affine" && b0 === 0) {
      if (b1 === -gain && gain > 0 && b2 <= 0) {
        return { type: "position", kp: gain, ...(b2 && { kv: -b2 }) };
      }
      if (b1 === 0 && b2 === -gain && gain > 0) return { type: "velocity", kv: gain };
    }
  }
  return source.unsupported(
    element,
    `dyntype ${dynamics}, gaintype ${gainType} ${gain}, biastype ${biasType} ${b0} ${b1} ${b2} is no motor, position or velocity drive`,
  );
}

function readGear({ source }: Context, element: XmlElement): number {
  const [gear = 1, ...others] = source.numbers(element, "gear", 1, 6) ?? [];
  if (others.some((value) => value !== 0))
    source.problem(element, "gear of several directions is not supported");
  if (gear === 0) source.problem(element, "gear is 0");
  return gear;
}

function readControlRange(context: Context, element: XmlElement, joint: Joint): Range | undefined {
  const inherit = context.source.amount(element, "inheritrange");
  const range = "range" in joint ? joint.range : undefined;
  if (inherit && !range)
    return context.source.problem(element, `inheritrange, but joint "${joint.name}" has no range`);
  if (inherit && range) {
    const middle = (range[0] + range[1]) / 2;
    const half = ((range[1] - range[0]) / 2) * inherit;
    return [middle - half, middle + half];
  }
  return limitedRange(context, element, "ctrlrange", "ctrllimited");
}

/** The drive's own bounds within those of its joint, which count after the gear. */
function narrowed(
  own: Range | undefined,
  joint: Range | undefined,
  gear: number,
): Range | undefined {
  if (!joint) return own;
  const [a, b] = [joint[0] / gear, joint[1] / gear];
  const [low, high] = a < b ? [a, b] : [b, a];
  return own ? [Math.max(low, own[0]), Math.min(high, own[1])] : [low, high];
}

const sensorTypes = ["accelerometer", "gyro", "velocimeter", "force", "touch"] as const;

/** A sensor; those without a counterpart measure nothing here, which does no harm to the motion. */
export function readSensor(
  context: Context,
  element: XmlElement,
  sites: ReadonlyMap<string, Pick<Link, "geoms">>,
): Sensor | undefined {
  const { source } = context;
  const type = sensorTypes.find((name) => name === element.name);
  if (!type)
    return source.warn(element, `sensor <${element.name}> has no counterpart and was left out`);
  source.checkAttributes(element, support.sensor);
  const site = source.required(element, "site");
  if (site && !sites.has(site)) {
    return source.problem(element, `unknown site "${site}"${didYouMean(site, [...sites.keys()])}`);
  }
  if (type === "force") {
    source.warn(
      element,
      "<force> measures contact forces on the site's body, not the pull of its parent",
    );
  }
  if (type === "touch" && sites.get(site)!.geoms.length > 1) {
    source.warn(element, "<touch> counts contacts of the whole body, not of its site alone");
  }
  return { name: takeName(context, "sensor", element, `${site}_${type}`), type, site };
}

export function readExclusion(
  { source }: Context,
  element: XmlElement,
  links: readonly Link[],
): readonly [string, string] | undefined {
  if (element.name !== "exclude") return source.unsupported(element);
  source.checkAttributes(element, support.exclude);
  const pair = [source.required(element, "body1"), source.required(element, "body2")] as const;
  for (const name of pair) {
    if (name === "" || name === "world" || links.some((link) => link.name === name)) continue;
    const hint = didYouMean(
      name,
      links.map((link) => link.name),
    );
    source.problem(element, `unknown body "${name}"${hint}`);
  }
  return pair;
}

/** A keyframe's joint values; MuJoCo's quaternions begin with w. */
export function readKey(
  context: Context,
  element: XmlElement,
  links: readonly Link[],
): [string, Pose] | undefined {
  const { source } = context;
  source.checkAttributes(element, support.key);
  const joints = links.flatMap((link) => link.joints);
  const widths = joints.map(({ type }) => ({ free: 7, ball: 4, hinge: 1, slide: 1 })[type]);
  const wanted = widths.reduce((sum, width) => sum + width, 0);
  const name = takeName(context, "key", element, "key");
  const values = source.numbers(element, "qpos", wanted);
  if (!values) return undefined;
  const pose: Record<string, readonly number[]> = {};
  let at = 0;
  joints.forEach((joint, i) => {
    const own = values.slice(at, at + widths[i]!);
    at += widths[i]!;
    if (joint.type === "free") own.push(...own.splice(3, 1));
    if (joint.type === "ball") own.push(...own.splice(0, 1));
    pose[joint.name] = own;
  });
  return [name, pose];
}
