import { expect, test, vi } from "vitest";
import { Progress } from "../../cli/progress.ts";

test("the time that is left is counted from where and when a run goes on", () => {
  let now = 0;
  const write = vi.spyOn(process.stderr, "write").mockReturnValue(true);
  try {
    const progress = new Progress(10_000, () => now);
    now += 50_000; // loading a checkpoint
    progress.begin(8000);
    now += 10_000;
    progress.report({ step: 9000, metrics: { "eval/mean_reward": 3 } });
    const lines = write.mock.calls.map(([text]) => text);
    expect(lines).toEqual(["9000 of 10 k steps  0:10 left  100 steps/s  evaluation 3\n"]);
  } finally {
    write.mockRestore();
  }
});
