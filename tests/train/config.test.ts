import { expect, test } from "vitest";
import { formatConfig, parseConfig, resolveConfig } from "../../train/config.ts";
import { presets } from "../../train/presets.ts";

const hopper = { task: "hopper", algorithm: "sac" };
const resolve = (...sets: string[]) => resolveConfig({ ...hopper, sets });

test("later sources win: defaults, preset, file, --set, flags", async () => {
  const text = "algo:\n  discount: 0.9\n  tau: 0.02\ntrain:\n  numEnvs: 4\n  seed: 5\n";
  const sources = { ...hopper, file: { name: "a.yaml", text } };
  const preset = await resolve();
  expect(preset.task).toBe("hopper-hop-v0");
  expect(preset.algo).toMatchObject({ numStepReturns: 5, adamBeta1: 0.9 });
  const file = await resolveConfig(sources);
  expect(file.algo).toMatchObject({ discount: 0.9, tau: 0.02, numStepReturns: 5 });
  const set = await resolveConfig({ ...sources, sets: ["algo.tau=0.03", "train.numEnvs=8"] });
  expect(set.algo).toMatchObject({ discount: 0.9, tau: 0.03 });
  expect(set.train).toMatchObject({ numEnvs: 8, seed: 5 });
  const flags = { numEnvs: "16", seed: undefined };
  const all = await resolveConfig({ ...sources, sets: ["train.numEnvs=8"], flags });
  expect(all.train).toMatchObject({ numEnvs: 16, seed: 5 });
});

test("a file may name task and algorithm", async () => {
  const text = "task: ant\nalgorithm: td3\n";
  const { task, algorithm } = await resolveConfig({ file: { name: "a.yaml", text } });
  expect([task, algorithm]).toEqual(["ant-run-v0", "td3"]);
});

test("numbers may be written 1e6, 1_000, 1/16, and values as YAML", async () => {
  const { train, algo } = await resolve(
    "train.totalTimesteps=1e6",
    "logFreq=1_000",
    "algo.utdRatio=1/16",
    "actorHidden=[64, 32]",
    "maxGradNorm=null",
    "criticLayerNorm=false",
  );
  expect(train).toMatchObject({ totalTimesteps: 1_000_000, logFreq: 1000 });
  expect(algo).toMatchObject({ utdRatio: 0.0625, actorHidden: [64, 32], maxGradNorm: null });
  expect(algo["criticLayerNorm"]).toBe(false);
});

test.each([
  [
    "algo.critcDropout=0.1",
    /unknown setting "algo.critcDropout"; did you mean "criticDropout".*known: discount/,
  ],
  ["train.discount=0.9", /unknown setting "train.discount".*known: seed/],
  ["nonsense=1", /unknown setting "nonsense".*seed.*discount/],
  ["algo.discount=2", /algo.discount wants at most 1, got 2/],
  ["algo.bufferSize=1.5", /algo.bufferSize wants a whole number, got 1.5/],
  ["actorHidden=[64, 0]", /algo.actorHidden.1 wants at least 1, got 0/],
  ["activation=rleu", /algo.activation wants one of relu, tanh.*got "rleu"/],
  ["device=gpu", /train.device: wants one of cpu, webgpu.*got "gpu"/],
  ["physics=fast", /train.physics wants one of simd, compat, deterministic, got "fast"/],
  ["numTargetCritics=5", /algo.numTargetCritics: a target can't use more critics.*got 5/],
  ["discount", /--set wants key=value.*got "discount"/],
])("--set %s is refused with its name, its value and what is allowed", async (set, message) => {
  await expect(resolve(set)).rejects.toThrow(message);
});

test("all problems are told at once, and unknown keys of a file with the file's name", async () => {
  await expect(resolve("discount=2", "tau=0")).rejects.toThrow(
    /algo.discount.*\n.*algo.tau wants more than 0/,
  );
  const file = { name: "mine.yaml", text: "alg:\n  tau: 1\n" };
  await expect(resolveConfig({ ...hopper, file })).rejects.toThrow(
    /mine.yaml: unknown setting "alg"; did/,
  );
  const broken = { name: "mine.yaml", text: "a: [" };
  await expect(resolveConfig({ ...hopper, file: broken })).rejects.toThrow("mine.yaml is no YAML");
});

test("unknown tasks and algorithms are named with what is like them", async () => {
  await expect(resolveConfig({ task: "hoper", algorithm: "sac" })).rejects.toThrow(
    'did you mean "hopper"',
  );
  await expect(resolveConfig({ task: "ant", algorithm: "sca" })).rejects.toThrow(
    'did you mean "sac"',
  );
  await expect(resolveConfig({ algorithm: "sac" })).rejects.toThrow("a run wants a task");
});

test("what is resolved is frozen", async () => {
  const { algo } = await resolve();
  expect(Object.isFrozen(algo)).toBe(true);
  expect(() => (algo["actorHidden"] as number[]).push(1)).toThrow();
});

test("config.yaml reads back as it was written, with a line of help for each setting", async () => {
  const config = await resolve("algo.utdRatio=1/3", "actorHidden=[]", "targetReturn=-1e-7");
  const text = formatConfig(config);
  expect(parseConfig(text)).toEqual(config);
  expect(text).toMatch(/^ {2}seed: 1 # of everything random/m);
});

const rows = Object.entries(presets).flatMap(([algorithm, byTask]) =>
  Object.keys(byTask).map((task) => ({ algorithm, task })),
);

test.each(rows)("the preset of $algorithm for $task is valid", async ({ algorithm, task }) => {
  expect((await resolveConfig({ algorithm, task })).task).toBe(task);
});
