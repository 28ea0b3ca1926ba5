// What every registered task must do; a new one gets these tests for free. `salle envs check` runs the same.
import { beforeAll, describe, expect, test } from "vitest";
import { loadPhysics } from "../../sim/rapier.ts";
import { checks, type Subject, subjectOf } from "../../tasks/check.ts";
import { createTask, taskId, tasks } from "../../tasks/index.ts";
import { bangBangPolicy, randomPolicy } from "../../tasks/rollout.ts";

describe.each(Object.keys(tasks))("%s", (id) => {
  let subject: Subject;
  beforeAll(async () => {
    subject = subjectOf(await loadPhysics(), await createTask(id));
  });

  test.each(checks)("$name", (check) => {
    check.run(subject);
  });

  test("carries its id and has rewards of a common size", () => {
    expect(subject.task.id).toBe(id);
    for (const policy of [randomPolicy, bangBangPolicy])
      expect(subject.survey(policy).largestReward).toBeLessThanOrEqual(2.5);
  });
});

test("a task answers to its id, without version, and as the first of its domain", () => {
  expect(["reacher-easy-v0", "reacher-easy", "reacher"].map(taskId)).toEqual(
    Array.from({ length: 3 }, () => "reacher-easy-v0"),
  );
  expect(taskId("reacher-hard")).toBe("reacher-hard-v0");
  expect(() => taskId("hoper")).toThrow(
    /unknown task "hoper"; did you mean "hopper"\?; known: pend/,
  );
  expect(() => taskId("")).toThrow(/unknown task ""/);
});
