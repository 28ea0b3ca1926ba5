import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { afterAll, describe, expect, test } from "vitest";
import { loadPhysics } from "../../sim/rapier.ts";
import { createVecEnv } from "../../sim/vecEnv.ts";
import { checks, subjectOf } from "../../tasks/check.ts";
import { fileTaskId, parseSettings } from "../../tasks/files.ts";
import { createTask, taskSource } from "../../tasks/index.ts";

const docs = readFileSync(new URL("../../../docs/robots.md", import.meta.url), "utf8");
const folder = mkdtempSync(join(tmpdir(), "salle-files-"));
afterAll(() => rmSync(folder, { recursive: true }));

/** The first code block of a language in the documentation. */
function example(language: string): string {
  return docs.split(`\`\`\`${language}\n`)[1]!.split("```")[0]!;
}

const arm = `<robot name="arm">
  <link name="base"><visual><geometry><box size="0.2 0.2 0.1"/></geometry></visual></link>
  <link name="upper"><inertial><origin xyz="0 0 0.2"/><mass value="2"/>
    <inertia ixx="0.02" iyy="0.02" izz="0.002" ixy="0" ixz="0" iyz="0"/></inertial></link>
  <link name="tool"><inertial><mass value="0.1"/>
    <inertia ixx="0.001" iyy="0.001" izz="0.001" ixy="0" ixz="0" iyz="0"/></inertial></link>
  <joint name="shoulder" type="revolute"><parent link="base"/><child link="upper"/>
    <axis xyz="0 1 0"/><limit lower="-1" upper="1.5" effort="20" velocity="1"/></joint>
  <joint name="flange" type="fixed"><parent link="upper"/><child link="tool"/><origin xyz="0 0 0.4"/></joint>
</robot>`;

function write(name: string, text: string): string {
  const path = join(folder, name);
  mkdirSync(join(folder, "salle-tasks"), { recursive: true });
  writeFileSync(path, text);
  return path;
}

const heavy = arm.replace(
  '<link name="base">',
  '<link name="base"><inertial><mass value="5"/><inertia ixx="0.1" iyy="0.1" izz="0.1"/></inertial>',
);
const round = '<collision><geometry><box size="0.4 0.4 0.1"/></geometry></collision></link>';
write("bare.urdf", heavy);
write("rover.urdf", heavy.replace("</link>", round));

const files: readonly (readonly [string, string])[] = [
  ["the documentation's robot", write("my_robot.xml", example("xml"))],
  ["a robot arm in URDF", write("arm.urdf", arm)],
  [
    "a URDF on a free base",
    write("salle-tasks/rover.json", '{"robot":"../rover.urdf","floatingBase":true}'),
  ],
  [
    "a free base without geoms that touch",
    write("salle-tasks/bare.json", '{"robot":"../bare.urdf","floatingBase":true}'),
  ],
  ["the documentation's module", write("salle-tasks/stand.mjs", example("js"))],
];

describe.each(files.filter(([what]) => !what.includes("without geoms")))("%s", (_, path) => {
  test("makes a task that passes every check", async () => {
    const subject = subjectOf(await loadPhysics(), await createTask(path));
    for (const { run } of checks) run(subject);
    expect(subject.task.id).toBe(fileTaskId(path));
    expect(subject.task.source).toBe(pathToFileURL(path).href);
  });
});

test("a robot's file trains in worker threads, found by its URL", async () => {
  const source = await taskSource(files[0]![1]);
  expect(source.args).toEqual([pathToFileURL(files[0]![1]).href]);
  const envs = await createVecEnv(source, { numEnvs: 2, numWorkers: 2, seed: 1 });
  envs.reset();
  const { rewards } = envs.step(new Float32Array(8));
  expect(rewards[0]).toBeGreaterThan(0.1);
  envs.dispose();
});

test("arms reach, robots on a free base move, which a floor that is not in the file carries", async () => {
  const reach = await createTask(files[1]![1]);
  expect(reach.observation.names).toEqual([
    "shoulder: value − at rest [rad or m]",
    "shoulder: 0.1 rate [rad/s or m/s]",
    "shoulder: target − value [rad or m]",
  ]);
  expect(reach.model.links.map(({ name }) => name)).toEqual(["base", "upper"]);
  const walk = await createTask(files[2]![1]);
  expect(walk.model.links[0]!.joints[0]!.type).toBe("free");
  expect(walk.settings?.scenery?.[0]?.name).toBe("floor");
  await expect(createTask(files[3]![1])).rejects.toThrow(/no geom of robot "arm" can touch/);
});

test.each([
  ["my_robot.xml", "my-robot"],
  ["/a/b c/Robot 2 (new).urdf", "robot-2-new"],
  ["https://x.org/dogs/Spot.xml", "spot"],
])("the task of %s is called %s", (name, id) => {
  expect(fileTaskId(name)).toBe(id);
});

test.each([
  ["not JSON", "{", /^t\.json: .*JSON/],
  ["a list", "[]", /^t\.json: a task file is an object/],
  [
    "an unknown setting",
    '{"targetSped":1}',
    /unknown setting "targetSped"; did you mean "targetSpeed"/,
  ],
  ["a word for a number", '{"controlDt":"fast"}', /"controlDt" is a number from 0, got "fast"/],
  ["a negative number", '{"controlDt":-1}', /"controlDt" is a number from 0, got -1/],
  ["no robot", "{}", /"robot" must name the robot's file/],
])("a task file with %s says so", (_, text, message) => {
  expect(() => parseSettings(text, "t.json")).toThrow(message);
});

test("modules and robots that make no task say so", async () => {
  const empty = write("empty.mjs", "export const nothing = 1;");
  await expect(createTask(empty)).rejects.toThrow(/has no export createTask/);
  const none = write("none.mjs", "export const createTask = () => 3;");
  await expect(createTask(none)).rejects.toThrow(/returned no task/);
  const still = write(
    "still.xml",
    '<mujoco><worldbody><body><geom size="1"/></body></worldbody></mujoco>',
  );
  await expect(createTask(still)).rejects.toThrow(/has no drives: give it an <actuator> section/);
  await expect(createTask(join(folder, "away.xml"))).rejects.toThrow(/ENOENT|no such file/);
});
