// What a shared page holds beside its code, and the script that unpacks it.
//
// Each part is gzip as base64 in an element of its own, so nothing that a run or a robot is called can
// be read as HTML or script. The policy lets only this script and what it unpacks run, and nothing load.

import type { RunSummary } from "./runs.ts";

/** Runs of a shared page. */
export interface SharedRuns {
  readonly summaries: readonly RunSummary[];
  /** metrics.jsonl by run id. */
  readonly metrics: Readonly<Record<string, string>>;
  /** Recordings as base64, by run id and file name. */
  readonly episodes: Readonly<Record<string, Readonly<Record<string, string>>>>;
  /** ONNX files as base64, by run id and step. */
  readonly policies: Readonly<Record<string, Readonly<Record<string, string>>>>;
}

/** Ids of the elements that hold a page's parts. */
export const partIds = { runs: "salle-runs", page: "salle-page", worker: "salle-worker" } as const;

/** Unpacks the parts and starts the page; a module's text. */
export const unpackScript = `
const unpack = async (id) => {
  const text = atob(document.getElementById(id).textContent);
  const bytes = Uint8Array.from(text, (letter) => letter.charCodeAt(0));
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"));
  return await new Response(stream).text();
};
const urlOf = (code) => URL.createObjectURL(new Blob([code], { type: "text/javascript" }));
try {
  const [runs, page, worker] = await Promise.all([
    unpack("${partIds.runs}"), unpack("${partIds.page}"), unpack("${partIds.worker}"),
  ]);
  globalThis.salleShared = { runs: JSON.parse(runs), worker: urlOf(worker) };
  const script = document.createElement("script");
  script.type = "module";
  script.src = urlOf(page);
  document.head.append(script);
} catch (error) {
  document.getElementById("state").textContent = "this browser can't open the file: " + error;
}
`;

/** What may run and load in a page whose first script has this SHA-256, in base64. */
export function contentPolicy(scriptHash: string): string {
  return [
    "default-src 'none'",
    `script-src 'sha256-${scriptHash}' blob: 'wasm-unsafe-eval'`,
    "worker-src blob:",
    "style-src 'unsafe-inline'",
    "img-src data: blob:",
    "connect-src data:",
    "base-uri 'none'",
    "form-action 'none'",
  ].join("; ");
}
