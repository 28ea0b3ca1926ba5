// Robots in the manner of three public collections, each in the subset that is read.
import { expect, test } from "vitest";
import { linkMass } from "../../sim/inertia.ts";
import { parseMjcf } from "../../sim/mjcf.ts";

test("reads a planar robot in the manner of Gym", () => {
  const { model, warnings } = parseMjcf(
    `<mujoco model="hopper">
  <compiler angle="degree" coordinate="local" inertiafromgeom="true"/>
  <default>
    <joint armature="1" damping="1" limited="true"/>
    <geom conaffinity="1" condim="1" contype="1" margin="0.001" material="geom" rgba="0.8 0.6 .4 1" solimp=".8 .8 .01" solref=".02 1"/>
    <motor ctrllimited="true" ctrlrange="-.4 .4"/>
  </default>
  <option integrator="RK4" timestep="0.002"/>
  <visual><map znear="0.02"/></visual>
  <size nstack="300000"/>
  <worldbody>
    <light cutoff="100" diffuse="1 1 1" dir="-0 0 -1.3" directional="true" exponent="1" pos="0 0 1.3" specular=".1 .1 .1"/>
    <geom conaffinity="1" condim="3" name="floor" pos="0 0 0" rgba="0.8 0.9 0.8 1" size="20 20 .125" type="plane" material="MatPlane"/>
    <body name="torso" pos="0 0 1.25">
      <camera name="track" mode="trackcom" pos="0 -3 1" xyaxes="1 0 0 0 0 1"/>
      <joint armature="0" axis="1 0 0" damping="0" limited="false" name="rootx" pos="0 0 0" stiffness="0" type="slide"/>
      <joint armature="0" axis="0 0 1" damping="0" limited="false" name="rootz" pos="0 0 0" ref="1.25" stiffness="0" type="slide"/>
      <joint armature="0" axis="0 1 0" damping="0" limited="false" name="rooty" pos="0 0 0" stiffness="0" type="hinge"/>
      <geom friction="0.9" fromto="0 0 0.2 0 0 -0.2" name="torso_geom" size="0.05" type="capsule"/>
      <body name="thigh" pos="0 0 -0.2">
        <joint axis="0 -1 0" name="thigh_joint" range="-150 0" type="hinge"/>
        <geom friction="0.9" fromto="0 0 0 0 0 -0.45" name="thigh_geom" size="0.05" type="capsule"/>
      </body>
    </body>
  </worldbody>
  <actuator><motor ctrllimited="true" ctrlrange="-1.0 1.0" gear="200.0" joint="thigh_joint"/></actuator>
  <asset>
    <texture type="skybox" builtin="gradient" rgb1=".4 .5 .6" rgb2="0 0 0" width="100" height="100"/>
    <material name="MatPlane" reflectance="0.5" shininess="1" specular="1" texrepeat="60 60" texture="texplane"/>
    <material name="geom" texture="texgeom" texuniform="true"/>
  </asset>
</mujoco>`,
    { file: "hopper.xml" },
  );
  expect(model.links.map(({ name }) => name)).toEqual(["torso", "thigh"]);
  expect(model.links[0]!.joints.map(({ type }) => type)).toEqual(["slide", "slide", "hinge"]);
  expect(model.links[0]!.joints[1]).toMatchObject({ name: "rootz", reference: 1.25 });
  expect(model.links[1]!.joints[0]).toMatchObject({
    range: [(-150 * Math.PI) / 180, 0],
    armature: 1,
  });
  expect(model.actuators[0]).toMatchObject({ type: "motor", gear: 200, controlRange: [-1, 1] });
  expect(linkMass(model.links[0]!).mass).toBeCloseTo(1000 * Math.PI * 0.0025 * (0.4 + 0.2 / 3), 9);
  expect(model.timestep).toBe(0.002);
  expect(warnings).toEqual(
    [19, 22].map((line) => `hopper.xml:${line}: condim="1": contacts have friction here`),
  );
});

test("reads a robot with includes and classes in the manner of the DeepMind Control Suite", () => {
  const files: Record<string, string> = {
    "./common/skybox.xml": '<mujoco><asset><texture name="skybox" type="skybox"/></asset></mujoco>',
    "./common/visual.xml": '<mujoco><visual><quality shadowsize="2048"/></visual></mujoco>',
    "./common/materials.xml":
      '<mujoco><asset><material name="self" rgba=".7 .5 .3 1"/><material name="grid" reflectance=".2"/></asset></mujoco>',
  };
  const { model, warnings } = parseMjcf(
    `<mujoco model="cart">
  <include file="./common/skybox.xml"/>
  <include file="./common/visual.xml"/>
  <include file="./common/materials.xml"/>
  <option timestep=".01" integrator="RK4"><flag energy="enable"/></option>
  <statistic extent="2"/>
  <default>
    <default class="pole">
      <joint type="hinge" axis="0 1 0" damping="2e-6"/>
      <geom type="capsule" fromto="0 0 0 0 0 1" size="0.045" material="self" mass=".1"/>
    </default>
  </default>
  <worldbody>
    <light name="light" pos="0 0 6"/>
    <camera name="fixed" pos="0 -4 1" zaxis="0 -1 0"/>
    <geom name="floor" pos="0 0 -.05" size="4 4 .2" type="plane" material="grid"/>
    <body name="cart" pos="0 0 1">
      <joint name="slider" type="slide" limited="true" axis="1 0 0" range="-1.8 1.8" solreflimit=".08 1" damping="5e-4"/>
      <geom name="cart" type="box" size="0.2 0.15 0.1" material="self" mass="1"/>
      <body name="pole_1" childclass="pole">
        <joint name="hinge_1"/>
        <geom name="pole_1"/>
      </body>
    </body>
  </worldbody>
  <actuator><motor name="slide" joint="slider" gear="10" ctrllimited="true" ctrlrange="-1 1"/></actuator>
</mujoco>`,
    { file: "cart.xml", readFile: (name) => files[name] },
  );
  expect(warnings).toEqual([]);
  expect(model.links.map((each) => linkMass(each).mass)).toEqual([1, 0.1]);
  expect(model.links[1]!.geoms[0]).toMatchObject({
    rgba: [0.7, 0.5, 0.3, 1],
    position: [0, 0, 0.5],
  });
  expect(model.links[0]!.joints[0]).toMatchObject({ range: [-1.8, 1.8], damping: 5e-4 });
});

test("reads a dog with visual meshes and general drives in the manner of MuJoCo Menagerie", () => {
  const { model, warnings } = parseMjcf(
    `<mujoco model="dog">
  <compiler angle="radian" meshdir="assets" autolimits="true"/>
  <option cone="elliptic" impratio="100"/>
  <default>
    <default class="dog">
      <geom friction="0.6" margin="0.001" condim="1"/>
      <joint axis="0 1 0" damping="2" armature="0.01" frictionloss="0.2"/>
      <general gainprm="35" biastype="affine" biasprm="0 -35 -0.5" ctrlrange="-0.9 0.9"/>
      <default class="visual"><geom type="mesh" contype="0" conaffinity="0" group="2"/></default>
      <default class="collision"><geom group="3" type="capsule"/>
        <default class="foot"><geom type="sphere" size="0.023" pos="0 0 -0.213" priority="1" condim="6" friction="0.8 0.02 0.01"/></default>
      </default>
    </default>
  </default>
  <asset><mesh class="dog" file="trunk.obj"/></asset>
  <worldbody>
    <body name="trunk" pos="0 0 0.445" childclass="dog">
      <inertial mass="5.204" pos="0.0223 0.002 -0.0005" quat="-0.00342088 0.705204 0.000106698 0.708996" diaginertia="0.0716565 0.0630105 0.0168101"/>
      <freejoint/>
      <geom class="visual" mesh="trunk"/>
      <geom class="collision" quat="1 0 1 0" pos="0 -0.04 0" size="0.058 0.125"/>
      <site name="imu" pos="-0.01 0 0.04"/>
      <body name="calf" pos="0.1881 -0.04675 -0.2">
        <inertial mass="0.1881" pos="0.0045 -0.0005 -0.13" fullinertia="0.0029 0.0029 3.1e-05 0 0 -0.0001"/>
        <joint name="knee" range="-2.7 -0.9" actuatorfrcrange="-35 35"/>
        <geom class="foot"/>
      </body>
    </body>
  </worldbody>
  <actuator><general class="dog" name="knee" joint="knee" ctrlrange="-2.7 -0.9"/></actuator>
  <keyframe><key name="home" qpos="0 0 0.27 1 0 0 0 -1.8" ctrl="-1.8"/></keyframe>
</mujoco>`,
    { file: "dog.xml" },
  );
  expect(warnings).toEqual([
    'dog.xml:20: a geom of type "mesh" that is only drawn was left out',
    'dog.xml:21: condim="1": contacts have friction here',
  ]);
  expect(model.links.map((each) => linkMass(each).mass)).toEqual([5.204, 0.1881]);
  expect(model.actuators[0]).toEqual({
    name: "knee",
    joint: "knee",
    type: "position",
    kp: 35,
    kv: 0.5,
    controlRange: [-2.7, -0.9],
    forceRange: [-35, 35],
  });
  expect(model.poses!["home"]!["knee"]).toEqual([-1.8]);
});
