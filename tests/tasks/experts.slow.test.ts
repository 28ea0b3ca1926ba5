// A hundred starts of every task with an expert, flawless and with people's flaws.
import { describe, expect, test } from "vitest";
import { loadPhysics } from "../../sim/rapier.ts";
import { demonstrate } from "../../tasks/experts/demonstrate.ts";
import { hasExpert } from "../../tasks/experts/index.ts";
import { createTask, tasks } from "../../tasks/index.ts";

const sparse = Object.keys(tasks).filter((id) => hasExpert(id) && !id.includes("dense"));
const seeds = Array.from({ length: 100 }, (_, i) => 1000 + i);

describe.each(sparse)("%s", (id) => {
  test.each([
    ["expert", 95, 100],
    ["person", 55, 92],
  ] as const)("%s solves %i to %i of 100", async (skill, least, most) => {
    const played = demonstrate(await loadPhysics(), await createTask(id), skill, seeds);
    const solved = played.filter(({ success }) => success).length;
    expect(solved).toBeGreaterThanOrEqual(least);
    expect(solved).toBeLessThanOrEqual(most);
  });
});
