// Policies for the viewer's page, made in a process of their own: compiling takes a second, and ONNX
// Runtime changes how its thread computes with denormal numbers (sim/nursery.ts).

import { execFile } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { readPolicyFile } from "../viewer/onnxReader.ts";
import { bundlePolicies } from "../viewer/pagePolicy.ts";

const main = fileURLToPath(new URL("./main.js", import.meta.url));
/** Where a run keeps the policy that it corrects. */
const baseFolder = (run: string) => join(run, "base");
const mostKept = 8;
const kept = new Map<string, Promise<Uint8Array>>();

/** The policy of a run's checkpoint as an ONNX file; the last few are kept. */
export function policyOf(folder: string, step: number): Promise<Uint8Array> {
  const key = `${step} ${folder}`;
  const known = kept.get(key);
  if (known) return known;
  const made = exported(folder, step);
  kept.set(key, made);
  made.catch(() => kept.delete(key));
  if (kept.size > mostKept) kept.delete([...kept.keys()][0]!);
  return made;
}

/** The graph, or where it corrects a base a bundle of both: pages run no other process. */
async function exported(folder: string, step: number): Promise<Uint8Array> {
  const place = mkdtempSync(join(tmpdir(), "salle-policy-"));
  try {
    const graphs = [await graphOf(folder, String(step), place)];
    for (let base = baseFolder(folder); correctsBase(graphs.at(-1)!); base = baseFolder(base))
      graphs.push(await graphOf(base, "last", place));
    return graphs.length === 1 ? graphs[0]! : bundlePolicies(graphs);
  } finally {
    rmSync(place, { recursive: true, force: true });
  }
}

async function graphOf(folder: string, checkpoint: string, place: string): Promise<Uint8Array> {
  const file = join(place, "policy.onnx");
  const args = [main, "export", folder, "--checkpoint", checkpoint, "--onnx", file];
  await new Promise<void>((resolve, reject) => {
    execFile(process.execPath, args, (error, _, problems) => {
      if (error) reject(new Error(problems.trim() || error.message));
      else resolve();
    });
  });
  return readFileSync(file);
}

const correctsBase = (graph: Uint8Array) =>
  Number(readPolicyFile(graph).metadata["base_action_size"] ?? 0) > 0;
