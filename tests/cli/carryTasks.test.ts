// What a page gets of recordings whose tasks are files.

import { rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { afterAll, expect, test } from "vitest";
import { carryTasks } from "../../cli/carryTasks.ts";
import { concatBytes } from "../../sim/chunks.ts";
import { decodeRecording, readRecordings } from "../../sim/readRecordings.ts";
import { encodeRecording } from "../../sim/recording.ts";
import { record } from "../viewer/folders.ts";
import { ownRobot } from "../viewer/ownRobot.ts";

const { folder, robot, task } = ownRobot();
afterAll(() => rmSync(folder, { recursive: true }));

/** A recording that says that this file made its task. */
async function naming(source: string): Promise<Uint8Array> {
  const recording = decodeRecording(await record("pendulum", 2));
  const header = { ...recording.header, parameters: { source } };
  return encodeRecording({ ...recording, header });
}

const problemOf = async (source: string) =>
  decodeRecording(await carryTasks(await naming(source))).header.parameters;

test("a registered task's recording stays as it is", async () => {
  const bytes = await record("pendulum", 5);
  expect(await carryTasks(bytes)).toBe(bytes);
});

test("each file comes once, without its path, and nothing else changes", async () => {
  const [one, two] = [await record(task, 12), await record(robot, 7)];
  const before = concatBytes([one, two, one]);
  const after = await carryTasks(before);
  expect(Buffer.from(before).includes("secret-place")).toBe(true);
  expect(Buffer.from(after).includes("secret-place")).toBe(false);
  const { recordings, problems } = readRecordings(after);
  expect(problems).toEqual([]);
  const parameters = recordings.map(({ header }) => header.parameters);
  expect(parameters).toMatchObject([
    { source: "my-walker.json", bundle: { name: "my-walker.json" } },
    { source: "walker 1.xml", bundle: { name: "walker 1.xml" } },
    { source: "my-walker.json", bundleOf: 0 },
  ]);
  expect(parameters[2]).not.toHaveProperty("bundle");
  const bare = (bytes: Uint8Array) =>
    readRecordings(bytes).recordings.map((recording) => {
      const { parameters: _, ...header } = recording.header;
      return { ...recording, header };
    });
  expect(bare(after)).toEqual(bare(before));
});

test("a program is refused in words, and a secret that a stranger's recording names stays here", async () => {
  const program = await problemOf("file:///home/me/secret-place/mine.mjs");
  expect(program).toEqual({
    source: "mine.mjs",
    problem: expect.stringMatching(/"mine\.mjs", which is a program/),
  });
  const path = join(folder, "key.json");
  writeFileSync(path, '{"token": "hunter2"}');
  const secret = await problemOf(pathToFileURL(path).href);
  expect(secret["problem"]).toMatch(/"key\.json" can't be read here as a task/);
  expect(JSON.stringify(secret)).not.toMatch(/hunter2|token|secret-place/);
  const far = await problemOf("https://a.example/robot.xml");
  expect(far).toMatchObject({
    source: "robot.xml",
    problem: expect.stringMatching(/can't be read/),
  });
});
