// Sensors of a model: accelerometer, gyro, velocimeter, contact force and touch.

import type { Quat, Sensor, Site, Vec3 } from "./model.ts";
import type { Shared } from "./shared.ts";
import {
  addCrossAt,
  addScaledAt,
  multiplyAt,
  rotateAt,
  rotateBackAt,
  subtractAt,
} from "./vectors.ts";
import type { World } from "./world.ts";

export interface Sensors {
  /** The named sensor's numbers; a view, valid until the next call. */
  read(name: string): Float64Array;
  /** A site's place in the world, relative to the world's origin; a view, valid until the next call. */
  site(name: string): { readonly position: Float64Array; readonly rotation: Float64Array };
  /** Before a control step: remembers velocities, from which accelerations follow. */
  beforeSteps(): void;
  reset(): void;
}

interface PlacedSite {
  readonly link: number; // −1 is the world
  readonly position: Vec3;
  readonly rotation: Quat;
}

export function createSensors(world: World, shared: Shared): Sensors {
  const { model } = world;
  const sites = new Map<string, PlacedSite>();
  const add = (link: number, all: readonly Site[] = []): void => {
    for (const { name, position, rotation } of all) sites.set(name, { link, position, rotation });
  };
  add(-1, model.worldSites);
  for (const [index, link] of model.links.entries()) add(index, link.sites);
  const sensors = new Map((model.sensors ?? []).map((sensor) => [sensor.name, sensor]));
  for (const sensor of sensors.values()) {
    const site = siteNamed(sites, sensor.site);
    if (site.link < 0) throw new Error(`sensor "${sensor.name}" is on no link`);
  }
  const accelerometers = [...sensors.values()].filter(({ type }) => type === "accelerometer");
  const earlier = new Float64Array(accelerometers.length * 3);
  let earlierTime = 0;
  const position = new Float64Array(3);
  const rotation = new Float64Array(4);
  const outputs = new Map<string, Float64Array>();
  for (const { name, type } of sensors.values())
    outputs.set(name, new Float64Array(type === "touch" ? 1 : 3));

  function place({ link, position: p, rotation: r }: PlacedSite): void {
    if (link < 0) {
      position.set(p);
      rotation.set(r);
      return;
    }
    rotateAt(position, 0, world.linkRotations, 4 * link, p, 0);
    addScaledAt(position, 0, world.linkPositions, 3 * link, 1);
    multiplyAt(rotation, 0, world.linkRotations, 4 * link, r, 0);
  }

  /** The placed site's velocity in the world's axes. */
  function velocityAt(out: Float64Array, o: number, { link }: PlacedSite): void {
    subtractAt(arm, 0, position, 0, world.linkCenters, 3 * link);
    for (let i = 0; i < 3; i++) out[o + i] = world.linkVelocities[3 * link + i]!;
    addCrossAt(out, o, world.linkAngularVelocities, 3 * link, arm, 0);
  }

  function write(sensor: Sensor, out: Float64Array): void {
    const site = siteNamed(sites, sensor.site);
    place(site);
    if (sensor.type === "touch") out[0] = world.contacts.normalForce(site.link);
    else if (sensor.type === "gyro")
      rotateBackAt(out, 0, rotation, 0, world.linkAngularVelocities, 3 * site.link);
    else if (sensor.type === "force") {
      out.fill(0);
      for (const contact of world.contacts.all()) {
        if (contact.link === site.link) addScaledAt(out, 0, contact.normal, 0, contact.force);
        if (contact.other === site.link) addScaledAt(out, 0, contact.normal, 0, -contact.force);
      }
      rotateBackAt(out, 0, rotation, 0, out, 0);
    } else {
      velocityAt(out, 0, site);
      if (sensor.type === "accelerometer") toAcceleration(out, accelerometers.indexOf(sensor));
      rotateBackAt(out, 0, rotation, 0, out, 0);
    }
  }

  function toAcceleration(velocity: Float64Array, index: number): void {
    const elapsed = world.time - earlierTime;
    for (let i = 0; i < 3; i++) {
      const change = elapsed > 0 ? (velocity[i]! - earlier[3 * index + i]!) / elapsed : 0;
      velocity[i] = change - shared.settings.gravity[i]!;
    }
  }

  function remember(): void {
    earlierTime = world.time;
    for (const [index, { site }] of accelerometers.entries()) {
      const placed = siteNamed(sites, site);
      place(placed);
      velocityAt(earlier, 3 * index, placed);
    }
  }

  return {
    read(name) {
      const sensor = sensors.get(name);
      const out = outputs.get(name);
      if (!sensor || !out)
        throw new Error(`unknown sensor "${name}"; known: ${[...sensors.keys()].join(", ")}`);
      write(sensor, out);
      return out;
    },
    site(name) {
      place(siteNamed(sites, name));
      return { position, rotation };
    },
    beforeSteps: remember,
    reset: remember,
  };
}

function siteNamed(sites: ReadonlyMap<string, PlacedSite>, name: string): PlacedSite {
  const site = sites.get(name);
  if (!site) throw new Error(`unknown site "${name}"; known: ${[...sites.keys()].join(", ")}`);
  return site;
}

const arm = new Float64Array(3);
