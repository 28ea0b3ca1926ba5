// Building elements; text is always text, never HTML.

type Child = Node | string | null;

/** An element with properties set and children appended. */
export function el<K extends keyof HTMLElementTagNameMap>(
  tag: K,
  properties: Partial<HTMLElementTagNameMap[K]> = {},
  ...children: Child[]
): HTMLElementTagNameMap[K] {
  const element = Object.assign(document.createElement(tag), properties);
  element.append(...children.filter((child) => child !== null));
  return element;
}

/** The element of the page's skeleton with this id. */
export function byId<T extends HTMLElement>(id: string): T {
  const found = document.getElementById(id);
  if (!found) throw new Error(`the page has no element "${id}"`);
  return found as T;
}

/** A button with a word that a screen reader says and a key that does the same. */
export function button(label: string, title: string, onclick: () => void): HTMLButtonElement {
  return el("button", { type: "button", textContent: label, title, ariaLabel: title, onclick });
}

/** Sets text only where it differs, so that nothing is laid out in vain. */
export function setText(element: Element, text: string): void {
  if (element.textContent !== text) element.textContent = text;
}
