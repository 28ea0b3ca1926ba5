import { setTimeout as sleep } from "node:timers/promises";
import { describe, expect, test } from "vitest";
import { Trainee } from "../../bench/train/trainee.ts";

/** Counts its own ticks, 200 a second: 8 steps, 2 updates and a hundredth of a core each. */
const ticking = `
  let ticks = 0;
  setInterval(() => {
    ticks++;
    const standing = { steps: 8 * ticks, updates: 2 * ticks, time: ticks / 200, cpu: ticks / 20_000 };
    console.log(JSON.stringify(standing));
  }, 5);
`;

describe("a training that takes turns", () => {
  test("tells its pace by its own clock", async () => {
    const trainee = await Trainee.start(process.execPath, ["-e", ticking]);
    const pace = await trainee.turn(100);
    expect(pace.stepsPerSecond).toBeCloseTo(1600);
    expect(pace.updatesPerSecond).toBeCloseTo(400);
    expect(pace.cores).toBeCloseTo(0.01);
    expect(pace.updateCpu).toBeCloseTo(0.025); // ms
    await trainee.end();
  });

  test("stands still between turns", async () => {
    const counting =
      "setInterval(() => console.log(JSON.stringify({ updates: 32, steps: ++n, time: n, cpu: 0 })), 5); let n = 0;";
    const trainee = await Trainee.start(process.execPath, ["-e", counting]);
    await trainee.turn(20);
    const before = trainee.standing.steps;
    await sleep(300);
    await trainee.turn(1);
    expect(trainee.standing.steps - before).toBeLessThan(30); // 60 had it gone on
    await trainee.end();
  });

  test("ends with the processes that it started", async () => {
    const mother = `
      require("node:child_process").spawn("sleep", ["100"], { stdio: "inherit" });
      setInterval(() => console.log(JSON.stringify({ updates: 32, steps: 0, time: 0, cpu: 0 })), 5);
    `;
    const trainee = await Trainee.start(process.execPath, ["-e", mother]);
    // It waits until nobody holds the pipes any more, the child included.
    const isOver = trainee.end().then(() => true);
    expect(await Promise.race([isOver, sleep(3000)])).toBe(true);
  });

  test("says why it ended", async () => {
    const failing = ["-e", "console.error('no robot here'); process.exit(3)"];
    await expect(Trainee.start(process.execPath, failing)).rejects.toThrow(
      /ended with 3.*no robot here/,
    );
  });
});
