// Driver: what the keyboard and a gamepad say now, as an action.

import { type Command, type Control, commands } from "./keymap.ts";

const usual = 0.6; // of the largest action, while a key is held
const fine = 0.2; // with shift
const deadZone = 0.12; // of a stick

export class Driver {
  /** Keys that are held. */
  readonly held = new Set<string>();
  /** Whether anything was driven since the last reset. */
  touched = false;
  private readonly controls: readonly Control[];
  private readonly action: Float32Array;
  private readonly switches = new Map<Control, number>();
  private readonly pressed = new Set<number>(); // buttons of the gamepad
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
    addEventListener("blur", () => this.held.clear());
  }

  /** As before anything was pressed: switches at −1. */
  reset(): void {
    for (const control of this.controls) if (control.isSwitch) this.switches.set(control, -1);
    this.touched = false;
  }

  /** The action now; a view, valid until the next call. */
  read(): Float32Array {
    const pad = navigator.getGamepads().find((each) => each !== null) ?? null;
    if (pad) this.readButtons(pad);
    for (const control of this.controls)
      this.action[control.action] = control.isSwitch
        ? this.switches.get(control)!
        : this.valueOf(control, pad);
    return this.action;
  }

  private valueOf({ less, more, pad: part }: Control, pad: Gamepad | null): number {
    const size = this.slow ? fine : usual;
    const keys = Number(this.held.has(more)) - Number(this.held.has(less));
    if (keys !== 0 || !pad || !part) return size * keys;
    const stick = part.sign * (pad.axes[part.index] ?? 0);
    if (Math.abs(stick) < deadZone) return 0;
    this.touched = true;
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

  /** Buttons act once, when they go down. */
  private readButtons({ buttons }: Gamepad): void {
    for (const [index, { pressed }] of buttons.entries()) {
      const isNew = pressed && !this.pressed.has(index);
      if (pressed) this.pressed.add(index);
      else this.pressed.delete(index);
      if (!isNew) continue;
      const command = commands.find(({ button }) => button === index)?.command;
      if (command) this.run(command);
      for (const control of this.controls) {
        if (!control.isSwitch || control.pad?.index !== index) continue;
        this.touched = true;
        this.flip(control);
      }
    }
  }
}

/** Letters are small ones, whatever shift says. */
function keyOf({ key }: KeyboardEvent): string {
  return key.length === 1 ? key.toLowerCase() : key;
}
