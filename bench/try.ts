import { compile } from "../nn/compile.ts";
import { createRng } from "../sim/rng.ts";
import { sacBatch, sacInputs, sacState, sacUpdate } from "./nn/sac.ts";

const B = Number(process.argv[2] ?? 256);
const numCritics = Number(process.argv[3] ?? 2);
for (const threads of [1, 2]) {
  const t0 = performance.now();
  const p = await compile(
    sacUpdate,
    { state: sacState({ numCritics }), inputs: sacInputs(B, numCritics) },
    {
      threads,
      random: createRng(1),
      session: { ...(process.env["PROFILE"] ? { profile: `/work/scratch/prof${threads}` } : {}) },
    },
  );
  const t1 = performance.now();
  const b = sacBatch(B);
  for (let i = 0; i < 30; i++) await p.run(b, { outputs: [] });
  const ts: number[] = [];
  for (let i = 0; i < 300; i++) {
    const t = performance.now();
    await p.run(b, { outputs: [] });
    ts.push(performance.now() - t);
  }
  ts.sort((a, c) => a - c);
  const out = await p.run(b);
  console.log(
    `threads ${threads}: compile ${(t1 - t0).toFixed(0)} ms, median ${ts[150]!.toFixed(2)} ms, min ${ts[0]!.toFixed(2)}`,
    Object.values(out).map((x) => x.data[0]),
  );
  await p.dispose();
}
