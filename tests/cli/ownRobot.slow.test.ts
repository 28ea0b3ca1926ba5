// What docs/robots.md promises: from a robot's file to a trained policy without writing a line.
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { salleIn } from "./salle.ts";

const docs = readFileSync(new URL("../../../docs/robots.md", import.meta.url), "utf8");
const folder = mkdtempSync(join(tmpdir(), "salle-own-"));
afterAll(() => rmSync(folder, { recursive: true }));
writeFileSync(join(folder, "my_robot.xml"), docs.split("```xml\n")[1]!.split("```")[0]!);

test.each([["./my_robot.xml"], ["my-robot"]])("%s is trained and judged", async (task) => {
  if (task === "my-robot") {
    expect((await salleIn(folder, "envs", "add", "my_robot.xml", "--module")).code).toBe(0);
  }
  const options = ["--algo", "sac", "--total-timesteps", "600", "--num-envs", "2"];
  const trained = await salleIn(folder, "train", task, ...options);
  expect(trained.code).toBe(0);
  expect(trained.errors + trained.output).toContain("finished at step 600");
  const runs = readdirSync(join(folder, "runs")).filter((name) =>
    name.startsWith(task === "my-robot" ? "my-robot_" : "my_robot_"),
  );
  const judged = await salleIn(folder, "eval", join("runs", runs[0]!), "--episodes", "2");
  expect(judged.code).toBe(0);
  expect(judged.output).toContain("policy of step 600, 2 episodes");
});
