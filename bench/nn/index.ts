// The benchmark of compiled programs: one SAC update beside PyTorch's, its floor, and its parts.

import type { BenchOptions } from "../main.ts";
import { type Contender, takeTurns } from "../measure.ts";
import { atMost, type Report, type Row, row, type Target } from "../report.ts";
import { floorMilliseconds, sgemmContender, updateFlops } from "./floor.ts";
import { actContender, compileRows, updateContender } from "./ours.ts";
import { type TorchCase, TorchPeer, torchMissing } from "./torchPeer.ts";

const mainCase = "SAC update, batch 256";
const sgemmCase = "matrix product 256x256x256";
const threadCounts = [1, 2] as const;

/** Everything of `npm run bench -- nn`. */
export async function benchNn({ quick }: BenchOptions): Promise<Report> {
  const notes: string[] = [];
  const missing = torchMissing();
  if (missing !== undefined) notes.push(missing);
  if (quick)
    notes.push("a quick run: a few cold calls each, so its figures and targets say little");
  const peers = missing === undefined ? threadCounts.map((threads) => new TorchPeer(threads)) : [];
  const rows: Row[] = [];
  for (const group of await groups(quick, peers)) {
    const turns = quick ? { rounds: 2, milliseconds: 150 } : { rounds: 9, milliseconds: 500 };
    const samples = await takeTurns(group, turns);
    for (const [contender, times] of samples) rows.push(row(contender.case, contender.name, times));
    for (const contender of group) await contender.dispose?.();
  }
  rows.push(...(await compileRows(mainCase, quick ? 2 : 9)));
  if (peers[0] !== undefined) notes.push(`PyTorch ${await peers[0].version()}`);
  for (const peer of peers) peer.close();
  rows.push(...(await browserRows(quick, notes)));
  return { rows, targets: targets(rows), notes: [...notes, floorNote(rows)] };
}

/** Contenders that are measured in turns with each other. */
async function groups(quick: boolean, peers: readonly TorchPeer[]): Promise<Contender[][]> {
  const main = [
    ...(await ours(mainCase, 256, 2)),
    ...(await Promise.all(threadCounts.map((threads) => sgemmContender(sgemmCase, threads)))),
    ...torch(mainCase, peers, { kind: "update", batchSize: 256, numCritics: 2 }, !quick),
    ...peers.map((peer) =>
      peer.contender(sgemmCase, {
        kind: "sgemm",
        batchSize: 256,
        numCritics: 2,
        variant: "batched",
        mode: "eager",
      }),
    ),
  ];
  if (!quick) {
    for (const threads of threadCounts) {
      main.push(
        await updateContender(mainCase, { batchSize: 256, numCritics: 2, threads, repeats: 8 }),
      );
    }
  }
  main.push(
    await updateContender(mainCase, {
      batchSize: 256,
      numCritics: 2,
      threads: 1,
      device: "eager:wasm",
    }),
  );
  const acts = await Promise.all(
    (quick ? [1] : [1, 64, 1024]).map((batch) => actGroup(batch, peers)),
  );
  if (quick) return [main, ...acts];
  const others = [
    { name: "SAC update, batch 64", batchSize: 64, numCritics: 2 },
    { name: "SAC update, batch 1024", batchSize: 1024, numCritics: 2 },
    { name: "SAC update, batch 8192", batchSize: 8192, numCritics: 2 },
    { name: "REDQ update, 10 critics, batch 256", batchSize: 256, numCritics: 10 },
  ].map(async ({ name, batchSize, numCritics }) => [
    ...(await ours(name, batchSize, numCritics)),
    ...torch(name, peers, { kind: "update", batchSize, numCritics }, false),
  ]);
  return [main, ...acts, ...(await Promise.all(others))];
}

function ours(name: string, batchSize: number, numCritics: number): Promise<Contender[]> {
  return Promise.all(
    threadCounts.map((threads) => updateContender(name, { batchSize, numCritics, threads })),
  );
}

function torch(
  name: string,
  peers: readonly TorchPeer[],
  base: Pick<TorchCase, "kind" | "batchSize" | "numCritics">,
  compiled: boolean,
): Contender[] {
  const modes = compiled ? (["eager", "compile"] as const) : (["eager"] as const);
  return peers.flatMap((peer) =>
    modes.flatMap((mode) =>
      (["separate", "batched"] as const).map((variant) =>
        peer.contender(name, { ...base, variant, mode }),
      ),
    ),
  );
}

async function actGroup(batchSize: number, peers: readonly TorchPeer[]): Promise<Contender[]> {
  const name = `act, ${batchSize} observation${batchSize === 1 ? "" : "s"}`;
  return [
    ...(await Promise.all(threadCounts.map((threads) => actContender(name, batchSize, threads)))),
    ...peers.map((peer) =>
      peer.contender(name, {
        kind: "act",
        batchSize,
        numCritics: 2,
        variant: "separate",
        mode: "eager",
      }),
    ),
  ];
}

async function browserRows(quick: boolean, notes: string[]): Promise<Row[]> {
  try {
    const { measureBrowser } = await import("./browser.ts");
    const results = await measureBrowser({ quick });
    return results.map(({ name, ms }) => row("headless Chromium", name, [ms]));
  } catch (error) {
    notes.push(`no browser rows: ${(error as Error).message}`);
    return [];
  }
}

function targets(rows: readonly Row[]): Target[] {
  const median = (name: string, pattern: RegExp) =>
    Math.min(
      ...rows.filter((r) => r.case === name && pattern.test(r.contender)).map((r) => r.median),
    );
  const best = median(mainCase, /^Salle/);
  const list = [
    atMost("act for one observation", 0.1, median("act, 1 observation", /^Salle/), " ms"),
    atMost("best update over eager WASM", 1 / 20, best / median(mainCase, /^eager/)),
    atMost("compile of SAC", 2000, median(`${mainCase}, compile`, /^Salle/), " ms"),
  ];
  for (const threads of threadCounts) {
    const mine = median(mainCase, new RegExp(`^Salle, ${threads} thread`));
    const product = median(sgemmCase, new RegExp(`^Salle, ${threads} thread`));
    list.push(
      atMost(
        `update over its floor, ${threads} thread${threads === 1 ? "" : "s"}`,
        1.5,
        mine / floorMilliseconds(product),
      ),
    );
  }
  const peer = median(mainCase, /^PyTorch/);
  if (Number.isFinite(peer))
    list.unshift(atMost("best update over the best PyTorch", 0.7, best / peer));
  return list;
}

function floorNote(rows: readonly Row[]): string {
  const product = rows.filter((r) => r.case === sgemmCase && r.contender.startsWith("Salle"));
  const parts = product.map((r) => `${r.contender}: ${floorMilliseconds(r.median).toFixed(2)} ms`);
  return `the update's matrix products are ${(updateFlops / 1e9).toFixed(3)} GFLOP; at the measured rate they take ${parts.join(", ")}`;
}
