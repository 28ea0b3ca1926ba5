import { copyFileSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, describe, expect, test } from "vitest";
import type { TaskSummary } from "../../cli/envs.ts";
import { checks } from "../../tasks/check.ts";
import { createTask, tasks } from "../../tasks/index.ts";
import { salle, salleIn } from "./salle.ts";

describe("salle envs", () => {
  test("lists every task, for people and as JSON", async () => {
    const { code, output } = await salle("envs", "list", "--json");
    expect(code).toBe(0);
    const list: TaskSummary[] = JSON.parse(output);
    expect(list.map(({ id }) => id)).toEqual(Object.keys(tasks));
    expect(list.find(({ id }) => id === "ant-run-v0")).toEqual({
      id: "ant-run-v0",
      robot: "ant",
      observations: 28,
      actions: 8,
      controlRate: 20,
      maxEpisodeSteps: 200,
      rewardTerms: ["run", "effort", "jerk", "side", "power"],
    });
    const lines = (await salle("envs", "list")).output.split("\n");
    expect(lines.find((line) => line.startsWith("ant-run-v0"))).toMatch(/28 +8 +20 Hz +200 steps/);
  });

  test("explains every observed element, action, term and setting of a task", async () => {
    const task = await createTask("reacher-hard");
    const { output } = await salle("envs", "show", "reacher-hard");
    for (const [index, name] of task.observation.names.entries())
      expect(output).toContain(`  ${index}  ${name}\n`);
    for (const name of [...task.action.names, ...task.rewardTerms]) expect(output).toContain(name);
    expect(output).toMatch(/solverIterations +8\n/);
    const json = JSON.parse((await salle("envs", "show", "reacher-hard", "--json")).output);
    expect(json.observation.names).toEqual(task.observation.names);
  });

  test("checks a task, one line a check, and counts its steps", async () => {
    const { code, output } = await salle("envs", "check", "reacher", "--steps", "300");
    expect(output).toContain("reacher-easy-v0 is sound");
    expect(code).toBe(0);
    for (const { name } of checks) expect(output).toContain(`✓ ok      ${name}`);
    expect(output).toMatch(/\d{3,} control steps a second/);
  });

  test("says in one line what it was given wrongly", async () => {
    const unknown = await salle("envs", "check", "hoper");
    expect(unknown.code).toBe(1);
    expect(unknown.errors).toMatch(/^error: unknown task "hoper"; did you mean "hopper"\?.*\n$/);
    const steps = await salle("envs", "check", "hopper", "--steps", "none");
    expect(steps.errors).toMatch(/^error: --steps is a whole number from 1, got NaN\n$/);
  });
});

describe("salle envs add", () => {
  const folder = mkdtempSync(join(tmpdir(), "salle-add-"));
  afterAll(() => rmSync(folder, { recursive: true }));
  const robot = fileURLToPath(new URL("../../tasks/hopper.xml", import.meta.url));
  copyFileSync(robot, join(folder, "My Robot.xml"));
  writeFileSync(join(folder, "bad.xml"), "<mujoco>\n<equality><weld/></equality>\n</mujoco>");

  test("describes the robot and writes a task that checks find by its name", async () => {
    const { code, output } = await salleIn(folder, "envs", "add", "My Robot.xml");
    expect(code).toBe(0);
    expect(output).toMatch(/^hopper: 4 links, [\d.]+ kg, joints: 4 hinge, 2 slide\n/);
    expect(output).toContain('wrote salle-tasks/my-robot.json: task "my-robot"');
    const checked = await salleIn(folder, "envs", "check", "my-robot", "--steps", "200");
    expect(checked.output).toContain("my-robot is sound");
    expect((await salleIn(folder, "envs", "list")).output).toMatch(/^my-robot +hopper/m);
    const again = await salleIn(folder, "envs", "add", "My Robot.xml");
    expect(again.errors).toMatch(/^error: salle-tasks\/my-robot.json is there already; --force/);
  });

  test("writes a module, and refuses names that are taken or cannot be", async () => {
    const add = (...args: string[]) => salleIn(folder, "envs", "add", "My Robot.xml", ...args);
    expect((await add("--module", "--name", "mine")).code).toBe(0);
    const checked = await salleIn(folder, "envs", "check", "mine", "--steps", "200");
    expect(checked.output).toContain("mine is sound");
    expect((await add("--name", "hopper")).errors).toMatch(/is the name of one of Salle's tasks/);
    expect((await add("--name", "A b")).errors).toMatch(/small letters, digits and "-", got "A b"/);
  });

  test("names what is not supported by file and line", async () => {
    const { code, errors } = await salleIn(folder, "envs", "add", "bad.xml");
    expect(code).toBe(1);
    expect(errors).toMatch(/^error: bad\.xml:2: <equality> is not supported\n$/);
  });
});
