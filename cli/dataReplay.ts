// salle data replay: a dataset's recordings in the viewer, beside what a policy would do at their states.

import { createHash } from "node:crypto";
import { Command } from "commander";
import { Dataset } from "../finetune/dataset.ts";
import { decodeRecording } from "../sim/readRecordings.ts";
import { encodeRecording } from "../sim/recording.ts";
import { loadPolicy, type Policy } from "../train/policy.ts";
import { predictActions, predictedRows } from "../train/predict.ts";
import { startViewer } from "../viewer/server.ts";
import { carryTasks } from "./carryTasks.ts";
import { wholeNumber } from "./numbers.ts";
import { print } from "./output.ts";
import { policyOf } from "./policyChild.ts";
import { checkpointName, findRun } from "./runFolders.ts";

interface Options {
  readonly policy?: string;
  readonly checkpoint?: string;
  readonly runs: string;
  readonly host: string;
  readonly port: string;
}

export function replayCommand(): Command {
  return new Command("replay")
    .description("show a dataset's episodes in a browser, beside what a policy would do")
    .argument("<dataset>", "its folder")
    .option("--policy <run>", "a run whose actions are drawn beside the recorded ones")
    .option("--checkpoint <which>", "best, last, ope or a step; best where there is one")
    .option("--runs <folder>", "where runs are", "runs")
    .option("--host <address>", "address to bind", "127.0.0.1")
    .option("--port <port>", "first port to try", "8080")
    .addHelpText(
      "after",
      `
The policy is asked at every recorded state; its actions, and the recorded ones less those, are drawn by name.

Examples:
  salle data replay datasets/lift-cube
  salle data replay datasets/lift-cube --policy runs/lift-cube-v0__mlp__1`,
    )
    .action(replay);
}

async function replay(path: string, options: Options): Promise<void> {
  const dataset = new Dataset(path, 0);
  if (!dataset.episodes.some(({ recording }) => recording))
    throw new Error(`${path} has no recordings: what was imported has rows alone`);
  const { policy: run, checkpoint, runs, host, port } = options;
  const which = checkpoint === undefined ? undefined : checkpointName("--checkpoint", checkpoint);
  const policy =
    run === undefined
      ? null
      : await loadPolicy(findRun(run, runs), which, { numRows: predictedRows });
  if (policy) checkFit(dataset, policy);
  const carry = policy ? predictingCarry(dataset, policy, run!) : carryTasks;
  const viewer = await startViewer({
    path,
    host,
    port: wholeNumber("--port", port, 0),
    policyOf,
    carry,
  });
  print(`watch ${path} at ${viewer.url}`);
  if (viewer.readUrl) print(`watch only:    ${viewer.readUrl}`);
  print("stop with Ctrl-C");
}

function checkFit({ path, info }: Dataset, { task }: Policy): void {
  const [o, a] = [task.observation.size, task.action.size];
  if (info.observationSize !== o || info.actionSize !== a)
    throw new Error(
      `the policy sees ${o} numbers and acts with ${a}, and ${path} has ${info.observationSize} and ${info.actionSize}`,
    );
}

/** Puts into a recording that the dataset has what the policy would do, for the page to draw. */
export function predictingCarry(
  dataset: Dataset,
  policy: Pick<Policy, "act" | "task">,
  by: string,
): (bytes: Uint8Array) => Promise<Uint8Array> {
  const indices = new Map<string, number>();
  for (const index of dataset.episodes.keys()) {
    const recording = dataset.recording(index);
    if (recording) indices.set(sha256(recording), index);
  }
  let last: Promise<unknown> = Promise.resolve(); // one episode after another
  return async (bytes) => {
    const index = indices.get(sha256(bytes));
    const carried = await carryTasks(bytes);
    if (index === undefined) return carried;
    const { observations } = dataset.episode(index);
    const predicting = last.then(() => predictActions(policy, observations));
    last = predicting.catch(() => undefined);
    const predicted = { by, actions: Array.from(await predicting) };
    const recording = decodeRecording(carried);
    const { header } = recording;
    const parameters = { ...header.parameters, predicted };
    return encodeRecording({ ...recording, header: { ...header, parameters } });
  };
}

function sha256(bytes: Uint8Array): string {
  return createHash("sha256").update(bytes).digest("hex");
}
