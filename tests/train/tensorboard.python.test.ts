import { join } from "node:path";
import { expect, test } from "vitest";
import { createRun, resumeRun } from "../../train/run.ts";
import { crc32c, tensorboardHead, tensorboardScalars } from "../../train/tensorboard.ts";
import { describePython, python } from "../python.ts";
import { origin } from "./origin.ts";
import { temporaryFolder } from "./runs.ts";

const script = `
import json, sys
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
events = EventAccumulator(sys.argv[1], size_guidance={"scalars": 0})
events.Reload()
tags = events.Tags()["scalars"]
print(json.dumps({tag: [[e.step, e.value, e.wall_time] for e in events.Scalars(tag)] for tag in tags}))`;

type Scalars = Record<string, [step: number, value: number | null, wallTime: number][]>;
const readBack = (folder: string): Scalars =>
  JSON.parse(python(script, { args: [folder] }).replaceAll("NaN", "null"));

test("the check sum is Castagnoli's: RFC 3720's examples", () => {
  expect(crc32c(new TextEncoder().encode("123456789"))).toBe(0xe3069283);
  expect(crc32c(new Uint8Array(32))).toBe(0x8a9136aa);
  expect(crc32c(new Uint8Array(32).fill(255))).toBe(0x62a8ab43);
});

test("a file begins with the version that readers want", () => {
  const text = new TextDecoder().decode(tensorboardHead(1));
  expect(text).toContain("brain.Event:2");
  expect(tensorboardScalars(1, 2, {}).length).toBeGreaterThan(16);
});

describePython("TensorBoard's own reader", () => {
  test("finds every scalar with its step and time, large steps, odd tags and NaN", () => {
    const run = createRun(join(temporaryFolder(), "run"), { config: "", meta: origin });
    const before = Date.now() / 1000;
    run.log(0, { "eval/mean_reward": -1.5 });
    run.log(5_000_000_000, { "eval/mean_reward": 0.1, größe: 1e30 });
    run.log(5_000_000_001, { "train/loss": Number.NaN });
    run.finish("finished");
    const scalars = readBack(run.folder);
    expect(Object.keys(scalars).sort()).toEqual(["eval/mean_reward", "größe", "train/loss"]);
    const [first, second] = scalars["eval/mean_reward"]!;
    expect(first!.slice(0, 2)).toEqual([0, -1.5]);
    expect(second!.slice(0, 2)).toEqual([5_000_000_000, Math.fround(0.1)]);
    expect(first![2]).toBeGreaterThanOrEqual(before);
    expect(first![2]).toBeLessThan(before + 60);
    expect(scalars["größe"]![0]![1]).toBe(Math.fround(1e30));
    expect(scalars["train/loss"]![0]!.slice(0, 2)).toEqual([5_000_000_001, null]);
  });

  test("sees a resumed run as if it had never been interrupted", () => {
    const path = join(temporaryFolder(), "run");
    const first = createRun(path, { config: "", meta: origin });
    for (let step = 1; step <= 30; step++) {
      first.log(step, { a: step });
      if (step === 20) first.save(20, {});
    }
    const second = resumeRun(path, []).run;
    for (let step = 21; step <= 40; step++) second.log(step, { a: -step });
    const rows = readBack(path)["a"]!.map(([step, value]) => [step, value]);
    const wanted = Array.from({ length: 40 }, (_, i) => [i + 1, i < 20 ? i + 1 : -i - 1]);
    expect(rows).toEqual(wanted);
  });
});
