// Whether a device really runs a program: tried in a process of its own, which may crash or hang.

import { spawn } from "node:child_process";
import { fileURLToPath } from "node:url";

export type ProbeResult =
  | { readonly works: true; readonly compileMs: number; readonly runMs: number }
  | { readonly works: false; readonly reason: string };

/** Starts the line that the child answers with; engines print others. */
export const probeMarker = "salle-probe:";

/** Runs the child (probeChild.ts) on a device; never rejects. */
export function probe(device: string, timeoutMs: number): Promise<ProbeResult> {
  const script = fileURLToPath(new URL("./probeChild.js", import.meta.url));
  return new Promise((resolve) => {
    const child = spawn(process.execPath, [script, device], {
      stdio: ["ignore", "pipe", "pipe"],
      timeout: timeoutMs,
      killSignal: "SIGKILL",
    });
    let output = "";
    let complaints = "";
    child.stdout.setEncoding("utf8").on("data", (text: string) => {
      output += text;
    });
    child.stderr.setEncoding("utf8").on("data", (text: string) => {
      complaints += text;
    });
    const fail = (reason: string) => resolve({ works: false, reason: oneLine(reason) });
    child.on("error", (error) => fail(`its process did not start: ${error.message}`));
    child.on("close", (code, signal) => {
      const answer = output.split("\n").find((line) => line.startsWith(probeMarker));
      if (signal === "SIGKILL") fail(`no answer within ${timeoutMs / 1000} s`);
      else if (answer === undefined || code !== 0) {
        fail(`its process ended with ${signal ?? `code ${code}`}: ${lastWords(complaints)}`);
      } else {
        const result: ProbeResult = JSON.parse(answer.slice(probeMarker.length));
        if (result.works) resolve(result);
        else fail(result.reason);
      }
    });
  });
}

/** What a process that died had to say: its first error, else its last line. */
function lastWords(complaints: string): string {
  const lines = complaints.split("\n").filter((line) => line.trim() !== "");
  return lines.find((line) => /^\w*Error\b/.test(line)) ?? lines.at(-1) ?? "it said nothing";
}

/** The message without line breaks and without ONNX Runtime's own source positions. */
function oneLine(message: string): string {
  return message
    .replaceAll(/\s+/g, " ")
    .replace(/\/onnxruntime_src\/\S+ .*? was false\. /, "")
    .trim();
}
