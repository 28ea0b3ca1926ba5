import { expect, test } from "vitest";
import { Normalizer } from "../../agents/normalizer.ts";

const rows = Float32Array.of(1, 10, 3, 10, 5, 10, 7, 10); // [4, 2]

test("standardises by the mean and deviation of all that was observed, in any grouping", () => {
  const whole = new Normalizer("running", 2);
  whole.observe(rows);
  const parts = new Normalizer("running", 2);
  for (let i = 0; i < 8; i += 2) parts.observe(rows.subarray(i, i + 2));
  const out = new Float32Array(2);
  for (const normalizer of [whole, parts]) {
    normalizer.apply(Float32Array.of(6, 10), out); // mean 4, std √5; the second never moved
    expect(out[0]).toBeCloseTo(2 / Math.sqrt(5), 5);
    expect(out[1]).toBe(0);
  }
});

test("clips what is far out, and an element that never moved has a floor", () => {
  const normalizer = new Normalizer("running", 2);
  normalizer.observe(rows);
  const out = new Float32Array(2);
  normalizer.apply(Float32Array.of(1e6, 10.05), out);
  expect(out[0]).toBe(10);
  expect(out[1]).toBeCloseTo(1, 3);
});

test("warmUp stops at freeze, running goes on, none does nothing", () => {
  const out = new Float32Array(2);
  const observed = (kind: "none" | "warmUp" | "running") => {
    const normalizer = new Normalizer(kind, 2);
    normalizer.observe(rows);
    normalizer.freeze();
    normalizer.observe(Float32Array.of(400, 10));
    normalizer.apply(Float32Array.of(4, 10), out);
    return out[0]!;
  };
  expect(observed("none")).toBe(4);
  expect(observed("warmUp")).toBeCloseTo(0, 6);
  expect(observed("running")).toBeLessThan(-0.1);
});

test("a restored normaliser continues exactly", () => {
  const first = new Normalizer("warmUp", 2);
  first.observe(rows);
  const other = new Normalizer("warmUp", 2);
  other.restore(first.state());
  for (const normalizer of [first, other]) normalizer.observe(Float32Array.of(0.3, -2));
  expect(other.state()).toEqual(first.state());
  expect(other.scales).toEqual(first.scales);
  expect(() => new Normalizer("running", 3).restore(first.state())).toThrow("3 elements, got 2");
});

test("with a mirror, standardising and mirroring commute", () => {
  const mirror = { indices: [1, 0, 2], signs: [1, 1, -1] };
  const image = (x: Float32Array) => x.map((_, i) => mirror.signs[i]! * x[mirror.indices[i]!]!);
  const lopsided = Float32Array.of(1, 10, 0.5, 3, 20, 0.7, 5, -10, 0.9); // [3, 3]
  const standardised = (normalizer: Normalizer, x: Float32Array) => {
    const out = new Float32Array(3);
    normalizer.apply(x, out);
    return out;
  };
  const x = Float32Array.of(4, 2, -0.6);
  const gap = (normalizer: Normalizer) => {
    normalizer.observe(lopsided);
    const after = image(standardised(normalizer, x));
    const before = standardised(normalizer, image(x));
    return Math.max(...after.map((y, i) => Math.abs(y - before[i]!)));
  };
  expect(gap(new Normalizer("running", 3, mirror))).toBeLessThan(1e-5);
  expect(gap(new Normalizer("running", 3))).toBeGreaterThan(0.1);
});
