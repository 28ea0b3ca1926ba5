// Driver: what the keyboard and a gamepad say now, as an action.

import { type Command, type Control, commands } from "./keymap.ts";
import { Pad } from "./pad.ts";

const usual = 0.6; // of the largest action, while a key is held
const fine = 0.2; // with shift

export class Driver {
  /** Whether anything was driven since the last reset. */
  touched = false;
  readonly pad = new Pad();
  private readonly controls: readonly Control[];
  private readonly action: Float32Array;
  private readonly switches = new Map<Control, number>();
  private readonly held = new Set<string>(); // keys
  private readonly run: (command: Command) => void;
  private slow = false;

  constructor(controls: readonly Control[], actionSize: number, run: (command: Command) => void) {
    this.controls = controls;
    this.action = new Float32Array(actionSize);
    this.run = run;
    this.reset();
    addEventListener("keydown", (event) => this.press(event));
    addEventListener("keyup", (event) => {
      this.held.delete(keyOf(event));
      this.slow = event.shiftKey;
    });
    addEventListener("blur", () => {
      this.held.clear();
      this.slow = false;
    });
  }

  /** As before anything was pressed: switches at −1, sticks let go. */
  reset(): void {
    for (const control of this.controls) if (control.isSwitch) this.switches.set(control, -1);
    this.pad.reset();
    this.touched = false;
  }

  /** The action now; a view, valid until the next call. */
  read(): Float32Array {
    for (const button of this.pad.poll()) this.pressButton(button);
    for (const control of this.controls)
      this.action[control.action] = control.isSwitch
        ? this.switches.get(control)!
        : this.valueOf(control);
    return this.action;
  }

  /** Whether a key or a stick drives it now. */
  isDriven({ less, more, isSwitch, action }: Control): boolean {
    return this.held.has(less) || this.held.has(more) || (!isSwitch && this.action[action] !== 0);
  }

  private valueOf({ less, more, pad: part }: Control): number {
    const size = this.slow ? fine : usual;
    const stick = part ? part.sign * this.pad.stick(part.index) : 0;
    const keys = Number(this.held.has(more)) - Number(this.held.has(less));
    if (keys !== 0) return size * keys;
    if (stick !== 0) this.touched = true;
    return stick;
  }

  private press(event: KeyboardEvent): void {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const key = keyOf(event);
    this.slow = event.shiftKey;
    const found = commands.find((each) => each.key === key);
    const drives = this.controls.filter(({ less, more }) => less === key || more === key);
    if (!found && drives.length === 0) return;
    event.preventDefault();
    if (event.repeat) return;
    if (drives.length === 0) {
      if (found) this.run(found.command);
      return;
    }
    this.held.add(key);
    this.touched = true;
    for (const control of drives) this.flip(control);
  }

  private flip(control: Control): void {
    if (control.isSwitch) this.switches.set(control, -this.switches.get(control)!);
  }

  private pressButton(index: number): void {
    const found = commands.find(({ button }) => button === index);
    if (found) this.run(found.command);
    for (const control of this.controls) {
      if (!control.isSwitch || control.pad?.index !== index) continue;
      this.touched = true;
      this.flip(control);
    }
  }
}

/** Letters are small ones, whatever shift says. */
function keyOf({ key }: KeyboardEvent): string {
  return key.length === 1 ? key.toLowerCase() : key;
}
