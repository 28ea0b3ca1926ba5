// Contacts of one robot after the last physics step: which links touch what, where and how hard.

import type { RapierManifold } from "./rapier.ts";
import type { Shared } from "./shared.ts";
import type { World } from "./world.ts";

/** One point of contact; positions are relative to the world's origin. */
export interface Contact {
  /** Index of the touched link, and of the other one: −1 is the scenery. */
  readonly link: number;
  readonly other: number;
  readonly position: readonly [number, number, number];
  /** Unit vector from the other side into the link. */
  readonly normal: readonly [number, number, number];
  /** Along the normal, in N. */
  readonly force: number;
  /** Negative where the surfaces overlap, in m. */
  readonly distance: number;
}

export interface ContactReader {
  /** After the colliders were made anew. */
  renew(): void;
  /** Every point of contact; fresh. */
  all(): Contact[];
  /** Whether something presses against the link; with `other`, whether that link does (−1: scenery). */
  touches(link: number, other?: number): boolean;
  /** Sum of the normal forces on the link, in N. */
  normalForce(link: number): number;
}

export function createContactReader(world: World, shared: Shared): ContactReader {
  let owners = new Map<number, number>(); // links by collider
  let ofLink: readonly (readonly number[])[] = []; // colliders by link
  const toForce = shared.impulseScale / shared.settings.timestep;

  /** Calls back for every manifold of a link's colliders; `sign` turns its normal into the link. */
  function visit(
    link: number,
    found: (manifold: RapierManifold, other: number, sign: number) => void,
  ): void {
    const { narrowPhase, bodies } = shared.rapierWorld;
    for (const handle of ofLink[link]!) {
      narrowPhase.contactPairsWith(handle, (handle2) => {
        const other = owners.get(handle2) ?? -1;
        narrowPhase.contactPair(handle, handle2, bodies, (manifold, flipped) =>
          found(manifold, other, flipped ? 1 : -1),
        );
      });
    }
  }

  function impulseOf(manifold: RapierManifold): number {
    let sum = 0;
    for (let i = 0; i < manifold.numContacts(); i++) sum += manifold.contactImpulse(i);
    return sum;
  }

  return {
    renew() {
      const { colliders } = world.assembly;
      owners = new Map(colliders.map(({ collider, link }) => [collider.handle, link]));
      ofLink = world.model.links.map((_, index) =>
        colliders.filter(({ link }) => link === index).map(({ collider }) => collider.handle),
      );
    },
    all() {
      const contacts: Contact[] = [];
      for (const link of ofLink.keys())
        visit(link, (manifold, other, sign) => {
          if (other > link || other < 0)
            contacts.push(...pointsOf(manifold, link, other, sign, toForce, world));
        });
      return contacts;
    },
    touches(link, other) {
      let touching = false;
      visit(link, (manifold, met) => {
        if (other === undefined || met === other) touching ||= impulseOf(manifold) > 0;
      });
      return touching;
    },
    normalForce(link) {
      let sum = 0;
      visit(link, (manifold) => {
        sum += impulseOf(manifold);
      });
      return sum * toForce;
    },
  };
}

function pointsOf(
  manifold: RapierManifold,
  link: number,
  other: number,
  sign: number,
  toForce: number,
  { origin }: World,
): Contact[] {
  const contacts: Contact[] = [];
  const { x, y, z } = manifold.normal();
  const force = contactForces(manifold, toForce);
  for (let i = 0; i < manifold.numSolverContacts(); i++) {
    const point = manifold.solverContactPoint(i);
    if (!point) continue;
    contacts.push({
      link,
      other,
      position: [point.x - origin[0], point.y - origin[1], point.z - origin[2]],
      normal: [sign * x, sign * y, sign * z],
      force: force / manifold.numSolverContacts(),
      distance: manifold.solverContactDist(i),
    });
  }
  return contacts;
}

/** A manifold's whole normal force: its contacts and its solver's points need not be the same ones. */
function contactForces(manifold: RapierManifold, toForce: number): number {
  let sum = 0;
  for (let i = 0; i < manifold.numContacts(); i++) sum += manifold.contactImpulse(i);
  return sum * toForce;
}
