import { expect, test } from "vitest";
import { compile } from "../../nn/compile.ts";
import { add, type Tensor } from "../../nn/ops.ts";
import { zeros } from "../../nn/tree.ts";

const size = 1 << 20; // 4 MiB

test("a call copies no state into JavaScript", async () => {
  const count = ({ total }: { total: Tensor }) => [{ total: add(total, 1) }, {}] as const;
  const program = await compile(count, { state: { total: zeros([size]) }, inputs: {} });
  await program.run({});
  const before = process.memoryUsage().arrayBuffers;
  for (let i = 0; i < 8; i++) await program.run({});
  expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(size);
  expect((await program.state()).total.data[size - 1]).toBe(9);
  await program.dispose();
});

test("outputs are fresh arrays that later calls leave alone", async () => {
  const count = ({ total }: { total: Tensor }) => {
    const next = add(total, 1);
    return [{ total: next }, { next }] as const;
  };
  const program = await compile(count, { state: { total: zeros([2]) }, inputs: {} });
  const first = await program.run({});
  const second = await program.run({});
  expect([...first.next.data, ...second.next.data]).toEqual([1, 1, 2, 2]);
  await program.dispose();
});
