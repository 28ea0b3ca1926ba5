// The command itself: its help, what it says of unknown words, and that it loads no more than it needs.
import { spawnSync } from "node:child_process";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { salle } from "./salle.ts";

const main = join(dirname(dirname(dirname(fileURLToPath(import.meta.url)))), "cli/main.js");

const commands = [
  ...["train", "resume", "eval", "play", "doctor", "envs"],
  ...["view", "render", "runs", "export", "verify"],
];

test("the help lists every command, and every command explains itself in the same words", async () => {
  const { output, code } = await salle("--help");
  expect(code).toBe(0);
  for (const name of commands) {
    const line = new RegExp(`^ {2}${name} +(\\S.*)$`, "m").exec(output);
    expect(line, name).not.toBeNull();
    const asked = await salle("help", name);
    expect(asked.output.replaceAll(/\s+/g, " ")).toContain(line![1]);
    expect(asked.output).toContain(`Usage: salle ${name} [options]`);
    expect(asked.output).toContain("Options:\n");
  }
});

test.each([
  [["trian", "hopper"], "error: unknown command 'trian'\n(Did you mean train?)\n"],
  [
    ["train", "hopper", "--algos", "td3"],
    "error: unknown option '--algos'\n(Did you mean --algo?)\n",
  ],
  [
    ["runs", "plto"],
    'error: salle runs has no "plto"; did you mean "plot"?; known: list, compare, plot\n',
  ],
])("%s is told what it may have meant", async (args, message) => {
  const { errors, code } = await salle(...args);
  expect(errors).toBe(message);
  expect(code).toBe(1);
});

/** The addresses of the files that a command loads, from a hook that writes each to standard error. */
function loadedBy(...args: string[]): string {
  const load = `import { writeSync } from "node:fs";
    export async function load(url, context, next) { writeSync(2, url + "\\n"); return next(url, context); }`;
  const module = (text: string) => `data:text/javascript,${encodeURIComponent(text)}`;
  const hook = `import { register } from "node:module"; register(${JSON.stringify(module(load))});`;
  const command = ["--import", module(hook), main, ...args];
  return spawnSync(process.execPath, command, { encoding: "utf8" }).stderr;
}

test("neither the version, the help nor a list of runs loads what trains or draws", () => {
  for (const args of [["--version"], ["--help"], ["runs", "list", "--runs", "none"]]) {
    const files = loadedBy(...args);
    expect(files).toContain("/commander/");
    expect(files).not.toMatch(/onnxruntime|tensorflow|rapier|resvg|playwright|\/zod\//);
  }
  expect(loadedBy("train", "--help")).toContain("tensorflow");
});
