// EpisodePicker: which of a file's episodes is shown, counted from 0 as the command line does.

import { button, byId, el, setText } from "./dom.ts";

export class EpisodePicker {
  private readonly element = el("div", { className: "picker", hidden: true });
  private readonly name = el("span");
  private readonly before: HTMLButtonElement;
  private readonly next: HTMLButtonElement;
  private index = 0;

  constructor(open: (index: number) => void) {
    this.before = button("\u2039", "The episode before, of this file", () => open(this.index - 1));
    this.next = button("\u203a", "The next episode of this file", () => open(this.index + 1));
    this.element.append(this.before, this.name, this.next);
    byId("hud").append(this.element);
  }

  /** Is seen only where a file has several episodes. */
  update(index: number, numEpisodes: number): void {
    this.index = index;
    this.element.hidden = numEpisodes < 2;
    setText(this.name, `episode ${index} of 0\u2013${numEpisodes - 1}`);
    this.before.disabled = index <= 0;
    this.next.disabled = index >= numEpisodes - 1;
  }
}
