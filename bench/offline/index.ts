// The benchmark of learning from logged data: an update of every method, drawing its batch included, beside the same
// in PyTorch.
//
// Both take a method's defaults, one thread, and turns with each other; a call of ours has several updates, as in a
// training. PyTorch runs what tests/finetune/corl_peer.py has, op by op, as CORL does: two critics are two networks,
// ten are one batched product.

import type { BenchOptions } from "../main.ts";
import { type Contender, takeTurns } from "../measure.ts";
import { torchMissing } from "../nn/torchPeer.ts";
import { atMost, type Report, type Row, row, type Target } from "../report.ts";
import { methods } from "./methods.ts";
import { cloning, updates } from "./ours.ts";
import { torchUpdates } from "./peer.ts";

const bound = 0.7; // of PyTorch's time

/** Everything of `npm run bench -- offline`. */
export async function benchOffline({ quick }: BenchOptions): Promise<Report> {
  const missing = torchMissing();
  const turns = quick ? { rounds: 1, milliseconds: 150 } : { rounds: 7, milliseconds: 1000 };
  const rows: Row[] = [];
  const ratios = new Map<string, number>();
  for (const name of quick ? quickMethods : methods) {
    const contenders = [name === "bc" ? await cloning() : await updates(name)];
    if (missing === undefined) contenders.push(await torchUpdates(name));
    const [mine, theirs] = await measured(contenders, turns);
    rows.push(mine!, ...(theirs ? [theirs] : []));
    if (theirs) ratios.set(name, mine!.median / theirs.median);
  }
  const notes = [...(missing === undefined ? [ratioNote(ratios)] : [missing])];
  if (quick) notes.push("a quick run: a few methods, a few calls each; its figures say little");
  return { rows, targets: targets([...ratios.values()]), notes };
}

const quickMethods = ["bc", "td3bc", "iql", "cql"] as const;

async function measured(
  contenders: readonly Contender[],
  turns: Parameters<typeof takeTurns>[1],
): Promise<Row[]> {
  const samples = await takeTurns(contenders, turns);
  for (const contender of contenders) await contender.dispose?.();
  return [...samples].map(([{ case: what, name }, times]) => row(what, name, times));
}

function ratioNote(ratios: ReadonlyMap<string, number>): string {
  const list = [...ratios].map(([name, ratio]) => `${name} ${ratio.toFixed(2)}`);
  return `time of ours over PyTorch's: ${list.join(", ")}`;
}

function targets(ratios: readonly number[]): Target[] {
  if (ratios.length === 0) return [];
  const average = (values: readonly number[]) => values.reduce((a, b) => a + b) / values.length;
  const mean = average(ratios);
  const geometric = Math.exp(average(ratios.map(Math.log)));
  return [
    atMost("mean ratio of times to PyTorch's", bound, mean),
    atMost("their geometric mean", bound, geometric),
  ];
}
