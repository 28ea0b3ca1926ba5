// Key map: which keys and which parts of a gamepad drive which element of an action.
//
// Hands and rods have keys that fit the hand; drives of any other robot get pairs of keys in a row.

/** Drives one element of an action. */
export interface Control {
  readonly action: number;
  readonly name: string;
  /** As `KeyboardEvent.key` has them, small letters. For a switch, both are the same key. */
  readonly less: string;
  readonly more: string;
  /** Each press turns it between −1 and 1; it begins at −1. */
  readonly isSwitch: boolean;
  /** The gamepad's axis, and its sign; of a switch the button. */
  readonly pad?: PadPart;
}

/** Of a gamepad of the standard mapping, whose axes are the left stick's and the right one's, right and down. */
interface PadPart {
  readonly index: number;
  readonly sign: 1 | -1;
}

type HandKeys = readonly [less: string, more: string][];
const handKeys: readonly HandKeys[] = [
  [
    ["ArrowUp", "ArrowDown"], // x comes towards whoever looks from the front
    ["ArrowLeft", "ArrowRight"],
    ["s", "w"],
    ["d", "a"],
    ["f", "f"],
  ],
  [
    ["i", "k"],
    ["j", "l"],
    ["h", "y"],
    ["o", "u"],
    ["p", "p"],
  ],
];
/** Sticks: the left one along x and y, the right one up, down and about z; the lowest button the fingers. */
const handPads = [
  { index: 1, sign: 1 },
  { index: 0, sign: 1 },
  { index: 3, sign: -1 },
  { index: 2, sign: -1 },
  { index: 0, sign: 1 },
] as const;

/** Of any other robot's drives, the first four: right and up are more. */
const drivePads: readonly PadPart[] = [
  { index: 0, sign: 1 },
  { index: 1, sign: -1 },
  { index: 2, sign: 1 },
  { index: 3, sign: -1 },
];

const pairs = "aq sw de ft gy hu ji ko lp zx cv bn 12 34 56 78 90 -= ;' ,.".split(" ");

const shifts = /shift along ([xyz])|turn about (z)|(fingers)/;

/** The controls of a task, from the names of its action's elements; those without a key are left at 0. */
export function controlsOf(names: readonly string[]): Control[] {
  const hands = [...new Set(names.map((name) => name.split(":")[0]!))];
  if (names.every((name) => shifts.test(name)) && hands.length <= handKeys.length)
    return names.map((name, action) => handControl(name, action, hands));
  return names.slice(0, pairs.length).map((name, action) => {
    const [less, more] = [...pairs[action]!];
    const pad = drivePads[action];
    return { action, name, less: less!, more: more!, isSwitch: false, ...(pad && { pad }) };
  });
}

function handControl(name: string, action: number, hands: readonly string[]): Control {
  const hand = hands.indexOf(name.split(":")[0]!);
  const [, axis, turn] = shifts.exec(name)!;
  const kind = axis ? "xyz".indexOf(axis) : turn ? 3 : 4;
  const [less, more] = handKeys[hand]![kind]!;
  const pad = hand === 0 ? { pad: handPads[kind]! } : {};
  return { action, name, less, more, isSwitch: kind === 4, ...pad };
}

type Place = readonly [x: number, y: number, z: number];

/** From where hands' work is well seen, and keys move the first hand as they point, in m. */
export const handViews: Readonly<
  Record<"hand" | "hands", { readonly camera: Place; readonly target: Place }>
> = {
  hand: { camera: [1.35, 0.12, 0.5], target: [0.42, 0, 0.14] },
  hands: { camera: [1.1, 0.65, 1.05], target: [0.45, 0, 0.1] }, // over the arm in front
};

/** Whether these are one hand's controls, which has an arm, several hands', or a rod's that slides on the ground. */
export function kindOf(controls: readonly Control[]): "hand" | "hands" | "rod" | "drives" {
  const has = (kind: number) => controls.some(({ less }) => less === handKeys[0]![kind]![0]);
  if (!has(0)) return "drives";
  const numSwitches = controls.filter(({ isSwitch }) => isSwitch).length;
  if (numSwitches > 1) return "hands";
  return numSwitches === 1 ? "hand" : "rod";
}

/** Keys by which episodes are kept, left and begun; also the gamepad's buttons. */
export const commands = [
  { key: " ", does: "save the episode", command: "save", button: 9 },
  { key: "Backspace", does: "discard it", command: "discard", button: 8 },
  { key: "r", does: "begin anew", command: "reset", button: 3 },
] as const;
export type Command = (typeof commands)[number]["command"];

/** How a key is written on the screen. */
export function keyName(key: string): string {
  const names: Readonly<Record<string, string>> = {
    ArrowUp: "↑",
    ArrowDown: "↓",
    ArrowLeft: "←",
    ArrowRight: "→",
    Backspace: "⌫",
    " ": "space",
  };
  return names[key] ?? key.toUpperCase();
}

/** How a gamepad's button is called; letters differ from maker to maker, places do not. */
export function buttonName(index: number): string {
  const names: Readonly<Record<number, string>> = {
    0: "bottom button",
    3: "top button",
    8: "select",
    9: "start",
  };
  return names[index] ?? `button ${index}`;
}

/** What of a gamepad drives a control, less first; null where nothing does. */
export function padWords({ pad, isSwitch }: Control): string | null {
  if (!pad) return null;
  if (isSwitch) return buttonName(pad.index);
  const [less, more] = pad.index % 2 === 0 ? "←→" : "↑↓";
  const arrows = pad.sign > 0 ? `${less} ${more}` : `${more} ${less}`;
  return `${pad.index < 2 ? "left" : "right"} stick ${arrows}`;
}
