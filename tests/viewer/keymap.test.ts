import { expect, test } from "vitest";
import { createTask, tasks } from "../../tasks/index.ts";
import { commands, controlsOf, kindOf, padWords } from "../../viewer/client/demo/keymap.ts";

test.each(Object.keys(tasks))(
  "%s has a key for every element of its action, each for one",
  async (id) => {
    const { action } = await createTask(id);
    const controls = controlsOf(action.names);
    expect(controls.map(({ action: index }) => index)).toEqual([...action.names.keys()]);
    const keys = controls.flatMap(({ less, more, isSwitch }) => (isSwitch ? [less] : [less, more]));
    const all = [...keys, ...commands.map(({ key }) => key)];
    expect(new Set(all).size).toBe(all.length);
  },
);

test("hands have arrows and a switch, rods arrows, drives pairs of letters", async () => {
  const of = async (id: string) => controlsOf((await createTask(id)).action.names);
  const hand = await of("lift-cube");
  expect(hand.map(({ less, more }) => less + more)).toEqual([
    "ArrowUpArrowDown",
    "ArrowLeftArrowRight",
    "sw",
    "da",
    "ff",
  ]);
  expect(hand.map(({ isSwitch }) => isSwitch)).toEqual([false, false, false, false, true]);
  const [hands, rod, drives] = [await of("two-arm-lift"), await of("push-t"), await of("ant")];
  expect([hand, hands, rod, drives].map(kindOf)).toEqual(["hand", "hands", "rod", "drives"]);
  expect(hands.filter(({ isSwitch }) => isSwitch)).toHaveLength(2);
});

test("a gamepad has sticks for the first hand, the rod and four drives, right and up being more", async () => {
  const of = async (id: string) =>
    controlsOf((await createTask(id)).action.names).flatMap((control) => padWords(control) ?? []);
  const hand = ["left stick ↑ ↓", "left stick ← →", "right stick ↓ ↑", "right stick → ←"];
  expect(await of("two-arm-lift")).toEqual([...hand, "bottom button"]);
  expect(await of("push-t")).toEqual(hand.slice(0, 2));
  expect(await of("ant")).toEqual([
    "left stick ← →",
    "left stick ↓ ↑",
    "right stick ← →",
    "right stick ↓ ↑",
  ]);
});
