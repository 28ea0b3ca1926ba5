// `salle render` of recorded episodes and of a robot of one's own.

import {
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { concatBytes } from "../../sim/chunks.ts";
import { salle } from "../cli/salle.ts";
import { record } from "../viewer/folders.ts";
import { ownRobot } from "../viewer/ownRobot.ts";
import { describeChromium } from "./describeChromium.ts";

const folder = mkdtempSync(join(tmpdir(), "salle-stills-"));
const own = ownRobot();
const file = join(folder, "two.rec");
const small = ["--size", "160x120", "-o", folder] as const;

function sizeOf(png: Buffer): [number, number] {
  expect(png.subarray(1, 4).toString()).toBe("PNG");
  return [png.readUInt32BE(16), png.readUInt32BE(20)];
}

describeChromium("salle render", () => {
  beforeAll(async () => {
    writeFileSync(file, concatBytes([await record("pendulum", 3), await record(own.task, 8)]));
  });

  afterAll(() => {
    for (const each of [folder, own.folder]) rmSync(each, { recursive: true });
  });

  test("draws a step and a sheet of an episode, and films it under its format's ending", async () => {
    const film = join(folder, "v.mp4");
    const shots = ["--step", "8", "--sheet", "--camera", "side", "--video", film] as const;
    const { errors, output } = await salle("render", file, "--episode", "1", ...small, ...shots);
    expect(errors).toBe("");
    const read = (part: string) => readFileSync(join(folder, `two-1-${part}.png`));
    expect(sizeOf(read("step8"))).toEqual([160, 120]);
    expect(read("step8").length).toBeGreaterThan(3_000); // an empty picture is under 1 kB
    expect(sizeOf(read("sheet"))).toEqual([4 * 166 - 6, 3 * 152 - 6]); // nine steps
    expect(output).toMatch(/v\.(mp4|webm) {2}\d+ kB/);
    expect(["mp4", "webm"].filter((each) => existsSync(join(folder, `v.${each}`)))).toHaveLength(1);
  });

  test("draws an episode of a run's recording that is named", async () => {
    const run = join(folder, "a-run");
    mkdirSync(join(run, "episodes"), { recursive: true });
    for (const name of ["eval-9", "eval-10"])
      copyFileSync(file, join(run, "episodes", `${name}.rec`));
    for (const [choice, wanted] of [
      ["eval-9:1", "eval-9-1"],
      ["0", "eval-10-0"],
    ] as const) {
      const { errors } = await salle("render", run, "--episode", choice, ...small, "--step", "1");
      expect(errors).toBe("");
      expect(sizeOf(readFileSync(join(folder, `${wanted}-step1.png`)))).toEqual([160, 120]);
    }
  });

  test("draws a robot's file at its start", async () => {
    const { errors } = await salle("render", own.robot, ...small, "--step", "5");
    expect(errors).toBe("");
    const [start, later] = ["start", "step5"].map((part) =>
      readFileSync(join(folder, `walker-1-${part}.png`)),
    );
    expect(sizeOf(start!)).toEqual([160, 120]);
    expect(start!.equals(later!)).toBe(false);
  });

  test.each([
    [["--episode", "2"], /two\.rec has episodes 0 to 1, not 2/],
    [["--episode", "one:0"], /has no recording "one"; it has two\.rec/],
    [["--step", "9"], /the episode has steps 0 to 3, not 9/],
  ])("%s is refused with what there is", async (options, message) => {
    const { code, errors } = await salle("render", file, ...small, ...options);
    expect(code).toBe(1);
    expect(errors).toMatch(message);
  });
});
