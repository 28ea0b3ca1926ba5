// salle export --html: a run or a recording as one HTML file to send to somebody.

import { existsSync, writeFileSync } from "node:fs";
import { basename, join } from "node:path";
import type { CheckpointName } from "../train/checkpoint.ts";
import { baseFolder, readPolicy } from "../train/policy.ts";
import { baseActionSize, policyMetadata, policyOnnx } from "../train/policyFile.ts";
import { bundlePolicies } from "../viewer/pagePolicy.ts";
import { sharePage } from "../viewer/share.ts";
import { carryTasks } from "./carryTasks.ts";
import { print } from "./output.ts";
import { findRun } from "./runFolders.ts";

const muchMegabytes = 8; // more than many mail servers and chats take well

export interface PageOptions {
  readonly out?: string;
  readonly episodes: string;
  readonly runs: string;
}

/** Writes the page of a run, by path or name, or of a .rec file; the policy is that of a checkpoint. */
export async function exportPage(
  name: string,
  checkpoint: CheckpointName | undefined,
  { out, episodes, runs }: PageOptions,
): Promise<void> {
  const mostEpisodes = Number(episodes);
  if (!Number.isInteger(mostEpisodes) || mostEpisodes < 1)
    throw new Error(`--episodes wants a whole number from 1, got "${episodes}"`);
  const path = name.endsWith(".rec") && existsSync(name) ? name : findRun(name, runs);
  const policy = existsSync(join(path, "checkpoints")) ? await policyFile(path, checkpoint) : null;
  const { html, numEpisodes, numLeftOut } = await sharePage(path, {
    mostEpisodes,
    policy,
    carry: carryTasks,
  });
  const file = out ?? `${basename(path).replace(/\.rec$/, "")}.html`;
  writeFileSync(file, html);
  const megabytes = Buffer.byteLength(html) / 1e6;
  const older = numLeftOut > 0 ? ` (${numLeftOut} older ones left out: --episodes)` : "";
  const acting = policy ? `, policy of step ${policy.step}` : "";
  print(`wrote ${file}: ${numEpisodes} recordings${older}${acting}, ${megabytes.toFixed(1)} MB`);
  if (megabytes > muchMegabytes)
    print(`that is large to send: --episodes ${Math.ceil(numEpisodes / 2)} takes fewer`);
}

/** The graph, or where it corrects a base a bundle of both. */
async function policyFile(folder: string, checkpoint: CheckpointName | undefined) {
  const policy = await readPolicy(folder, checkpoint);
  const graphs: Uint8Array[] = [];
  let [at, each] = [folder, policy];
  for (;;) {
    graphs.push((await policyOnnx(each, policyMetadata(each))).bytes);
    if (baseActionSize(each) === 0) break;
    at = baseFolder(at);
    each = await readPolicy(at, "last");
  }
  return { step: policy.step, bytes: graphs.length === 1 ? graphs[0]! : bundlePolicies(graphs) };
}
