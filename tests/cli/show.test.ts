import { expect, test } from "vitest";
import { StatusLine } from "../../cli/show.ts";

const report = (step: number, metrics: Record<string, number>) => ({ step, metrics });

test("the page's line keeps what a report leaves out, and has successes of tasks that know them", () => {
  const rollout = {
    "time/fps": 2690.4,
    "rollout/ep_rew_mean": 31.234,
    "rollout/success_rate": 0.345,
    "rollout/episodes": 29,
  };
  const line = new StatusLine(true);
  expect(line.after(report(1000, { "time/fps": 10 }))).toBe("step 1000 · 10 steps/s");
  line.after(report(2000, rollout));
  expect(line.after(report(120_000, { "eval/mean_reward": 3 }))).toBe(
    "step 120 k · 2690 steps/s · 31.2 return · 35% of the last 29 episodes successful",
  );
  expect(line.after(report(3e6, { "rollout/episodes": 5000 }))).toContain("35% of the last 100 ");
  expect(new StatusLine(false).after(report(2000, rollout))).not.toContain("successful");
});
