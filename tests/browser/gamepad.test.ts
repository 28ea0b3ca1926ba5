// A gamepad in the page of demonstrations: its sticks and buttons do what the page says, an episode that they
// drove verifies to the bit, and odd pads move nothing. The browser's own list of pads is what the test sets.

import { afterAll, beforeAll, expect, test } from "vitest";
import { type DemoPage, openDemoPage, verifiedEpisode } from "./demoPage.ts";
import { describeChromium } from "./describeChromium.ts";

const small = { width: 820, height: 180 }; // little to draw

const fakePads = `
  globalThis.pads = [null, null, null, null];
  globalThis.plug = (index, changes = {}) => (pads[index] = {
    index,
    id: "Fine Pad (STANDARD GAMEPAD Vendor: 0001 Product: 0002)",
    mapping: "standard",
    connected: true,
    axes: [0, 0, 0, 0],
    buttons: Array.from({ length: 17 }, () => ({ pressed: false, touched: false, value: 0 })),
    ...changes,
  });
  navigator.getGamepads = () => [...pads];`;

describeChromium("a gamepad in the page of demonstrations", () => {
  let demo: DemoPage;

  beforeAll(async () => {
    demo = await openDemoPage(small, fakePads);
  });
  afterAll(() => demo?.close());

  /** Does something to the pads, and lets the page see it. */
  const set = (code: string) =>
    demo.evaluate(`new Promise((resolve) => {
      ${code};
      requestAnimationFrame(() => requestAnimationFrame(resolve));
    })`);
  const press = (button: number, pad = 0) => set(`pads[${pad}].buttons[${button}].pressed = true`);
  const letGo = (button: number, pad = 0) => set(`pads[${pad}].buttons[${button}].pressed = false`);

  async function tap(button: number, pad = 0): Promise<void> {
    await press(button, pad);
    await letGo(button, pad);
  }

  /** How far the hand goes while something is so: along x, y and z in m, about z in rad. */
  async function moved(code: string, steps: number): Promise<number[]> {
    const before = await handPlace();
    await set(code);
    await demo.pass(steps);
    const after = await handPlace();
    return after.map((each, index) => each - before[index]!);
  }

  async function handPlace(): Promise<number[]> {
    const [x, y, z, qx, qy, qz, qw] = (await demo.pose("hand")) as [number, ...number[]];
    const yaw = Math.atan2(2 * (qw! * qz! + qx! * qy!), 1 - 2 * (qy! * qy! + qz! * qz!));
    return [x, y!, z!, yaw];
  }

  const panel = () => demo.page.innerText("#panel");
  const state = () => demo.page.innerText("#state");

  test("is named, with what it does, once it is there", async () => {
    await demo.become("ready");
    expect(await panel()).toContain("A gamepad drives too");
    expect(await panel()).not.toContain("left stick");
    await set("plug(0)");
    const sticks = ["left stick ↑ ↓", "left stick ← →", "right stick ↓ ↑", "right stick → ←"];
    const buttons = ["bottom button", "start", "select", "top button"];
    const shown = await panel();
    for (const words of [...sticks, ...buttons, "is Fine Pad."]) expect(shown).toContain(words);
    expect(await state()).toContain("or move a stick");
    expect(await demo.phase()).toBe("ready");
  });

  test("sticks that are as good as still, or say nonsense, begin nothing", async () => {
    await set("pads[0].axes = [0.12, -0.12, NaN, 0]");
    expect(await demo.phase()).toBe("ready");
    await set("pads[0].axes = [0, 0, 0, 0]");
  });

  test.each([
    ["left stick down", "[0, 1, 0, 0]", 0, 1],
    ["left stick left", "[-1, 0, 0, 0]", 1, -1],
    ["right stick up", "[0, 0, 0, -1]", 2, 1],
    ["right stick right", "[0, 0, 1, 0]", 3, -1],
  ])("%s moves the hand that way alone", async (_name, axes, along, sign) => {
    const way = await moved(`pads[0].axes = ${axes}`, 6);
    await set("pads[0].axes = [0, 0, 0, 0]");
    await demo.pass(3); // until it stands
    expect(await demo.phase()).toBe("driving");
    expect(sign * way[along]!).toBeGreaterThan(along === 3 ? 0.1 : 0.03); // of 0.6 rad and 12 cm
    for (const [index, each] of way.entries())
      if (index !== along) expect(Math.abs(each)).toBeLessThan(0.25 * Math.abs(way[along]!));
  });

  test("the bottom button shuts the fingers until it is pressed again", async () => {
    const gap = async () => {
      const [left, right] = await Promise.all([
        demo.pose("left_finger"),
        demo.pose("right_finger"),
      ]);
      return Math.hypot(...[0, 1, 2].map((index) => left[index]! - right[index]!));
    };
    const open = await gap();
    await press(0);
    await demo.pass(6);
    const shut = await gap();
    expect(shut).toBeLessThan(0.7 * open);
    await letGo(0);
    await demo.pass(2);
    expect(await gap()).toBeLessThan(1.1 * shut);
    await tap(0);
    await demo.pass(6);
    expect(await gap()).toBeGreaterThan(0.9 * open);
  });

  test("start saves an episode that verifies to the bit, with how far sticks were pushed", async () => {
    await set("pads[0].axes = [0.56, 0, 0, 0]");
    await demo.pass(3);
    await tap(9);
    await demo.eventually(state).toMatch(/saved: \d+ steps, .* 1 episode in/);
    const { actions, info } = await verifiedEpisode(demo.path);
    const column = (index: number) =>
      [...new Set(actions.filter((_, at) => at % 5 === index))].sort((a, b) => a - b);
    expect(column(0)).toEqual([0, 1]);
    expect(column(1)[0]).toBe(-1);
    expect(column(1).at(-1)).toBeCloseTo(0.5, 6); // half of what lies beyond a dead zone of 0.12
    expect([column(2), column(3), column(4)]).toEqual([
      [0, 1],
      [-1, 0],
      [-1, 1],
    ]);
    expect(info).toMatchObject({ success: false, seed: 41 });
  });

  test("a stick that is still pushed after an episode begins the next one only once it was let go", async () => {
    await demo.become("ready");
    await set("");
    expect(await demo.phase()).toBe("ready");
    await set("pads[0].axes = [0, 0, 0, 0]");
    await set("pads[0].axes = [0.56, 0, 0, 0]");
    await demo.become("driving");
  });

  test("the robot stops where its pad is gone, and the button that wakes a pad does nothing else", async () => {
    await set("pads[0].axes = [0, 0, 0, -1]");
    await demo.pass(3);
    await set("pads[0] = null");
    await demo.pass(4);
    const way = await moved("", 4);
    expect(Math.hypot(...way)).toBeLessThan(0.005);
    expect(await demo.phase()).toBe("driving");
    expect(await panel()).toContain("A gamepad drives too");
    const seed = await demo.evaluate<number>("salleDemo.seed");
    await set("plug(0).buttons[8].pressed = true");
    expect(await demo.evaluate("salleDemo.seed")).toBe(seed);
    expect(await panel()).toContain("left stick");
    await letGo(8);
    await tap(8);
    await demo.become("ready");
    expect(await demo.evaluate("salleDemo.seed")).toBe(seed + 1);
    expect(await state()).toContain("discarded");
    await tap(3);
    await demo.become("ready");
    expect(await demo.evaluate("salleDemo.seed")).toBe(seed + 2);
  });

  test("of two pads the one whose button was pressed last drives", async () => {
    await set("plug(2, { id: '0001-0003-Other Pad' })");
    expect(await panel()).toContain("Fine Pad");
    await set("pads[2].axes = [1, 0, 0, 0]");
    expect(await demo.phase()).toBe("ready");
    await set("pads[2].axes = [0, 0, 0, 0]");
    await tap(5, 2);
    expect(await panel()).toContain("is Other Pad.");
    await set("pads[0].axes = [1, 0, 0, 0]");
    expect(await demo.phase()).toBe("ready");
    await set("pads[2] = null"); // then the other one drives, from rest
    expect(await panel()).toContain("Fine Pad");
    expect(await demo.phase()).toBe("ready");
  });

  test("a pad that lacks sticks and buttons drives with what it has", async () => {
    await set("plug(0, { axes: [0, 0], buttons: [] })");
    await set("pads[0].axes = [0, -7]");
    await demo.become("driving");
    await demo.pass(2);
    await demo.page.keyboard.press("Backspace");
    await demo.become("ready");
  });

  test("a pad without the standard mapping drives nothing, and the page says why", async () => {
    await set("plug(0, { id: 'Odd Pad', mapping: '', axes: [0, 0, -1, -1, 0, 0] })");
    await tap(0);
    expect(await demo.phase()).toBe("ready");
    expect(await panel()).toContain("Odd Pad is connected, but");
    await set("plug(1)"); // one that does drive beside it
    expect(await panel()).toContain("Fine Pad");
  });

  test("keys drive on in a browser that has no gamepads", async () => {
    await set("navigator.getGamepads = undefined");
    expect(await panel()).toContain("A gamepad drives too");
    await demo.page.keyboard.down("ArrowDown");
    await demo.become("driving");
    await demo.page.keyboard.up("ArrowDown");
    expect(demo.problems).toEqual([]);
  });
});
