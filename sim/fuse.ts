// Links without joints become part of the link that carries them, which costs the solver nothing.
//
// Such a link leaves a site of its name. One that hangs from the world stays: nothing carries it. So does
// one whose weight is compensated otherwise than its carrier's.

import { add, multiply, rotate } from "./frames.ts";
import { combine, linkMass, type MassProperties, moved, toInertial } from "./inertia.ts";
import type { Geom, Link, Quat, RobotModel, Site, Vec3 } from "./model.ts";

interface Frame {
  readonly position: Vec3;
  readonly rotation: Quat;
}

/** The same robot with fewer links. */
export function fuseLinks(model: RobotModel): RobotModel {
  const drafts = new Map<string, Draft>();
  const places = new Map<string, { readonly carrier: string; readonly frame: Frame }>();
  for (const link of model.links) {
    const place = link.parent === null ? undefined : places.get(link.parent);
    const carrier = place && drafts.get(place.carrier)!.link;
    const floats = (link.gravityCompensation ?? 0) !== (carrier?.gravityCompensation ?? 0);
    if (place && link.joints.length === 0 && !floats) {
      const frame = composed(place.frame, link);
      addPart(drafts.get(place.carrier)!, link, frame);
      places.set(link.name, { carrier: place.carrier, frame });
    } else {
      const within = place ? composed(place.frame, link) : link;
      const { position, rotation } = within;
      const parent = place?.carrier ?? null;
      const { inertial: _, ...rest } = link;
      const draft = {
        link: { ...rest, parent, position, rotation },
        masses: [],
        geoms: [],
        sites: [],
      };
      drafts.set(link.name, draft);
      addOwn(draft, link);
      places.set(link.name, { carrier: link.name, frame: home });
    }
  }
  const carrierOf = (name: string): string => places.get(name)?.carrier ?? name;
  const exclusions = (model.contactExclusions ?? [])
    .map(([a, b]) => [carrierOf(a), carrierOf(b)] as const)
    .filter(([a, b]) => a !== b && a !== "world" && b !== "world");
  return { ...model, links: [...drafts.values()].map(finish), contactExclusions: exclusions };
}

interface Draft {
  readonly link: Link;
  readonly masses: MassProperties[];
  readonly geoms: Geom[];
  readonly sites: Site[];
}

const home: Frame = { position: [0, 0, 0], rotation: [0, 0, 0, 1] };

function addOwn(draft: Draft, link: Link): void {
  draft.masses.push(linkMass(link));
  draft.geoms.push(...link.geoms);
  draft.sites.push(...(link.sites ?? []));
}

function addPart(draft: Draft, link: Link, frame: Frame): void {
  draft.masses.push(moved(linkMass(link), frame.position, frame.rotation));
  for (const geom of link.geoms) draft.geoms.push({ ...geom, ...composed(frame, geom) });
  for (const site of link.sites ?? []) draft.sites.push({ ...site, ...composed(frame, site) });
  draft.sites.push({ name: link.name, ...frame });
}

function finish({ link, masses, geoms, sites }: Draft): Link {
  const whole = combine(masses);
  return { ...link, geoms, sites, ...(whole.mass > 0 && { inertial: toInertial(whole) }) };
}

function composed(outer: Frame, inner: Frame): Frame {
  return {
    position: add(outer.position, rotate(outer.rotation, inner.position)),
    rotation: multiply(outer.rotation, inner.rotation),
  };
}
