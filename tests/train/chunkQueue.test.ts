import { expect, test } from "vitest";
import type { ActionLayout } from "../../agents/agent.ts";
import { ChunkQueue } from "../../train/chunkQueue.ts";

const layout: ActionLayout = {
  chunkLength: 3,
  executed: 2,
  numDraws: 2,
  drawsAlways: true,
  sampleDraws: 2,
  stored: 3,
};
const always = { ...layout, numDraws: 1, drawsAlways: false, chunkLength: 1, executed: 1 };

/** A queue of 2 rows and 1 action whose chunk is 10 · o + (0, 1, 2); it counts how often it is asked. */
function open(shape = layout) {
  const asked: { observations: number[]; draws: number[] }[] = [];
  const program = {
    numRows: 2,
    actionSize: 1,
    layout: shape,
    async act(observations: Float32Array, draws: Float32Array) {
      asked.push({ observations: [...observations], draws: [...draws] });
      return Float32Array.from(
        [...observations].flatMap((o) =>
          Array.from({ length: shape.chunkLength }, (_, i) => 10 * o + i),
        ),
      );
    },
  };
  return { asked, queue: new ChunkQueue(program, 4) };
}

const acts = async (
  queue: ChunkQueue,
  o: [number, number],
  ...rest: (Uint8Array | undefined)[]
) => [...(await queue.act(Float32Array.from(o), ...(rest as [])))];

test("a chunk's first actions are taken before the policy is asked again", async () => {
  const { queue, asked } = open();
  expect(await acts(queue, [1, 2])).toEqual([10, 20]);
  expect(await acts(queue, [3, 4])).toEqual([11, 21]);
  expect(await acts(queue, [5, 6])).toEqual([50, 60]);
  expect(asked.length).toBe(2);
});

test("a row whose episode begins drops its chunk, alone; its draws are its own", async () => {
  const { queue, asked } = open();
  await acts(queue, [1, 2]);
  expect(await acts(queue, [3, 4], Uint8Array.of(0, 1))).toEqual([11, 40]);
  expect(await acts(queue, [5, 6])).toEqual([50, 41]);
  const [first, second, third] = asked.map(({ draws }) => draws);
  expect(second!.slice(0, 2)).toEqual(first!.slice(0, 2)); // row 0 was not asked
  expect(second!.slice(2)).not.toEqual(first!.slice(2));
  expect(third!.slice(0, 2)).not.toEqual(first!.slice(0, 2));
});

test("rows that are left out keep their memory", async () => {
  const { queue } = open();
  await acts(queue, [1, 2]);
  expect((await acts(queue, [3, 4], Uint8Array.of(0, 1), Uint8Array.of(0, 1)))[1]).toBe(40);
  expect(await acts(queue, [5, 6])).toEqual([11, 41]);
});

test("state and restore go on to the bit, also in the midst of a chunk; a reset begins anew", async () => {
  const { queue, asked } = open();
  await acts(queue, [1, 2]);
  const state = structuredClone(queue.state());
  const wanted = [await acts(queue, [3, 4]), await acts(queue, [5, 6])];
  const draws = asked.at(-1)!.draws;
  const other = open();
  other.queue.restore(state);
  expect([await acts(other.queue, [3, 4]), await acts(other.queue, [5, 6])]).toEqual(wanted);
  expect(other.asked.at(-1)!.draws).toEqual(draws);
  other.queue.reset(4);
  expect(await acts(other.queue, [7, 8])).toEqual([70, 80]);
  expect(other.asked.at(-1)!.draws).toEqual(asked[0]!.draws);
});

test("a policy of single actions is asked at every step, without draws", async () => {
  const { queue, asked } = open(always);
  expect(await acts(queue, [1, 2])).toEqual([10, 20]);
  expect(await acts(queue, [3, 4])).toEqual([30, 40]);
  expect(asked.map(({ draws }) => draws)).toEqual([
    [0, 0],
    [0, 0],
  ]);
});
