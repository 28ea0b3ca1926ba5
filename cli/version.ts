// Which Salle this is.

import { execFileSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

/** The package's folder: the nearest above this file that has a package.json. */
export const packageFolder: string = nearestPackage(dirname(fileURLToPath(import.meta.url)));

export const salleVersion: string = packageVersion(packageFolder);

/** The commit of the checkout, marked where files differ from it; undefined where there is none. */
export function gitCommit(): string | undefined {
  if (!existsSync(join(packageFolder, ".git"))) return undefined;
  try {
    const options = { cwd: packageFolder, encoding: "utf8", stdio: "pipe", timeout: 5000 } as const;
    return execFileSync("git", ["describe", "--always", "--dirty", "--abbrev=10"], options).trim();
  } catch {
    return undefined; // no git, or no commit yet
  }
}

/** Where a package is installed; undefined where it is not. */
export function installedFolder(name: string): string | undefined {
  for (let folder = packageFolder; ; folder = dirname(folder)) {
    const candidate = join(folder, "node_modules", name);
    if (existsSync(join(candidate, "package.json"))) return candidate;
    if (folder === dirname(folder)) return undefined;
  }
}

/** The version of an installed package; undefined where it is not. */
export function installedVersion(name: string): string | undefined {
  const folder = installedFolder(name);
  return folder === undefined ? undefined : packageVersion(folder);
}

function packageVersion(folder: string): string {
  return JSON.parse(readFileSync(join(folder, "package.json"), "utf8")).version;
}

function nearestPackage(folder: string): string {
  return existsSync(join(folder, "package.json")) ? folder : nearestPackage(dirname(folder));
}
