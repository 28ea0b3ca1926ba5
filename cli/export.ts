// salle export: a run's policy as a file that other programs read, or a run as a page.

import { writeFileSync } from "node:fs";
import { Command } from "commander";
import { encodeSafetensors } from "../nn/safetensors.ts";
import { policyArrays, readPolicy } from "../train/policy.ts";
import { baseActionSize, policyMetadata, policyOnnx } from "../train/policyFile.ts";
import { exportPage } from "./exportPage.ts";
import { print } from "./output.ts";
import { checkpointName, findRun } from "./runFolders.ts";
import { gitCommit, salleVersion } from "./version.ts";

interface ExportOptions {
  readonly onnx?: string;
  readonly safetensors?: string;
  readonly checkpoint?: string;
  readonly numRows: string;
  readonly html?: boolean;
  readonly out?: string;
  readonly episodes: string;
  readonly runs: string;
}

export function exportCommand(): Command {
  return new Command("export")
    .argument("<run>", "a run's folder, or its name within runs/; for a page also a .rec file")
    .option("--onnx <file>", "graph from `obs` [N, O] to `action` [N, A], with metadata")
    .option("--safetensors <file>", "the parameters by name, and the normaliser's")
    .option("--checkpoint <which>", "best, last, ope or a step; best where there is one")
    .option("--num-rows <N>", "rows of the graph where it can't take any number", "1")
    .option("--html", "one page with episodes and curves that needs no server and no network")
    .option("--out <file>", "of the page; called after the run where missing")
    .option("--episodes <N>", "recordings in the page, the newest", "10")
    .option("--runs <folder>", "where runs are", "runs")
    .addHelpText(
      "after",
      `
The graph takes observations as the task gives them: normaliser, clipping and squashing are inside.
It gives the policy's mode, in [−1, 1]; the metadata say how a robot's drives read that.
The page simulates its episodes again wherever it is opened, and the robot can be pushed there.

Examples:
  salle export runs/hopper-hop-v0__sac__1__20260101-120000 --onnx policy.onnx
  salle export hopper-hop-v0__sac__1__20260101-120000 --checkpoint last --safetensors policy.safetensors
  salle export --html runs/hopper-hop-v0__sac__1__20260101-120000 --out hopper.html`,
    )
    .action(exportPolicy);
}

async function exportPolicy(name: string, options: ExportOptions): Promise<void> {
  const { onnx, safetensors, html = false } = options;
  if (onnx === undefined && safetensors === undefined && !html)
    throw new Error("nothing to write: give --onnx <file>, --safetensors <file> or --html");
  const numRows = Number(options.numRows);
  if (!Number.isInteger(numRows) || numRows < 1)
    throw new Error(`--num-rows wants a whole number from 1, got "${options.numRows}"`);
  const { checkpoint } = options;
  const wanted = checkpoint === undefined ? undefined : checkpointName("--checkpoint", checkpoint);
  if (html) await exportPage(name, wanted, options);
  if (onnx === undefined && safetensors === undefined) return;
  const policy = await readPolicy(findRun(name, options.runs), wanted);
  const metadata = {
    ...policyMetadata(policy),
    salle_version: salleVersion,
    git_commit: gitCommit() ?? "",
  };
  if (onnx !== undefined) {
    const file = await policyOnnx(policy, metadata, numRows);
    writeFileSync(onnx, file.bytes);
    const rows = file.numRows === null ? "any number of rows" : `${file.numRows} rows`;
    print(`wrote ${onnx}: policy of step ${policy.step}, ${rows}, ${file.bytes.length} bytes`);
    const fromBase = baseActionSize(policy);
    if (fromBase > 0)
      print(`it corrects a base: obs ends with that policy's action, ${fromBase} numbers`);
  }
  if (safetensors !== undefined) {
    const bytes = encodeSafetensors(policyArrays(policy), metadata);
    writeFileSync(safetensors, bytes);
    print(`wrote ${safetensors}: policy of step ${policy.step}, ${bytes.length} bytes`);
  }
}
