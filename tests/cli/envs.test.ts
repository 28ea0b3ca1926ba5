import { describe, expect, test } from "vitest";
import type { TaskSummary } from "../../cli/envs.ts";
import { checks } from "../../tasks/check.ts";
import { createTask, tasks } from "../../tasks/index.ts";
import { salle } from "./salle.ts";

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
      rewardTerms: ["run", "effort", "jerk", "side"],
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
