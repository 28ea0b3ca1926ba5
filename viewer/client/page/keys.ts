// Keys: what each key does, and the list of them.

import { byId, el } from "./dom.ts";

export interface Key {
  /** As `KeyboardEvent.key` has it, "Shift+" before it where shift is held. */
  readonly key: string;
  readonly shown: string;
  readonly does: string;
  readonly act: () => void;
}

/** Listens to keys, except where something is typed. */
export function listen(keys: readonly Key[]): void {
  const table = new Map(keys.map((each) => [each.key, each]));
  addEventListener("keydown", (event) => {
    const { target, ctrlKey, metaKey, altKey, shiftKey } = event;
    if (ctrlKey || metaKey || altKey) return;
    const typing = target instanceof HTMLElement && target.matches("input[type=search], select");
    if (typing) return;
    const arrow = event.key.startsWith("Arrow");
    const found = table.get(shiftKey && arrow ? `Shift+${event.key}` : event.key.toLowerCase());
    const also = found ?? table.get(event.key);
    if (!also) return;
    const pressed = target instanceof HTMLElement && target.matches("button, input, a");
    if (pressed && event.key === " " && !target.closest("#bar")) return;
    event.preventDefault();
    also.act();
  });
}

export function showHelp(keys: readonly Key[]): void {
  const dialog = byId<HTMLDialogElement>("help");
  const rows = keys.map(({ shown, does }) => {
    return el("tr", {}, el("td", {}, el("kbd", { textContent: shown })), el("td", {}, does));
  });
  const close = el("button", { type: "button", textContent: "Close", className: "outlined" });
  close.onclick = () => dialog.close();
  dialog.replaceChildren(el("h2", { textContent: "Keys" }), el("table", {}, ...rows), close);
  dialog.showModal();
}
