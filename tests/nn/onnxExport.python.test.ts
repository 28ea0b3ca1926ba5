// Exported programs beside the ONNX tools that others use: Python's checker and Python's ONNX Runtime.

import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type CompileOptions, compile, type OnnxOptions } from "../../nn/compile.ts";
import { decodeSafetensors, encodeSafetensors } from "../../nn/safetensors.ts";
import { isNdArray, leaves, type NdArray, type Tree } from "../../nn/tree.ts";
import { describePython, python } from "../python.ts";
import { type Arrays, cases, type Tensors } from "./onnxCases.ts";
import { expectClose } from "./support.ts";

/** compile() for trees whose types are not known. */
const compileAny = compile as unknown as (
  fn: unknown,
  example: { readonly state: Tree<NdArray>; readonly inputs: Arrays },
  options: CompileOptions,
) => Promise<{
  run(inputs: Arrays): Promise<Tree<NdArray>>;
  state(): Promise<Tree<NdArray>>;
  onnx(options: OnnxOptions): Promise<Uint8Array>;
  dispose(): Promise<void>;
}>;

/** Checks and runs every model of a folder; a failure is a line of the report. */
const script = `
import glob, json, sys
import numpy as np
import onnx
import onnxruntime
from safetensors.numpy import load_file, save_file
onnxruntime.set_default_logger_severity(3)
report = {}
for path in sorted(glob.glob(sys.argv[1] + "/*.onnx")):
    entry = report[path.split("/")[-1].removesuffix(".onnx")] = {}
    try:
        model = onnx.load(path)
        entry["metadata"] = {p.key: p.value for p in model.metadata_props}
        entry["operatorSets"] = [[s.domain, s.version] for s in model.opset_import]
        onnx.checker.check_model(model, full_check=True)
        session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
        entry["inputs"] = [i.name for i in session.get_inputs()]
        declared = {o.name: list(o.shape) for o in session.get_outputs()}
        given = load_file(path.rsplit(".", 2)[0] + ".in.safetensors")
        results = session.run(None, {name: given[name] for name in entry["inputs"]})
        outputs = {name: np.array(value, order="C") for name, value in zip(declared, results)}
        entry["misshaped"] = [n for n, value in outputs.items() if list(value.shape) != declared[n]]
        save_file(outputs, path.removesuffix(".onnx") + ".out.safetensors")
    except Exception as error:
        entry["error"] = f"{type(error).__name__}: {error}"
print(json.dumps(report))`;

interface Report {
  readonly error?: string;
  readonly metadata: Readonly<Record<string, string>>;
  readonly operatorSets: readonly (readonly [string, number])[];
  readonly inputs: readonly string[];
  readonly misshaped: readonly string[];
}

const names = Object.keys(cases);
const metadata = { task: "hopper-hop-v0", größe: '{"a": 1}' };

describePython("an exported program", () => {
  let folder: string;
  let reports: Readonly<Record<string, Report>>;
  const wanted = new Map<string, { state: Tree<NdArray>; outputs: Tree<NdArray> }>();

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), "salle-onnx-"));
    for (const [index, { state = {}, inputs, fn }] of Object.values(cases).entries()) {
      const program = await compileAny(
        (s: unknown, x: Tensors) => fn(x, s),
        { state, inputs },
        { name: names[index]! },
      );
      writeFileSync(join(folder, `${index}.in.safetensors`), encodeSafetensors({ state, inputs }));
      for (const kind of ["inputs", "constants"] as const) {
        const file = await program.onnx({ state: kind, metadata });
        writeFileSync(join(folder, `${index}.${kind}.onnx`), file);
      }
      const outputs = await program.run(inputs);
      wanted.set(names[index]!, { state: await program.state(), outputs });
      await program.dispose();
    }
    reports = JSON.parse(python(script, { args: [folder] }));
  });
  afterAll(() => rmSync(folder, { recursive: true }));

  const resultsOf = (name: string, kind: string) => {
    const stem = `${names.indexOf(name)}.${kind}`;
    const report = reports[stem]!;
    expect(report.error).toBeUndefined();
    const { arrays } = decodeSafetensors(readFileSync(join(folder, `${stem}.out.safetensors`)));
    return { report, arrays };
  };

  const expectArrays = (actual: ReadonlyMap<string, NdArray>, tree: Tree<NdArray>) => {
    const expected = leaves<NdArray>(tree, isNdArray);
    expect([...actual.keys()].sort()).toEqual(expected.map(([path]) => path).sort());
    for (const [path, value] of expected) expectClose(actual.get(path)!, value, path, 1e-5);
  };

  test.each(names)("that takes its state as inputs passes the checks and agrees: %s", (name) => {
    const { report, arrays } = resultsOf(name, "inputs");
    const { state, outputs } = wanted.get(name)!;
    expectArrays(arrays, { outputs, next: state } as Tree<NdArray>);
    expect(report.misshaped).toEqual([]);
  });

  test.each(names)("with its state baked in passes the checks and agrees: %s", (name) => {
    const { report, arrays } = resultsOf(name, "constants");
    expectArrays(arrays, { outputs: wanted.get(name)!.outputs });
    expect(report.misshaped).toEqual([]);
    expect(report.inputs.filter((input) => !input.startsWith("inputs/"))).toEqual([]);
  });

  test("carries its metadata and needs the standard operators alone", () => {
    for (const report of Object.values(reports)) {
      expect(report.metadata).toEqual(metadata);
      expect(report.operatorSets).toEqual([["", 18]]);
    }
    expect(Object.keys(reports)).toHaveLength(2 * names.length);
  });
});
