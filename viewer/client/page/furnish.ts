// Furnish: puts an episode's robot on the stage once its first rows are there.

import type { Address } from "./address.ts";
import { predictedBeside } from "./against.ts";
import type { Episode } from "./episode.ts";
import { whenPictureIsOut } from "./firstPicture.ts";
import type { Panel } from "./panel.ts";
import type { Player } from "./player.ts";
import type { Theatre } from "./theatre.ts";

/** The part of the page that an episode takes over. */
export interface Furnished {
  address: Address;
  /** The one whose robot is on the stage. */
  opened: Episode | null;
  readonly theatre: Theatre;
  readonly player: Player;
  readonly panel: Panel;
  offerPolicies(): void;
}

/** Opens the stage, the time and the camera of the address, and after the first picture the plots. */
export function furnish(page: Furnished, episode: Episode): void {
  const { facts, recorded } = episode;
  if (!facts || !recorded) return;
  page.opened = episode;
  const first = recorded.row(0).subarray(0, 7 * facts.layout.links.length);
  page.theatre.open(facts.model, first.slice(), { marks: recorded.marksAt(0) });
  const { time, camera } = page.address;
  if (camera) page.theatre.lookFrom(camera);
  if (time !== null && time > 0) Object.assign(page.player, { time, playing: false });
  page.address = { ...page.address, time: null, camera: null };
  whenPictureIsOut(() => {
    episode.goOn();
    if (page.opened !== episode) return;
    page.panel.signals.setLayout(facts.layout);
    page.panel.signals.setAgainst(predictedBeside(episode));
    page.offerPolicies();
  });
}
