// One writer a run, or a dataset: a file that names the process which has the folder open.

import { existsSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { hostname } from "node:os";
import { join } from "node:path";
import { kill, pid } from "node:process";

interface Owner {
  readonly pid: number;
  readonly host: string;
}

/** Takes a run for this process; throws while another one that lives has it. */
export function lockRun(folder: string): void {
  const owner = ownerOf(folder);
  if (owner && owner.pid !== pid && mayLive(owner))
    throw new Error(
      `process ${owner.pid} on ${owner.host} has ${folder} open; end it, or remove ${lockPath(folder)} if it does not`,
    );
  writeFileSync(lockPath(folder), `${JSON.stringify({ pid, host: hostname() })}\n`);
}

export function unlockRun(folder: string): void {
  rmSync(lockPath(folder), { force: true });
}

/** Whether a process that lives, as far as one can see, has the run open. */
export function isLocked(folder: string): boolean {
  const owner = ownerOf(folder);
  return owner !== undefined && mayLive(owner);
}

function lockPath(folder: string): string {
  return join(folder, "lock");
}

function ownerOf(folder: string): Owner | undefined {
  if (!existsSync(lockPath(folder))) return undefined;
  try {
    const owner = JSON.parse(readFileSync(lockPath(folder), "utf8")) as Owner;
    return Number.isInteger(owner?.pid) ? owner : undefined;
  } catch {
    return undefined; // a crash left half of it
  }
}

function mayLive(owner: Owner): boolean {
  if (owner.host !== hostname()) return true;
  try {
    return kill(owner.pid, 0);
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "EPERM";
  }
}
