import { describe, expect, it } from "vitest";
import { interquartileInterval, interquartileMean } from "../../bench/offline/aggregate.ts";
import { createRng } from "../../sim/rng.ts";

describe("interquartileMean", () => {
  it("leaves out the lowest and the highest quarter", () => {
    expect(interquartileMean([100, 1, 2, -50])).toBe(1.5);
    expect(interquartileMean([8, 7, 6, 5, 4, 3, 2, 1])).toBe(4.5);
  });

  it("counts a value at a quarter's edge by its part", () => {
    // Of three, three quarters of the outer ones are cut off: (0.25 · 0 + 1 · 3 + 0.25 · 12) / 1.5.
    expect(interquartileMean([12, 0, 3])).toBeCloseTo(4, 12);
    expect(interquartileMean([7])).toBe(7);
  });
});

describe("interquartileInterval", () => {
  it("is the value alone where each stratum has one run", () => {
    expect(interquartileInterval([[1], [5]], createRng(1))).toEqual([3, 3]);
  });

  it("draws within strata: differences between tasks do not widen it", () => {
    const apart = interquartileInterval(
      [
        [0, 0, 0],
        [100, 100, 100],
      ],
      createRng(1),
    );
    expect(apart).toEqual([50, 50]);
  });

  it("holds the mean of a normal sample about 95 times of 100", () => {
    const rng = createRng(3);
    const held = Array.from({ length: 60 }, () => {
      const runs = Array.from({ length: 24 }, () => rng.normal());
      const [low, high] = interquartileInterval([runs], rng);
      return low <= 0 && 0 <= high;
    }).filter(Boolean).length;
    expect(held / 60).toBeGreaterThan(0.87);
    expect(held / 60).toBeLessThan(0.99);
  });
});
