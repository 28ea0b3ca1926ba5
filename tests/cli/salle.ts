// The salle command as a user runs it.

import { execFile } from "node:child_process";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect } from "vitest";

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

/** Commands in a folder that must succeed, giving what they print, and that must fail, giving what is wrong. */
export function commandsIn(folder: string) {
  return {
    async done(...args: string[]): Promise<string> {
      const { code, output, errors } = await salleIn(folder, ...args);
      expect(errors).not.toContain("error");
      expect(code).toBe(0);
      return output;
    },
    async refused(...args: string[]): Promise<string> {
      const { code, errors } = await salleIn(folder, ...args);
      expect(code).not.toBe(0);
      return errors;
    },
  };
}
