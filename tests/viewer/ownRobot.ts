// A robot in files of its own, as a user has one: a task file, the robot, what it includes, a mesh.

import { mkdirSync, mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

const robot = `<mujoco model="walker">
  <compiler angle="radian"/>
  <default><joint damping="1" armature="0.02"/><motor ctrlrange="-1 1" gear="20"/></default>
  <asset><mesh name="foot" file="meshes/foot.obj"/></asset>
  <worldbody>
    <geom name="floor" type="plane" size="10 10 1"/>
    <body name="trunk" pos="0 0 0.6">
      <freejoint name="root"/>
      <geom type="box" size="0.1 0.15 0.1" mass="4"/>
      <include file="parts/leg.xml"/>
    </body>
  </worldbody>
  <actuator><motor joint="hip"/></actuator>
</mujoco>`;

const leg = `<mujocoinclude>
  <body name="leg" pos="0 0 -0.1">
    <joint name="hip" axis="0 1 0" range="-1 1"/>
    <geom type="capsule" fromto="0 0 0 0 0 -0.4" size="0.05" mass="1"/>
    <geom type="mesh" mesh="foot" pos="0 0 -0.45" mass="0.5"/>
  </body>
</mujocoinclude>`;

const foot = `v -0.1 -0.08 0
v 0.2 0 0
v -0.1 0.08 0
v 0 0 0.08
f 1 3 2
f 1 2 4
f 2 3 4
f 3 1 4
`;

/** Files below a new folder; the caller removes it. */
export function ownRobot(): {
  readonly folder: string;
  readonly robot: string;
  readonly task: string;
} {
  const folder = mkdtempSync(join(tmpdir(), "salle-secret-place-"));
  for (const name of ["robots/parts", "robots/meshes", "salle-tasks"])
    mkdirSync(join(folder, name), { recursive: true });
  const path = join(folder, "robots/walker 1.xml");
  writeFileSync(path, robot);
  writeFileSync(join(folder, "robots/parts/leg.xml"), leg);
  writeFileSync(join(folder, "robots/meshes/foot.obj"), foot);
  const task = join(folder, "salle-tasks/my-walker.json");
  writeFileSync(task, JSON.stringify({ robot: path.replace(" ", "%20"), targetSpeed: 0 }));
  return { folder, robot: path, task };
}
