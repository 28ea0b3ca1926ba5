import { afterEach, describe, expect, test } from "vitest";
import { createPoseMailbox, PoseMailbox } from "../../sim/poseMailbox.ts";
import { createVecEnv, type VecEnv } from "../../sim/vecEnv.ts";
import { createTask, taskSource } from "../../tasks/index.ts";
import { decodePoses } from "../../viewer/protocol.ts";
import { Pump } from "../../viewer/pump.ts";

const open: VecEnv[] = [];
afterEach(() => {
  for (const env of open.splice(0)) env.dispose();
});

async function training(numWorkers: number): Promise<{ mailbox: PoseMailbox; step: () => void }> {
  const { model, controlDt, action } = await createTask("hopper");
  const mailbox = createPoseMailbox(3, model.links.length, controlDt);
  const source = await taskSource("hopper");
  const env = await createVecEnv(source, {
    numEnvs: 4,
    numWorkers,
    seed: 1,
    poses: mailbox.buffer,
  });
  open.push(env);
  env.reset();
  return { mailbox, step: () => void env.step(new Float32Array(4 * action.size)) };
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

test("a slot that is being written is never read as whole", () => {
  const mailbox = createPoseMailbox(1, 1, 0.02);
  const ints = new Int32Array(mailbox.buffer, 32);
  ints[0] = 3; // odd: a writer is at it
  expect(new PoseMailbox(mailbox.buffer).read(0, new Float32Array(7), 0)).toBeNull();
  ints[0] = 4;
  expect(mailbox.read(0, new Float32Array(7), 0)).toEqual({ episode: 0, step: 0 });
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
