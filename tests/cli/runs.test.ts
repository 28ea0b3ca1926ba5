import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { groupCurves, hasFonts, pngOf } from "../../cli/curves.ts";
import { decodeSafetensors } from "../../nn/safetensors.ts";
import { formatConfig, resolveConfig } from "../../train/config.ts";
import { createRun, type Run } from "../../train/run.ts";
import { valueAt } from "../../train/runSummary.ts";
import { origin } from "../train/origin.ts";
import { temporaryFolder, untrainedRun } from "../train/runs.ts";
import { salle } from "./salle.ts";

/** A run of the hopper whose evaluations rise by `slope` every 100 steps. */
async function makeRun(folder: string, seed: number, slope: number): Promise<Run> {
  const config = await resolveConfig({ task: "hopper", algorithm: "sac", flags: { seed } });
  const path = join(folder, `hopper-hop-v0__sac__${seed}__20260101-000000`);
  const run = createRun(path, { config: formatConfig(config), meta: origin });
  for (let i = 1; i <= 4; i++) run.log(100 * i, { "eval/mean_reward": slope * i });
  return run;
}

test("runs are listed whatever state they are in", async () => {
  const folder = temporaryFolder();
  (await makeRun(folder, 1, 10)).finish("finished");
  (await makeRun(folder, 2, 20)).close();
  mkdirSync(join(folder, "ant-run-v0__td3__3__20260101-000000"));
  writeFileSync(join(folder, "ant-run-v0__td3__3__20260101-000000", "meta.json"), "{");
  writeFileSync(join(folder, "notes.txt"), "no run");
  const listed = JSON.parse((await salle("runs", "--runs", folder, "--json")).output);
  expect(listed).toMatchObject([
    { task: "ant-run-v0", algorithm: "td3", seed: 3, status: "damaged", best: null },
    { task: "hopper-hop-v0", seed: 1, status: "finished", steps: 400, best: 40, problem: null },
    { task: "hopper-hop-v0", seed: 2, status: "interrupted", steps: 400, last: 80 },
  ]);
  const { output } = await salle("runs", "list", "--runs", folder);
  expect(output).toMatch(
    /hopper-hop-v0__sac__2__\S+ +hopper-hop-v0 +sac +400 +80 +80 +interrupted/,
  );
  expect(output).toMatch(/ant-run-v0__td3__3__\S+: .*meta.json is no JSON/);
});

test("runs are compared at equal steps and at their ends", async () => {
  const folder = temporaryFolder();
  const names = [await makeRun(folder, 1, 10), await makeRun(folder, 2, 20)].map(
    ({ name }) => name,
  );
  const { output } = await salle("runs", "compare", ...names, "--runs", folder, "--json");
  const { rows } = JSON.parse(output) as { rows: { label: string; values: number[] }[] };
  const values = Object.fromEntries(rows.map((row) => [row.label, row.values]));
  expect(values["eval/mean_reward at 160"]).toEqual([16, 32]);
  expect(values["last eval/mean_reward"]).toEqual([40, 80]);
});

test("seeds of one setting are drawn as one curve, into SVG and PNG", async () => {
  const folder = temporaryFolder();
  const folders = [await makeRun(folder, 1, 10), await makeRun(folder, 2, 20)].map(
    (run) => run.folder,
  );
  const [svgFile, pngFile] = [join(folder, "curve.svg"), join(folder, "curve.png")];
  const draw = (file: string) => salle("runs", "plot", ...folders, "--out", file);
  const [drawn] = await Promise.all([draw(svgFile), draw(pngFile)]);
  expect(drawn!.output).toBe(`wrote ${svgFile}\n`);
  const svg = readFileSync(svgFile, "utf8");
  expect(svg).toContain("hopper-hop-v0 sac, mean of 2 seeds (60 at 400)");
  expect(svg).not.toContain("NaN");
  expect(readFileSync(pngFile).subarray(1, 4).toString()).toBe("PNG");
  expect(Buffer.from(await pngOf(svg)).equals(readFileSync(pngFile))).toBe(true);
  if (await hasFonts()) {
    const mute = (await pngOf(svg.replaceAll(/<text.*?<\/text>/g, ""))).length;
    expect((await pngOf(svg)).length).toBeGreaterThan(mute);
  }
});

test("what can't be drawn or found is told", async () => {
  const folder = temporaryFolder();
  const { name } = await makeRun(folder, 1, 10);
  const draw = (...args: string[]) => salle("runs", "plot", ...args, "--runs", folder);
  const [metric, run, ending] = await Promise.all([
    draw(name, "--metric", "eval/x"),
    draw("nope"),
    draw(name, "--out", "a.gif"),
  ]);
  expect(metric!.errors).toBe(
    'error: none of the runs has "eval/x"; they have: eval/mean_reward\n',
  );
  expect(metric!.code).toBe(1);
  expect(run!.errors).toContain(`no run "nope"`);
  expect(ending!.errors).toContain('a picture ends in .svg or .png, got "a.gif"');
});

test("curves of a group are averaged where all of them have values, between their points too", () => {
  const points = (...pairs: [number, number][]) => pairs.map(([step, value]) => ({ step, value }));
  const [curve] = groupCurves([
    { group: "g", points: points([0, 0], [10, 10], [20, 20]) },
    { group: "g", points: points([0, 2], [20, 6], [30, 9]) },
  ]);
  expect(curve!.points).toEqual([
    { step: 0, mean: 1, low: 0, high: 2 },
    { step: 10, mean: 7, low: 4, high: 10 },
    { step: 20, mean: 13, low: 6, high: 20 },
  ]);
  expect(valueAt(points([5, 1]), 4)).toBeNaN();
});

test("a policy is exported with what it was trained as", async () => {
  const { folder } = await untrainedRun(["actorHidden=[8]"]);
  const [onnx, tensors] = [join(folder, "p.onnx"), join(folder, "p.safetensors")];
  const { output } = await salle("export", folder, "--onnx", onnx, "--safetensors", tensors);
  expect(output).toMatch(/wrote .*p.onnx: policy of step 7, any number of rows, \d+ bytes/);
  const { arrays, metadata } = decodeSafetensors(readFileSync(tensors));
  expect([...arrays.keys()]).toContain("normalizer/means");
  expect(metadata).toMatchObject({ task: "hopper-hop-v0", algorithm: "sac", step: "7" });
  const nothing = await salle("export", folder);
  expect(nothing.errors).toContain("nothing to write: give --onnx");
  const { errors } = await salle("export", folder, "--onnx", onnx, "--checkpoint", "9");
  expect(errors).toMatch(/no checkpoint "9" in .*; there are: 7/);
});
