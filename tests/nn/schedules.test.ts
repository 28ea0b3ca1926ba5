import { describe, expect, test } from "vitest";
import {
  constantSchedule,
  cosineSchedule,
  linearSchedule,
  type Schedule,
} from "../../nn/schedules.ts";
import { array } from "../../nn/tree.ts";
import { evaluate, expectClose } from "./evaluate.ts";

const steps = [0, 1, 5, 10, 55, 100, 1e6];

describe.each<[string, Schedule, number[]]>([
  ["constant", constantSchedule(0.3), steps.map(() => 0.3)],
  ["linear", linearSchedule(1, 0.2, 10), [1, 0.92, 0.6, 0.2, 0.2, 0.2, 0.2]],
  ["cosine", cosineSchedule({ peak: 2, numSteps: 10 }), [2, 1.951056516, 1, 0, 0, 0, 0]],
  [
    "cosine with warm-up",
    cosineSchedule({ peak: 1, end: 0.5, start: 0.1, numWarmUpSteps: 10, numSteps: 100 }),
    [0.1, 0.19, 0.55, 1, 0.75, 0.5, 0.5],
  ],
])("%s", (_, schedule, wanted) => {
  test("has its values on the host and inside a program", async () => {
    expectClose(steps.map(schedule<number>), wanted, 1e-9);
    const given = { steps: steps.map((step) => array([step], [])) };
    const values = await evaluate(({ steps }) => steps.map((step) => schedule(step)), given);
    expectClose(values.flat(), wanted, 1e-6);
  });
});

test("refuses a schedule without steps", () => {
  expect(() => linearSchedule(1, 0, 0)).toThrow("numSteps > 0, got 0");
  expect(() => cosineSchedule({ peak: 1, numWarmUpSteps: 5, numSteps: 5 })).toThrow("got 0");
});
