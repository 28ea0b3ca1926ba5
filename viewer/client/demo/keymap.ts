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
  readonly pad?: { readonly index: number; readonly sign: 1 | -1 };
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
/** Sticks: the left one along x and y, the right one up, down and about z; the first button the fingers. */
const handPads = [
  { index: 1, sign: 1 },
  { index: 0, sign: 1 },
  { index: 3, sign: -1 },
  { index: 2, sign: -1 },
  { index: 0, sign: 1 },
] as const;

const pairs = "aq sw de ft gy hu ji ko lp zx cv bn 12 34 56 78 90 -= ;' ,.".split(" ");

const shifts = /shift along ([xyz])|turn about (z)|(fingers)/;

/** The controls of a task, from the names of its action's elements; those without a key are left at 0. */
export function controlsOf(names: readonly string[]): Control[] {
  const hands = [...new Set(names.map((name) => name.split(":")[0]!))];
  if (names.every((name) => shifts.test(name)) && hands.length <= handKeys.length)
    return names.map((name, action) => handControl(name, action, hands));
  return names.slice(0, pairs.length).map((name, action) => {
    const [less, more] = [...pairs[action]!];
    const pad = action < 4 ? { pad: { index: action, sign: 1 } as const } : {};
    return { action, name, less: less!, more: more!, isSwitch: false, ...pad };
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
  { key: " ", shown: "space", does: "save the episode", command: "save", button: 9 },
  { key: "Backspace", shown: "⌫", does: "discard it", command: "discard", button: 8 },
  { key: "r", shown: "R", does: "begin anew", command: "reset", button: 3 },
] as const;
export type Command = (typeof commands)[number]["command"];

/** How a key is written on the screen. */
export function keyName(key: string): string {
  const arrows: Readonly<Record<string, string>> = {
    ArrowUp: "↑",
    ArrowDown: "↓",
    ArrowLeft: "←",
    ArrowRight: "→",
  };
  return arrows[key] ?? key.toUpperCase();
}
