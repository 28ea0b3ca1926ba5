// What every reader of one MJCF file needs: where problems go, the defaults, the compiler's settings.

import type { Rgba } from "../model.ts";
import type { Source } from "../source.ts";
import type { XmlElement } from "../xml.ts";
import type { Defaults } from "./defaults.ts";
import type { Meshes } from "./meshes.ts";

export interface Context {
  readonly source: Source;
  readonly defaults: Defaults;
  /** Radians per unit of the file's angles. */
  readonly angleUnit: number;
  /** Axes of Euler angles; small letters turn with the body. */
  readonly eulerSequence: string;
  /** Whether a range alone makes a joint limited. */
  readonly autoLimits: boolean;
  readonly inertiaFromGeom: "true" | "false" | "auto";
  /** Whether anything touches: the option's flag. */
  readonly contacts: boolean;
  readonly meshes: Meshes;
  readonly materials: ReadonlyMap<string, Rgba>;
  /** Names given so far, by kind. */
  readonly names: ReadonlyMap<string, Set<string>>;
}

export const nameKinds = ["body", "joint", "geom", "site", "actuator", "sensor", "key"] as const;
export type NameKind = (typeof nameKinds)[number];

/** Takes the element's name, or else `fallback` (made unique); reports a name taken before. */
export function takeName(
  context: Context,
  kind: NameKind,
  element: XmlElement,
  fallback: string,
): string {
  const taken = context.names.get(kind)!;
  const given = element.attributes.get("name");
  let name = given || fallback;
  if (given && taken.has(given)) {
    context.source.problem(element, `the ${kind} name "${given}" is used twice`);
  }
  for (let i = 2; !given && taken.has(name); i++) name = `${fallback}_${i}`;
  taken.add(name);
  return name;
}
