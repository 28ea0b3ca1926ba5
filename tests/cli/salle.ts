// The salle command as a user runs it.

import { execFile } from "node:child_process";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const dist = dirname(dirname(dirname(fileURLToPath(import.meta.url))));

export interface Ended {
  readonly code: number;
  readonly output: string;
  readonly errors: string;
}

export function salle(...args: string[]): Promise<Ended> {
  return salleIn(process.cwd(), ...args);
}

/** In a folder. */
export function salleIn(cwd: string, ...args: string[]): Promise<Ended> {
  const command = [join(dist, "cli/main.js"), ...args];
  return new Promise((resolve) => {
    execFile(process.execPath, command, { cwd }, (error, output, errors) =>
      resolve({ code: typeof error?.code === "number" ? error.code : 0, output, errors }),
    );
  });
}
