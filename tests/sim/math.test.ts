import { describe, expect, test } from "vitest";
import { acos, asin, atan, atan2, cos, exp, log, pow, sin, tan, tanh } from "../../sim/math.ts";
import { createRng } from "../../sim/rng.ts";

/** Units in the last place between two numbers. */
function ulps(a: number, b: number): number {
  if (Object.is(a, b)) return 0;
  const spacing = 2 ** (Math.floor(Math.log2(Math.max(Math.abs(a), Math.abs(b), 2 ** -1000))) - 52);
  return Math.abs(a - b) / spacing;
}

function close(a: number, b: number): boolean {
  return Object.is(a, b) || Math.abs(a - b) < 1e-14;
}

const portable = { acos, asin, atan, atan2, cos, exp, log, pow, sin, tan, tanh };

type Name = "sin" | "cos" | "tan" | "atan" | "asin" | "acos" | "tanh" | "exp" | "log";
const ranges: readonly (readonly [Name, number, number])[] = [
  ["sin", -50, 50],
  ["sin", -1e-3, 1e-3],
  ["sin", -1e5, 1e5],
  ["cos", -50, 50],
  ["cos", -1e5, 1e5],
  ["tan", -10, 10],
  ["atan", -10, 10],
  ["atan", -1e6, 1e6],
  ["asin", -1, 1],
  ["acos", -1, 1],
  ["tanh", -1, 1],
  ["tanh", -25, 25],
  ["exp", -20, 20],
  ["log", 1e-9, 1e3],
];

describe("agrees with the engine's own functions within 2 units in the last place", () => {
  test.each(ranges)("%s on [%d, %d]", (name, low, high) => {
    const rng = createRng(1);
    let worst = 0;
    for (let i = 0; i < 20_000; i++) {
      const x = low + (high - low) * rng.uniform();
      worst = Math.max(worst, ulps(portable[name](x), Math[name](x)));
    }
    // The engine's own tanh is the worse one.
    expect(worst).toBeLessThanOrEqual(name === "tanh" ? 3 : 2);
  });

  test("atan2 in every quadrant", () => {
    const rng = createRng(2);
    for (let i = 0; i < 20_000; i++) {
      const [y, x] = [rng.normal(), rng.normal()];
      expect(ulps(portable.atan2(y, x), Math.atan2(y, x))).toBeLessThanOrEqual(2);
    }
  });

  test("pow for results of moderate size", () => {
    const rng = createRng(3);
    for (let i = 0; i < 20_000; i++) {
      const x = portable.exp(3 * rng.normal());
      const y = 2 * rng.normal();
      expect(ulps(portable.pow(x, y), x ** y)).toBeLessThanOrEqual(2);
    }
  });
});

test("edges are those of the engine", () => {
  const zeros = [0, -0, 1, -1, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, Number.NaN];
  for (const y of zeros)
    for (const x of zeros)
      expect(close(portable.atan2(y, x), Math.atan2(y, x)), `atan2(${y}, ${x})`).toBe(true);
  for (const x of zeros) {
    for (const name of ["sin", "cos", "tan", "atan", "asin", "acos", "tanh"] as const)
      expect(close(portable[name](x), Math[name](x)), `${name}(${x})`).toBe(true);
  }
  expect(portable.pow(0, 2)).toBe(0);
  expect(portable.pow(-2, 3)).toBeCloseTo(-8, 12);
  expect(portable.pow(-2, 0.5)).toBeNaN();
  expect(portable.pow(5, 0)).toBe(1);
  expect(portable.asin(1.1)).toBeNaN();
});

test("gives the bits it always gave", () => {
  let hash = 0;
  const view = new DataView(new ArrayBuffer(8));
  const rng = createRng(4);
  for (let i = 0; i < 2000; i++) {
    const x = 4 * rng.normal();
    const values = [
      portable.sin(x),
      portable.cos(x),
      portable.tan(x),
      portable.atan2(x, 1.5),
      portable.asin(portable.tanh(x)),
      portable.acos(portable.tanh(x)),
      portable.pow(1.5 + x * x, x),
      portable.exp(x),
      portable.log(x * x),
    ];
    for (const value of values) {
      view.setFloat64(0, value);
      hash = Math.imul(hash ^ view.getInt32(0), 0x01000193);
      hash = Math.imul(hash ^ view.getInt32(4), 0x01000193);
    }
  }
  expect(hash >>> 0).toBe(35638290);
});
