// Help: the list of what drives what, with a gamepad's sticks and buttons where one is there.

import { el, setText } from "../page/dom.ts";
import type { Driver } from "./driver.ts";
import { buttonName, type Control, commands, keyName, padWords } from "./keymap.ts";
import { type Pad, padName } from "./pad.ts";

export class Help {
  private readonly panel: HTMLElement;
  private readonly rows: readonly (readonly [control: Control, row: HTMLElement])[];
  private readonly note = el("p", { className: "note" });

  constructor(controls: readonly Control[], panel: HTMLElement) {
    this.panel = panel;
    this.rows = controls.map((control) => [control, controlRow(control, controls)] as const);
    const others = commands.map(({ key, button, does }) =>
      tableRow([keyName(key)], buttonName(button), does),
    );
    panel.append(
      el("h2", { textContent: "Controls" }),
      el("table", { className: "keys" }, ...this.rows.map(([, row]) => row)),
      el("h2", { textContent: "Episodes" }),
      el("table", { className: "keys" }, ...others),
      this.note,
    );
  }

  /** Lights what is held, and names what a gamepad does where one drives. */
  show(driver: Driver): void {
    for (const [control, row] of this.rows) row.classList.toggle("down", driver.isDriven(control));
    this.panel.classList.toggle("padded", driver.pad.current !== null);
    setText(this.note, noteOf(driver.pad));
  }
}

function controlRow(control: Control, controls: readonly Control[]): HTMLElement {
  const { less, more, isSwitch } = control;
  const keys = isSwitch ? [more] : [less, more];
  return tableRow(keys.map(keyName), padWords(control), shownName(control, controls));
}

/** The name of what a control drives, without the owner that all have and without the unit. */
function shownName({ name, isSwitch }: Control, controls: readonly Control[]): string {
  const owner = /^[^:]*: /.exec(name)?.[0] ?? "";
  const isShared = controls.every((each) => each.name.startsWith(owner));
  const short = name.slice(isShared ? owner.length : 0).replace(/, .*/, "");
  return isSwitch ? `${short} open or shut` : short;
}

function tableRow(keys: readonly string[], pad: string | null, words: string): HTMLElement {
  const kbd = (textContent: string) => el("kbd", { textContent });
  return el(
    "tr",
    {},
    el("td", {}, ...keys.flatMap((key) => [kbd(key), " "])),
    el("td", { className: "pad" }, pad === null ? null : kbd(pad)),
    el("td", { textContent: words }),
  );
}

function noteOf({ current, unknown }: Pad): string {
  const keys = "Time begins with the first move. Keys are a third as fast while ⇧ is held";
  if (current)
    return `${keys}, a stick is as fast as it is pushed. The gamepad is ${padName(current.id)}.`;
  if (unknown !== null)
    return `${keys}. ${padName(unknown)} is connected, but the browser does not know which of its sticks is which: it drives nothing.`;
  return `${keys}. A gamepad drives too, once one of its buttons was pressed.`;
}
