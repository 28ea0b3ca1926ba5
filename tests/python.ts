// Python for tests that compare Salle with the packages others use, in the environments of scripts/python-env.sh.

import { spawnSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, test } from "vitest";

const root = fileURLToPath(new URL("../../", import.meta.url)); // this file runs from dist/tests
const interpreter = findInterpreter();

/** The Python of a finished environment; undefined where scripts/python-env.sh has not made it. */
export function environment(venv: string): string | undefined {
  const stamp = join(root, venv, "salle-packages.txt"); // written last by scripts/python-env.sh
  const finished = existsSync(stamp) && readFileSync(stamp, "utf8").trim() !== "";
  return finished ? join(root, venv, "bin", "python") : undefined;
}

/** Why Python tests can't run and what to do about it; undefined when they can. */
export const pythonMissing: string | undefined =
  interpreter === undefined
    ? "no Python environment: npm run setup:python makes one, or SALLE_PYTHON names one"
    : undefined;

/** `describe` for tests that need Python. Where something is missing they are skipped, but in CI they fail. */
export function describePython(name: string, body: () => void, missing = pythonMissing): void {
  if (missing === undefined) return void describe(name, body);
  if (!process.env["CI"]) return void describe.skip(`${name} (${missing})`, body);
  describe(name, () => {
    test("has a Python environment", () => {
      throw new Error(missing);
    });
  });
}

export interface PythonOptions {
  /** The script's sys.argv[1:]. */
  readonly args?: readonly string[];
  readonly stdin?: string | Uint8Array;
  /** Seconds; default 50, less than a test has. */
  readonly timeLimit?: number;
  /** The path of another Python. */
  readonly interpreter?: string;
}

/** What a script prints; throws with its error output when it fails or takes too long. */
export function python(script: string, options: PythonOptions = {}): string {
  const { args = [], stdin = "", timeLimit = 50, interpreter: path = interpreter } = options;
  if (path === undefined) throw new Error(pythonMissing);
  const { status, signal, error, stdout, stderr } = spawnSync(path, ["-I", "-c", script, ...args], {
    cwd: root,
    input: stdin,
    timeout: timeLimit * 1000,
    killSignal: "SIGKILL",
    maxBuffer: 2 ** 28,
  });
  if (status === 0) return stdout.toString();
  const reason = error?.message ?? (signal === null ? `exit status ${status}` : signal);
  throw new Error(`python wanted to end well, got ${reason}:\n${stderr}`);
}

/** SALLE_PYTHON, or the Python of a finished .venv. */
function findInterpreter(): string | undefined {
  const named = process.env["SALLE_PYTHON"];
  if (named) {
    if (existsSync(named)) return named;
    throw new Error(`SALLE_PYTHON wants the path of a Python, got "${named}"`);
  }
  return environment(".venv");
}
