import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { decodeSafetensors, encodeSafetensors } from "../../nn/safetensors.ts";
import { array } from "../../nn/tree.ts";
import { loadPolicy, policyArrays } from "../../train/policy.ts";
import { policyMetadata, policyOnnx } from "../../train/policyFile.ts";
import { describePython, python } from "../python.ts";
import { observationRows, temporaryFolder, untrainedRun } from "./runs.ts";

const script = `
import json, sys
import onnx, onnxruntime
from safetensors.numpy import load_file, save_file
folder = sys.argv[1]
model = onnx.load(folder + "/policy.onnx")
onnx.checker.check_model(model, full_check=True)
session = onnxruntime.InferenceSession(folder + "/policy.onnx", providers=["CPUExecutionProvider"])
results = {}
for name, obs in load_file(folder + "/obs.safetensors").items():
    results[name] = session.run(None, {"obs": obs})[0]
save_file(results, folder + "/action.safetensors")
print(json.dumps({
    "inputs": [[i.name, i.shape] for i in session.get_inputs()],
    "outputs": [[o.name, o.shape] for o in session.get_outputs()],
    "metadata": {p.key: p.value for p in model.metadata_props}}))`;

describePython("an exported policy in Python's ONNX Runtime", () => {
  test.each([
    ["sac", ["normalizer=running", "actorHidden=[24, 16]"]],
    ["sac", ["normalizer=none", "actorHidden=[8]"]],
    ["td3", ["normalizer=warmUp", "actorHidden=[8]"]],
  ])("acts as the trainer's policy does, on any number of rows: %s %s", async (name, sets) => {
    const run = await untrainedRun(sets, name);
    const [one, many] = [
      await loadPolicy(run.folder),
      await loadPolicy(run.folder, "last", { numRows: 64 }),
    ];
    const { size } = one.task.observation;
    const rows = observationRows(64, size);
    const folder = temporaryFolder();
    const { bytes, numRows } = await policyOnnx(one, policyMetadata(one));
    expect(numRows).toBeNull();
    writeFileSync(join(folder, "policy.onnx"), bytes);
    const obs = { one: array(rows.slice(0, size), [1, size]), many: array(rows, [64, size]) };
    writeFileSync(join(folder, "obs.safetensors"), encodeSafetensors(obs));
    const report = JSON.parse(python(script, { args: [folder] }));
    const { arrays } = decodeSafetensors(readFileSync(join(folder, "action.safetensors")));
    expectNear(arrays.get("one")!.data, await one.act(rows.slice(0, size)));
    expectNear(arrays.get("many")!.data, await many.act(rows));
    expect(report.inputs).toEqual([["obs", ["N", size]]]);
    expect(report.outputs).toEqual([["action", ["N", one.task.action.size]]]);
    expect(report.metadata).toMatchObject({ task: "hopper-hop-v0", algorithm: name, step: "7" });
    for (const policy of [one, many]) await policy.dispose();
  });
});

test("the metadata say what a controller must know", async () => {
  const run = await untrainedRun(["actorHidden=[4]"]);
  const policy = await loadPolicy(run.folder);
  const metadata = policyMetadata(policy);
  const { actuators } = policy.task.model;
  expect(metadata["joint_names"]).toBe(actuators.map(({ joint }) => joint).join(","));
  expect(metadata["control_dt"]).toBe("0.02");
  expect(metadata["gear"]).toBe("200,200,100");
  expect(metadata["action_scale"]).toBe("1,1,1");
  expect(metadata["joint_stiffness"]).toBe("0,0,0");
  expect(metadata["observation_names"]!.split(",")).toHaveLength(policy.task.observation.size);
  await policy.dispose();
});

test("a saved policy acts with the parameters and the normaliser of its checkpoint", async () => {
  const run = await untrainedRun(["actorHidden=[4]", "normalizer=running"]);
  const policy = await loadPolicy(run.folder);
  expect(policy.step).toBe(7);
  const { state } = run.load("last");
  const { agent } = (state as { loop: { learner: { agent: Record<string, unknown> } } }).loop
    .learner;
  const arrays = policyArrays(policy);
  expect(arrays.policy).toEqual({ actor: agent["actor"] });
  expect(Math.max(...arrays.normalizer.scales.data)).toBeLessThan(0.5); // of deviations near 3
  await expect(async () => policy.act(new Float32Array(3))).rejects.toThrow("takes 1 × 11 numbers");
  await policy.dispose();
});

function expectNear(actual: ArrayLike<number>, expected: Float32Array): void {
  expect(actual.length).toBe(expected.length);
  const worst = expected.reduce((most, x, i) => Math.max(most, Math.abs(x - actual[i]!)), 0);
  expect(worst).toBeLessThan(1e-5);
  expect(Math.max(...expected) - Math.min(...expected)).toBeGreaterThan(1e-4); // they say something
}
