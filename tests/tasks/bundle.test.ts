// Tasks from files as data that travels, from strangers too.

import { rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { afterAll, expect, test } from "vitest";
import { bundledTask, collectBundle, mostFiles, mostSize } from "../../tasks/bundle.ts";
import { loadTaskFile } from "../../tasks/files.ts";
import { ownRobot } from "../viewer/ownRobot.ts";

const { folder, robot, task } = ownRobot();
afterAll(() => rmSync(folder, { recursive: true }));

test.each([
  ["a robot's file", robot, "walker 1.xml"],
  ["a task file", task, "my-walker.json"],
])("%s comes back as the same task with no path of the disk", async (_, path, name) => {
  const url = pathToFileURL(path);
  const text = JSON.stringify(await collectBundle(url));
  expect(text).not.toContain("secret-place");
  const [here, there] = [await loadTaskFile(url), await bundledTask(JSON.parse(text))];
  expect(there.source).toBe(name);
  expect(there.id).toBe(here.id);
  expect(there.model).toEqual(here.model);
  expect(there.model.links.at(-1)!.geoms.some(({ shape }) => shape.type === "convex")).toBe(true);
  expect(there.maxEpisodeSteps).toBe(here.maxEpisodeSteps);
  expect(there.rewardTerms).toEqual(here.rewardTerms);
});

test("collects nothing that runs, is elsewhere, or is no task", async () => {
  await expect(collectBundle(new URL("https://a.example/r.xml"))).rejects.toThrow(/of this disk/);
  await expect(collectBundle(new URL("file://host/r.xml"))).rejects.toThrow(/of this disk/);
  await expect(collectBundle(new URL("file:///r.mjs"))).rejects.toThrow(/got "r\.mjs"/);
  const path = join(folder, "elsewhere.json");
  writeFileSync(path, '{"robot": "https://a.example/r.xml"}');
  await expect(collectBundle(pathToFileURL(path))).rejects.toThrow(/not "https:"/);
  writeFileSync(path, '{"password": "x"}');
  await expect(collectBundle(pathToFileURL(path))).rejects.toThrow(/unknown setting/);
});

test("a stranger's bundle is checked", async () => {
  const of = (texts: object, name = "r.xml") => bundledTask({ name, texts, bytes: {} });
  await expect(bundledTask(null)).rejects.toThrow(/has a name, texts and bytes/);
  await expect(of({ "r.xml": 3 })).rejects.toThrow(/has a name, texts and bytes/);
  await expect(of({}, "r.mjs")).rejects.toThrow(/not "r\.mjs"/);
  await expect(of({}, "toString.xml")).rejects.toThrow(/has no file "toString\.xml"/);
  await expect(of({ "r.xml": "<mujoco>" })).rejects.toThrow(/^r\.xml:1: unclosed/);
  const many = Object.fromEntries(Array.from({ length: mostFiles + 1 }, (_, i) => [`${i}`, ""]));
  await expect(of(many)).rejects.toThrow(/at most 200 files and 8 MB/);
  await expect(of({ "r.xml": " ".repeat(mostSize + 1) })).rejects.toThrow(/at most 200 files/);
});
