// AddressBar: keeps the page's URL up to date with what is shown.

import { type Address, writeAddress } from "./address.ts";

const every = 700; // ms between writings

/** The part of the page that its address tells. */
export interface Addressed {
  readonly address: Address;
  readonly opened: object | null;
  readonly player: { readonly playing: boolean; readonly time: number };
  readonly theatre: { readonly viewpoint: readonly number[] };
}

export class AddressBar {
  private written = 0; // ms

  /** Writes the address at a time in ms, unless that was done a moment ago. */
  update(now: number, { address, opened, player, theatre }: Addressed): void {
    if (now - this.written < every) return;
    this.written = now;
    if (opened === null && address.time !== null) return; // not opened yet
    const view = document.documentElement.dataset["view"] === "curves" ? "curves" : "episode";
    const time = opened && !player.playing ? player.time : null;
    const camera = opened ? theatre.viewpoint : null;
    const query = writeAddress({ ...address, view, time, camera }, location.search);
    if (query !== location.search) history.replaceState(null, "", query || location.pathname);
  }
}
