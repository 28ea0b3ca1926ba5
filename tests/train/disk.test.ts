// What a full disk leaves behind.

import { execFileSync } from "node:child_process";
import { mkdirSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, onTestFinished, test } from "vitest";
import { createRun } from "../../train/run.ts";
import { origin } from "./origin.ts";
import { temporaryFolder } from "./runs.ts";

/** Mounts a small file system, which only root may; says why where it can't. */
function smallDisk(): string | null {
  const folder = join(temporaryFolder(), "disk");
  mkdirSync(folder);
  try {
    execFileSync("mount", ["-t", "tmpfs", "-o", "size=2m", "tmpfs", folder], { stdio: "pipe" });
  } catch {
    return null;
  }
  onTestFinished(() => void execFileSync("umount", ["-l", folder]));
  return folder;
}

describe("on a full disk", () => {
  test("a checkpoint fails with what to do, the last one stays whole, and less fits again", (context) => {
    const disk = smallDisk();
    if (disk === null) return context.skip("mounting a small disk takes root");
    const run = createRun(join(disk, "run"), { config: "", meta: origin });
    run.log(1, { a: 1 });
    run.save(1, { w: new Float32Array(200_000) });
    const message =
      /no space left on the disk for checkpoint 2 in .*; the last one, 1, is whole: free some space or lower keepCheckpoints, then resume/;
    expect(() => run.save(2, { w: new Float32Array(400_000) })).toThrow(message);
    expect(run.load("last").state).toEqual({ w: new Float32Array(200_000) });
    expect(readdirSync(run.checkpoints.folder).sort()).toEqual(["1", "last"]);
    run.save(3, { w: new Float32Array(1000) });
    expect(run.load("last").step).toBe(3);
  });

  test("a row of metrics fails with what to do, and half of it is taken back", (context) => {
    const disk = smallDisk();
    if (disk === null) return context.skip("mounting a small disk takes root");
    const run = createRun(join(disk, "run"), { config: "", meta: origin });
    const long = Object.fromEntries(
      Array.from({ length: 2000 }, (_, i) => [`metric/${i}`, Math.sqrt(i)]),
    );
    const fill = () => {
      for (let step = 1; ; step++) run.log(step, long);
    };
    expect(fill).toThrow(/no space left on the disk for .*: free some, then resume the run/);
    const text = readFileSync(join(run.folder, "metrics.jsonl"), "utf8");
    expect(text.endsWith("}\n")).toBe(true);
  });
});
