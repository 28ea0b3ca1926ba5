// Policies as pages run them against the trainer's: chunks, draws, bases that are corrected.

import { join } from "node:path";
import { expect, test } from "vitest";
import { createRng } from "../../sim/rng.ts";
import { loadPolicy, readPolicy } from "../../train/policy.ts";
import { policyMetadata, policyOnnx } from "../../train/policyFile.ts";
import { bundlePolicies, loadPagePolicy } from "../../viewer/pagePolicy.ts";
import { temporaryFolder, untrainedRun } from "../train/runs.ts";

const narrow = ["width=16", "actorHidden=[16]", "criticHidden=[16]", "criticWidth=16"];
const chunks = ["chunkLength=6", "executed=4"];

/** Runs one in the other's folder, the acting one first; returns its folder and the page's file. */
async function policies(...made: readonly (readonly [algorithm: string, ...sets: string[]])[]) {
  const outer = join(temporaryFolder(), "a-run");
  const graphs: Uint8Array[] = [];
  let folder = outer;
  for (const [algorithm, ...sets] of made) {
    await untrainedRun([...sets, "seed=3"], algorithm, folder);
    const saved = await readPolicy(folder, "last");
    graphs.push((await policyOnnx(saved, policyMetadata(saved))).bytes);
    folder = join(folder, "base");
  }
  return { folder: outer, file: graphs.length === 1 ? graphs[0]! : bundlePolicies(graphs) };
}

const of = (algorithm: string, ...more: string[]) => {
  const known: Readonly<Record<string, readonly string[]>> = {
    mlp: ["hidden=[16]", ...chunks],
    act: ["width=16", "feedForward=16", ...chunks],
    flow: ["width=16", ...chunks],
    shortcut: ["width=16", ...chunks],
    diffusion: ["width=16", ...chunks],
    reinflow: ["width=16", "criticWidth=16", ...chunks],
    dppo: ["width=16", "criticWidth=16", ...chunks],
    resip: ["hidden=[16]"],
  };
  return [algorithm, ...(known[algorithm] ?? narrow.slice(1, 3)), ...more] as const;
};

test.each([
  ["a clone of chunks", [of("mlp")]],
  ["ACT", [of("act")]],
  ["ACT, by temporal ensembling", [of("act", "executed=1", "temporalEnsemble=0.1")]],
  ["a flow", [of("flow")]],
  ["a shortcut", [of("shortcut")]],
  ["a diffusion", [of("diffusion")]],
  ["ReinFlow's", [of("reinflow")]],
  ["DPPO's", [of("dppo")]],
  ["ResFiT's correction of a clone", [of("residual"), of("mlp")]],
  ["ResiP's correction of a flow", [of("resip"), of("flow")]],
  ["a correction of a correction", [of("decorator"), of("residual"), of("mlp")]],
  ["Uni-O4's", [of("uniO4")]],
] as const)("%s acts in a page as in Node within 1e-4", async (_, made) => {
  const { folder, file } = await policies(...made);
  const policy = await loadPolicy(folder, "last", { numRows: 1 });
  const { observation, action } = policy.task;
  const page = loadPagePolicy(file, observation.size, action.size);
  const rng = createRng(4);
  let worst = 0;
  const all: number[] = [];
  for (let step = 0; step < 20; step++) {
    const row = Float32Array.from({ length: observation.size }, () => rng.normal());
    const begins = step === 0 || step === 10; // in the midst of a chunk
    if (begins) page.begin();
    const wanted = await policy.act(row, Uint8Array.of(Number(begins)));
    const got = page.act(row);
    for (const [i, x] of got.entries()) worst = Math.max(worst, Math.abs(x - wanted[i]!));
    all.push(...wanted);
    if (made.length > 1) expect(page.baseAction).toHaveLength(action.size);
  }
  await policy.dispose();
  expect(Math.max(...all) - Math.min(...all)).toBeGreaterThan(1e-3); // they say something
  expect(worst).toBeLessThan(1e-4);
});

test("a correction without its base, a cut bundle and other sizes are refused with a word", async () => {
  const { file } = await policies(of("residual"), of("mlp"));
  const { task } = await readPolicy((await policies(of("mlp"))).folder, "last");
  const [o, a] = [task.observation.size, task.action.size];
  const alone = (await policies(of("residual"))).file;
  expect(() => loadPagePolicy(alone, o, a)).toThrow(/corrects a base, which the file lacks/);
  for (const length of [9, 12, 20, 400, file.length - 5])
    expect(() => loadPagePolicy(file.subarray(0, length), o, a)).toThrow(Error);
  expect(() => loadPagePolicy(file, o + 1, a)).toThrow(Error);
  expect(() => loadPagePolicy(bundlePolicies(new Array(9).fill(alone)), o, a)).toThrow(/1 to 8/);
});
