// The benchmark of learning from logged data: an update of every method, drawing its batch included, beside the same
// in PyTorch.
//
// Both take a method's defaults, one thread, and turns with each other; a call of ours has several updates, as in a
// training. PyTorch runs what tests/finetune/corl_peer.py has, op by op, as CORL does: two critics are two networks,
// ten are one batched product, and an actor's loss goes back into the critics' weights too; "lean" leaves out what
// nobody wants of that.

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
  const turns = quick ? { rounds: 1, milliseconds: 150 } : { rounds: 3, milliseconds: 800 };
  const rows: Row[] = [];
  const ratios = { CORL: [] as number[], lean: [] as number[] };
  const parts: string[] = [];
  for (const name of quick ? quickMethods : methods) {
    const contenders = [name === "bc" ? await cloning() : await updates(name)];
    if (missing === undefined)
      contenders.push(await torchUpdates(name, "CORL"), await torchUpdates(name, "lean"));
    const [mine, whole, lean] = await measured(contenders, turns);
    rows.push(mine!);
    if (!whole || !lean) continue;
    rows.push(whole, lean);
    ratios.CORL.push(mine!.median / whole.median);
    ratios.lean.push(mine!.median / lean.median);
    parts.push(`${name} ${ratios.CORL.at(-1)!.toFixed(2)} (${ratios.lean.at(-1)!.toFixed(2)})`);
  }
  const notes =
    missing === undefined
      ? [
          `time of ours over PyTorch's as CORL runs it (over the lean): ${parts.join(", ")}`,
          `mean over the lean ${average(ratios.lean).toFixed(2)}`,
        ]
      : [missing];
  if (quick) notes.push("a quick run: a few methods, a few calls each; its figures say little");
  return { rows, targets: targets(ratios.CORL), notes };
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

function targets(ratios: readonly number[]): Target[] {
  if (ratios.length === 0) return [];
  return [
    atMost("mean ratio of times to PyTorch's as CORL runs it", bound, average(ratios)),
    atMost("their geometric mean", bound, Math.exp(average(ratios.map(Math.log)))),
  ];
}

function average(values: readonly number[]): number {
  return values.reduce((a, b) => a + b) / values.length;
}
