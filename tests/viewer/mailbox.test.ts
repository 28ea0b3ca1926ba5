import { afterEach, describe, expect, test } from "vitest";
import { planRobot } from "../../sim/plan.ts";
import { createPoseMailbox, PoseMailbox } from "../../sim/poseMailbox.ts";
import { signalLayout } from "../../sim/signals.ts";
import { createVecEnv, type VecEnv } from "../../sim/vecEnv.ts";
import { createTask, taskSource } from "../../tasks/index.ts";
import { decodePoses, decodeSignals, signalKind } from "../../viewer/protocol.ts";
import { Pump } from "../../viewer/pump.ts";

const open: VecEnv[] = [];
afterEach(() => {
  for (const env of open.splice(0)) env.dispose();
});

interface Training {
  readonly mailbox: PoseMailbox;
  readonly env: VecEnv;
  step(): void;
}

async function training(numWorkers: number, action = 0): Promise<Training> {
  const task = await createTask("hopper");
  const mailbox = createPoseMailbox(task, 3);
  const source = await taskSource("hopper");
  const env = await createVecEnv(source, {
    numEnvs: 4,
    numWorkers,
    seed: 1,
    poses: mailbox.buffer,
  });
  open.push(env);
  env.reset();
  const actions = new Float32Array(4 * task.action.size).fill(action);
  return { mailbox, env, step: () => void env.step(actions) };
}

describe.each([0, 2])("poses of a training with %i workers", (numWorkers) => {
  test("come while somebody watches, each robot's own, and not before", async () => {
    const { mailbox, step } = await training(numWorkers);
    const poses = new Float32Array(3 * mailbox.numLinks * 7);
    step();
    expect(mailbox.read(0, poses, 0)).toBeNull();
    mailbox.watchers = 1;
    step();
    const slots = [0, 1, 2].map((robot) =>
      mailbox.read(robot, poses, robot * mailbox.numLinks * 7),
    );
    expect(slots).toEqual(Array(3).fill({ episode: 0, step: 2 }));
    const heights = [0, 1, 2].map((robot) => poses[robot * mailbox.numLinks * 7 + 2]!);
    expect(new Set(heights).size).toBe(3);
    for (const height of heights) expect(height).toBeGreaterThan(0.5);
  });

  test("tell when an episode began anew", async () => {
    const { mailbox, step } = await training(numWorkers);
    mailbox.watchers = 1;
    for (let i = 0; i < 120; i++) step(); // without torque every hopper has fallen by then
    const slot = mailbox.read(0, new Float32Array(mailbox.numLinks * 7), 0)!;
    expect(slot.episode).toBeGreaterThan(0);
    expect(slot.step).toBeLessThan(120);
  });
});

test.each([0, 2])(
  "signals with %i workers come of the robot that is followed alone",
  async (numWorkers) => {
    const { mailbox, env, step } = await training(numWorkers, -1.5);
    const { numSignals } = mailbox;
    const layout = signalLayout(env.task, planRobot(env.task.model));
    expect(numSignals).toBe(layout.width);
    mailbox.watchers = 1;
    mailbox.follow(1, true);
    const row = new Float32Array(numSignals);
    expect(mailbox.readSignals(1, row, 0)).toBeNull(); // none were written since
    let episodeReturn = 0;
    const still = new Float32Array(4 * env.task.action.size);
    for (const act of [() => env.step(still), () => env.step(still), step]) {
      act();
      episodeReturn += env.out.rewards[1]!;
    }
    expect(mailbox.readSignals(1, row, 0)).toEqual({ episode: 0, step: 3 });
    expect(mailbox.readSignals(0, row, 0)).toBeNull();
    const { rewardTerms } = env.task;
    const part = (from: number, to: number): number[] => Array.from(row.subarray(from, to));
    const terms = env.out.terms.subarray(rewardTerms.length, 2 * rewardTerms.length);
    expect(part(layout.terms, layout.reward)).toEqual(Array.from(terms));
    expect(part(layout.actions, layout.terms)).toEqual(layout.actuators.map(() => -1)); // clamped
    expect(row[layout.reward]).toBe(env.out.rewards[1]);
    expect(row[layout.episodeReturn]).toBeCloseTo(episodeReturn, 5);
    expect(Math.min(...part(layout.torques, layout.actions))).toBeLessThan(-1); // N m
    mailbox.follow(1, false);
    expect(mailbox.readSignals(1, row, 0)).toBeNull();
  },
);

test("a slot that is being written is never read as whole", async () => {
  const mailbox = createPoseMailbox(await createTask("hopper"), 1);
  const poses = new Float32Array(7 * mailbox.numLinks);
  const ints = new Int32Array(mailbox.buffer, 32);
  ints[0] = 3; // odd: a writer is at it
  expect(new PoseMailbox(mailbox.buffer).read(0, poses, 0)).toBeNull();
  ints[0] = 4;
  expect(mailbox.read(0, poses, 0)).toEqual({ episode: 0, step: 0 });
});

test("a slow client loses frames, others do not, and nobody's frames are made when none watches", async () => {
  const { mailbox, step } = await training(0);
  const pump = new Pump(mailbox);
  const frames: Uint8Array[] = [];
  const fast = pump.add({ bufferedAmount: 0, send: (bytes) => void frames.push(bytes) }, 2);
  const slow = pump.add({ bufferedAmount: 1e6, send: () => expect.unreachable() }, 2);
  expect(mailbox.watching).toBe(true);
  await expect
    .poll(() => {
      step();
      return fast.sent;
    })
    .toBeGreaterThan(3);
  expect(slow.dropped).toBeGreaterThan(3);
  expect(slow.sent).toBe(0);
  const decoded = frames.map((bytes) => decodePoses(bytes, mailbox.numLinks)!);
  expect(decoded[0]!.episodes.length).toBe(2);
  expect(decoded.map(({ sequence }) => sequence)).toEqual(decoded.map((_, i) => i));
  pump.remove(fast);
  pump.remove(slow);
  expect(mailbox.watching).toBe(false);
  const { length } = frames;
  step();
  await new Promise((resolve) => setTimeout(resolve, 60));
  expect(frames.length).toBe(length);
});

test("frames become fewer where sending them takes more than its share of the processor", async () => {
  const { mailbox, step } = await training(0);
  const pump = new Pump(mailbox);
  const spin = (): void => {
    for (const begun = performance.now(); performance.now() - begun < 6; );
  };
  const watcher = pump.add({ bufferedAmount: 0, send: spin }, 2);
  const begun = performance.now();
  while (performance.now() - begun < 1200) {
    step();
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  pump.remove(watcher);
  expect(watcher.sent).toBeGreaterThan(0);
  expect(watcher.sent).toBeLessThan(25); // 60 Hz would be 72, and a third of the processor
});

test("a frame that comes straight from the mailbox holds what the mailbox holds", async () => {
  const { mailbox, step } = await training(0);
  const pump = new Pump(mailbox);
  const frames: Uint8Array[] = [];
  const watcher = pump.add({ bufferedAmount: 0, send: (bytes) => void frames.push(bytes) }, 3);
  step();
  await expect.poll(() => frames.length).toBeGreaterThan(0);
  pump.remove(watcher);
  const { episodes, steps, poses } = decodePoses(frames[0]!, mailbox.numLinks)!;
  const wanted = new Float32Array(poses.length);
  for (const robot of [0, 1, 2]) {
    const slot = mailbox.read(robot, wanted, robot * 7 * mailbox.numLinks);
    expect(slot).toEqual({ episode: episodes[robot], step: steps[robot] });
  }
  expect(poses).toEqual(wanted);
});

test("those who follow a robot get its signals, once a step, until the last of them leaves", async () => {
  const { mailbox, step } = await training(0);
  const pump = new Pump(mailbox);
  const frames: Uint8Array[][] = [[], []];
  const [first, second] = frames.map((list) =>
    pump.add({ bufferedAmount: 0, send: (bytes) => void list.push(bytes) }, 3),
  );
  pump.follow(first!, 2);
  pump.follow(second!, 2);
  const signals = (i: number): Uint8Array[] => frames[i]!.filter(([kind]) => kind === signalKind);
  await expect
    .poll(() => {
      step();
      return signals(0).length;
    })
    .toBeGreaterThan(3);
  expect(signals(1)).toEqual(signals(0));
  const decoded = signals(0).map((bytes) => decodeSignals(bytes, mailbox.numSignals)!);
  const steps = decoded.map(({ step: at }) => at);
  expect(steps).toEqual([...new Set(steps)].sort((a, b) => a - b));
  expect(new Set(decoded.map(({ robot }) => robot))).toEqual(new Set([2]));
  const row = new Float32Array(mailbox.numSignals);
  expect(mailbox.readSignals(2, row, 0)?.step).toBeGreaterThanOrEqual(steps.at(-1)!);
  pump.follow(first!, null);
  expect(mailbox.isFollowed(2)).toBe(true);
  pump.remove(second!);
  expect(mailbox.isFollowed(2)).toBe(false);
  pump.follow(first!, 99); // there is none
  pump.stop();
});
