// Share: a run or a recording as one HTML file that plays, scrubs and forks without a server or a network.

import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { readRecordings } from "../sim/readRecordings.ts";
import { pageFolder } from "./files.ts";
import { type Carry, RunFolder, type RunSummary } from "./runs.ts";
import { contentPolicy, partIds, type SharedRuns, unpackScript } from "./shareFormat.ts";

export interface ShareOptions {
  /** Recordings of a run to take, the newest; 10 where missing. */
  readonly mostEpisodes?: number;
  /** Rows of metrics to take, evenly, beside those of evaluations; 2000 where missing. */
  readonly mostRows?: number;
  /** A policy to act in the page: its ONNX file, and its step. */
  readonly policy?: { readonly step: number; readonly bytes: Uint8Array } | null;
  /** As the server's (ViewerOptions). */
  readonly carry?: Carry;
}

export interface SharedPage {
  readonly html: string;
  /** Recordings in it, and those of the run that were left out. */
  readonly numEpisodes: number;
  readonly numLeftOut: number;
}

/** The page of a run's folder or of a .rec file; throws where there is nothing recorded. */
export async function sharePage(path: string, options: ShareOptions = {}): Promise<SharedPage> {
  const { mostEpisodes = 10, mostRows = 2000, policy = null, carry } = options;
  const folder = new RunFolder(path);
  const found = folder.list()[0];
  if (!found || found.episodes.length === 0)
    throw new Error(`"${path}" has no recorded episode: expected a run with episodes/, or a .rec`);
  const episodes = found.episodes.slice(-mostEpisodes);
  const summary = { ...found, episodes, checkpoints: policy ? [policy.step] : [] };
  const recordings: (readonly [string, Buffer])[] = [];
  for (const { name } of episodes) {
    const bytes = folder.recording(found.id, name);
    if (!bytes) throw new Error(`${name} is too large to be part of a page`);
    recordings.push([name, carry ? Buffer.from(await carry(bytes)) : bytes]);
  }
  const texts = recordings.map(([name, bytes]) => [name, bytes.toString("base64")] as const);
  const runs: SharedRuns = {
    summaries: [summary],
    metrics: { [found.id]: thinned(metricsOf(folder, found), mostRows) },
    episodes: { [found.id]: Object.fromEntries(texts) },
    policies: policy
      ? { [found.id]: { [policy.step]: Buffer.from(policy.bytes).toString("base64") } }
      : {},
  };
  const html = compose(runs, buildsOf(recordings.map(([, bytes]) => bytes)));
  const numLeftOut = found.episodes.length - episodes.length;
  return { html, numEpisodes: episodes.length, numLeftOut };
}

/** The builds of the physics that recordings were made with. */
function buildsOf(files: readonly Buffer[]): string[] {
  const recordings = files.flatMap((bytes) => readRecordings(bytes).recordings);
  if (recordings.length === 0) throw new Error("none of the recordings has a whole start");
  return [...new Set(recordings.map(({ header }) => header.physics.build))];
}

function metricsOf(folder: RunFolder, { id }: RunSummary): string {
  let text = "";
  for (let from = 0; ; ) {
    const part = folder.metrics(id, from);
    if (!part || part.lines === "") return text;
    text += part.lines;
    from = part.to;
  }
}

/** At most so many lines, evenly, and all that tell of evaluations. */
function thinned(text: string, mostRows: number): string {
  const lines = text.split("\n").filter((line) => line !== "");
  const every = Math.max(1, Math.ceil(lines.length / mostRows));
  const kept = lines.filter((line, i) => i % every === 0 || line.includes('"eval/'));
  return kept.map((line) => `${line}\n`).join("");
}

function compose(runs: SharedRuns, builds: readonly string[]): string {
  const file = (name: string): string => readFileSync(join(pageFolder, "shared", name), "utf8");
  const worker = [...builds.map((build) => file(`physics-${build}.js`)), file("worker.js")];
  const policy = contentPolicy(createHash("sha256").update(unpackScript).digest("base64"));
  return `<!doctype html>
<html lang="en" data-view="episode" data-tab="signals">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${policy}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Salle</title>
<link rel="icon" href="data:,">
<style>${file("style.css")}</style>
</head>
<body>${file("skeleton.html")}
${part(partIds.runs, JSON.stringify(runs))}
${part(partIds.page, file("page.js"))}
${part(partIds.worker, worker.join("\n"))}
<script type="module">${unpackScript}</script>
</body>
</html>
`;
}

/** A text in an element, in letters that mean nothing in HTML. */
function part(id: string, text: string): string {
  const packed = gzipSync(text, { level: 9 }).toString("base64");
  return `<script type="text/plain" id="${id}">${packed}</script>`;
}
