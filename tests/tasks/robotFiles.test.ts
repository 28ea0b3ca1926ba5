// Robots' files with others beside them, from strangers too.
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { afterAll, expect, test } from "vitest";
import { loadRobotFile } from "../../tasks/robotFiles.ts";

const outer = mkdtempSync(join(tmpdir(), "salle-robots-"));
const folder = join(outer, "robot");
mkdirSync(join(folder, "parts"), { recursive: true });
mkdirSync(join(outer, "meshes"));
afterAll(() => rmSync(outer, { recursive: true }));

function load(name: string, text: string) {
  writeFileSync(join(folder, name), text);
  return loadRobotFile(pathToFileURL(join(folder, name)));
}

const include = (file: string) =>
  `<mujoco>\n<worldbody><include file="${file}"/></worldbody></mujoco>`;
writeFileSync(join(outer, "secret.xml"), "<mujoco><body/></mujoco>");
writeFileSync(join(folder, "parts/leg.xml"), '<x><body name="leg"><geom size="1"/></body></x>');
writeFileSync(join(folder, "parts/a.xml"), '<x>\n<include file="parts/b.xml"/></x>');
writeFileSync(join(folder, "parts/b.xml"), '<x>\n\n<include file="parts/a.xml"/></x>');
writeFileSync(join(outer, "meshes/tetra.obj"), "v 0 0 0\nv 1 0 0\nv 0 1 0\nv 0 0 1\n");

test("includes come from the robot's folder", async () => {
  const { model } = await load("good.xml", include("parts/leg.xml"));
  expect(model.links.map(({ name }) => name)).toEqual(["leg"]);
});

test.each([
  ["a cycle", "parts/a.xml", /^parts\/b\.xml:3: "parts\/a\.xml" is included twice$/],
  ["itself", "bad.xml", /^bad\.xml:2: "bad\.xml" is included twice$/],
  [
    "a file above the folder",
    "../secret.xml",
    /^bad\.xml:2: there is no file "\.\.\/secret\.xml"$/,
  ],
  ["a file above, hidden", "parts/../../secret.xml", /^bad\.xml:2: there is no file/],
  ["an absolute path", join(outer, "secret.xml"), /^bad\.xml:2: there is no file/],
  ["the folder", "parts", /^bad\.xml:2: there is no file "parts"$/],
])("refuses to include %s", async (_, file, message) => {
  await expect(load("bad.xml", include(file))).rejects.toThrow(message);
});

test("a package's meshes are found in a folder around the robot's", async () => {
  const mesh = (name: string) => `<robot><link name="a">
<collision><geometry><mesh filename="${name}"/></geometry></collision></link></robot>`;
  const { model } = await load("r.urdf", mesh("package://some_robot/meshes/tetra.obj"));
  expect(model.links[0]!.geoms[0]!.shape.type).toBe("convex");
  const gone = load("r.urdf", mesh("package://some_robot/meshes/none.stl"));
  await expect(gone).rejects.toThrow(/^r\.urdf:2: there is no file "package:/);
});

const moving = (inside: string) => `<mujoco>
<worldbody><body name="b"><joint name="j"/>
${inside}</body></worldbody></mujoco>`;

test.each([
  ["cut.xml", "<mujoco>\n<worldbody>", /^cut\.xml:2: unclosed tag/],
  ["nan.xml", moving('<geom size="1" pos="0 nan 0"/>'), /^nan\.xml:3: pos of <geom> wants finite/],
  [
    "mass.xml",
    moving('<inertial mass="-2" pos="0 0 0" diaginertia="1 1 1"/>'),
    /mass\.xml:3: mass of <inertial> must not be negative, got -2/,
  ],
  [
    "joint.xml",
    `${moving('<geom size="1"/>').replace("</mujoco>", '\n<actuator><motor joint="jj"/></actuator></mujoco>')}`,
    /^joint\.xml:4: unknown joint "jj"; did you mean "j"\?$/,
  ],
  [
    "mass.urdf",
    '<robot><link name="a"><inertial>\n<mass value="-1"/><inertia ixx="1" iyy="1" izz="1"/></inertial></link></robot>',
    /mass\.urdf:2: value of <mass> must not be negative/,
  ],
  [
    "nan.urdf",
    '<robot><link name="a"/><link name="b"/><joint name="j" type="fixed"><parent link="a"/><child link="b"/>\n<origin xyz="0 0 inf"/></joint></robot>',
    /nan\.urdf:2: xyz of <origin> wants finite numbers/,
  ],
  [
    "link.urdf",
    '<robot><link name="arm"/>\n<joint name="j" type="fixed"><parent link="arms"/><child link="arm"/></joint></robot>',
    /link\.urdf:2: unknown link "arms"; did you mean "arm"\?/,
  ],
])("%s is refused by file and line", async (name, text, message) => {
  await expect(load(name, text)).rejects.toThrow(message);
});
