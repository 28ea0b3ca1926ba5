// Pad: the gamepad that drives, as the browser reports it, and what is sure of it.
//
// W3C Gamepad. Only the standard mapping says which stick is which; an axis of another may be a trigger,
// which rests at −1, so such a pad is left alone.

const deadZone = 0.12; // of a stick

/** The sticks and buttons of one gamepad out of those that are connected. */
export class Pad {
  /** The one that drives; null where there is none. */
  current: Gamepad | null = null;
  /** The name of one that is connected but cannot drive; null where one can. */
  unknown: string | null = null;
  private readonly down = new Map<number, readonly number[]>(); // buttons, by the pad's index
  private readonly unrested = new Set<number>(); // axes that have not been at rest since the last reset

  /** Looks at what is connected; the buttons that went down since the last look. */
  poll(): readonly number[] {
    const all = connected();
    const pads = all.filter(({ mapping }) => mapping === "standard");
    for (const index of this.down.keys())
      if (!pads.some((pad) => pad.index === index)) this.down.delete(index);
    const news = pads.map((pad) => this.news(pad));
    const woken = pads.findLast((_, at) => news[at]!.wakes);
    this.drive(woken ?? pads.find(({ index }) => index === this.current?.index) ?? pads[0] ?? null);
    this.unknown = this.current ? null : (all[0]?.id ?? null);
    return this.current ? news[pads.indexOf(this.current)]!.buttons : [];
  }

  /** Sticks count only once they have been let go. */
  reset(): void {
    for (const axis of this.current?.axes.keys() ?? []) this.unrested.add(axis);
  }

  /** How far a stick is beyond the dead zone, in [−1, 1]; 0 where the pad has none or says nonsense. */
  stick(axis: number): number {
    const raw = this.current?.axes[axis] ?? 0;
    const beyond = Math.min(1, (Math.abs(raw) - deadZone) / (1 - deadZone));
    if (!(beyond > 0)) this.unrested.delete(axis);
    return beyond > 0 && !this.unrested.has(axis) ? Math.sign(raw) * beyond : 0;
  }

  private drive(pad: Gamepad | null): void {
    const isOther = pad?.index !== this.current?.index;
    this.current = pad;
    if (!isOther) return;
    this.unrested.clear();
    this.reset();
  }

  /** A pad is seen only once a button is down: that one wakes it, and means nothing else. */
  private news({ index, buttons }: Gamepad): { wakes: boolean; buttons: readonly number[] } {
    const before = this.down.get(index);
    const now = [...buttons.keys()].filter((button) => buttons[button]!.pressed);
    this.down.set(index, now);
    const fresh = now.filter((button) => !before?.includes(button));
    return { wakes: fresh.length > 0, buttons: before ? fresh : [] };
  }
}

/** Browsers without the interface, or with it only where the page came by https, have no pads. */
function connected(): Gamepad[] {
  const pads = navigator.getGamepads?.() ?? [];
  return pads.filter((pad) => pad !== null).filter((pad) => pad.connected);
}

/** A gamepad's name without the numbers that browsers put before or after it. */
export function padName(id: string): string {
  return id.replace(/^[0-9a-f]{1,4}-[0-9a-f]{1,4}-/i, "").replace(/\s*\(.*\)\s*$/, "") || "gamepad";
}
