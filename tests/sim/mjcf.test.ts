import { describe, expect, test } from "vitest";
import { linkMass } from "../../sim/inertia.ts";
import { parseMjcf } from "../../sim/mjcf.ts";
import type { HingeJoint, Link, RobotModel } from "../../sim/model.ts";

const parse = (text: string) => parseMjcf(text, { file: "robot.xml" });

/** The first link of a robot whose body has these children. */
function link(children: string, around = ""): Link {
  return parse(`<mujoco>${around}<worldbody><body>${children}</body></worldbody></mujoco>`).model
    .links[0]!;
}

function expectClose(actual: readonly number[] | undefined, wanted: readonly number[]): void {
  expect(actual).toHaveLength(wanted.length);
  for (const [i, value] of wanted.entries()) expect(actual![i]).toBeCloseTo(value, 9);
}

/** The same turn: q and −q are one rotation. */
function expectRotation(actual: readonly number[], wanted: readonly number[]): void {
  expect(Math.abs(actual.reduce((sum, value, i) => sum + value * wanted[i]!, 0))).toBeCloseTo(1, 9);
}

describe("orientations", () => {
  const half = Math.SQRT1_2; // sine and cosine of 45°
  test.each([
    ['quat="2 0 0 2"', "", [0, 0, half, half]],
    ['axisangle="0 0 3 90"', "", [0, 0, half, half]],
    ['axisangle="0 0 1 1.5707963267948966"', '<compiler angle="radian"/>', [0, 0, half, half]],
    ['xyaxes="0 1 0 -1 1 0"', "", [0, 0, half, half]], // the second axis is made orthogonal
    ['zaxis="1 0 0"', "", [0, half, 0, half]],
    ['zaxis="0 0 -2"', "", [1, 0, 0, 0]],
    ['euler="90 90 0"', "", [0.5, 0.5, 0.5, 0.5]], // about x, then the new y
    ['euler="90 90 0"', '<compiler eulerseq="XYZ"/>', [0.5, 0.5, -0.5, 0.5]], // about x, then the fixed y
  ])("%s %s", (attribute, compiler, wanted) => {
    expectRotation(link(`<geom size="1" ${attribute}/>`, compiler).geoms[0]!.rotation, wanted);
  });
});

test("a body's weight may be compensated", () => {
  const bodies = '<body gravcomp="0.5"><geom size="1"/></body><body><geom size="1"/></body>';
  const { links } = parse(`<mujoco><worldbody>${bodies}</worldbody></mujoco>`).model;
  expect(links.map(({ gravityCompensation }) => gravityCompensation)).toEqual([0.5, undefined]);
});

describe("mass and inertia of geoms", () => {
  const sphere = (4 / 3) * Math.PI * 0.001;
  test.each([
    ['type="sphere" size="0.1"', 1000 * sphere, [0.4 * 0.01, 0.4 * 0.01, 0.4 * 0.01]],
    ['type="box" size="1 2 3" mass="6"', 6, [13 / 3, 10 / 3, 5 / 3]],
    ['type="cylinder" size="0.1 0.5" mass="12"', 12, [0.0025 + 0.25 / 3, 0.0025 + 0.25 / 3, 0.005]],
    ['type="ellipsoid" size="1 2 3" density="1"', 8 * Math.PI, [13 / 5, 2, 1]],
    // A tube of 0.2 m and two half balls: volumes 0.2 π r² and 4/3 π r³ are as 3 to 2.
    [
      'type="capsule" size="0.1 0.1" mass="5"',
      5,
      [
        (3 * (0.0025 + 0.01 / 3) + 2 * (0.004 + 0.01 + 0.0075)) / 5,
        (3 * (0.0025 + 0.01 / 3) + 2 * (0.004 + 0.01 + 0.0075)) / 5,
        (3 * 0.005 + 2 * 0.004) / 5,
      ],
    ],
  ])("%s", (attributes, mass, perKilogram) => {
    const properties = linkMass(link(`<geom ${attributes}/>`));
    expect(properties.mass).toBeCloseTo(mass, 9);
    expectClose(
      properties.inertia.slice(0, 3),
      perKilogram.map((moment) => moment * mass),
    );
  });

  test("of two balls on a rod without mass add up about their common centre", () => {
    const { mass, position, inertia } = linkMass(
      link('<geom size="0.1" mass="1" pos="1 0 0"/><geom size="0.1" mass="3" pos="-1 0 0"/>'),
    );
    expect(mass).toBe(4);
    expectClose(position, [-0.5, 0, 0]);
    // 1 kg at 1.5 m and 3 kg at 0.5 m: 2.25 + 0.75, and each ball's own 0.004 per kg.
    expectClose(inertia, [0.016, 3.016, 3.016, 0, 0, 0]);
  });

  test("of a full matrix are its principal moments, and turn with the inertial's frame", () => {
    const body = link('<inertial mass="2" pos="1 2 3" fullinertia="3 3 4 1 0 0"/><geom size="1"/>');
    expectClose([...body.inertial!.moments].sort(), [2, 4, 4]);
    const { mass, position, inertia } = linkMass(body);
    expect(mass).toBe(2);
    expectClose(position, [1, 2, 3]);
    expectClose(inertia, [3, 3, 4, 1, 0, 0]);
  });

  test("scale to a total mass", () => {
    const { model } = parse(`<mujoco><compiler settotalmass="10"/><worldbody>
      <body><geom size="0.1" mass="1"/><body><inertial mass="3" pos="0 0 0" diaginertia="1 1 1"/></body></body>
    </worldbody></mujoco>`);
    expect(model.links.map((each) => linkMass(each).mass)).toEqual([2.5, 7.5]);
    expectClose(model.links[1]!.inertial!.moments, [2.5, 2.5, 2.5]);
  });

  test("come from geoms where the compiler says so", () => {
    const children =
      '<inertial mass="2" pos="0 0 0" diaginertia="1 1 1"/><geom size="1" mass="5"/>';
    expect(linkMass(link(children)).mass).toBe(2);
    expect(linkMass(link(children, '<compiler inertiafromgeom="true"/>')).mass).toBe(5);
  });
});

test("fromto puts a capsule between two points", () => {
  const geom = link('<geom type="capsule" size="0.1" fromto="1 0 0 3 0 0"/>').geoms[0]!;
  expect(geom.shape).toEqual({ type: "capsule", radius: 0.1, halfLength: 1 });
  expectClose(geom.position, [2, 0, 0]);
  expectRotation(geom.rotation, [0, -Math.SQRT1_2, 0, Math.SQRT1_2]);
});

describe("joints", () => {
  const joint = (attributes: string, compiler = "") =>
    link(`<joint name="j" ${attributes}/><geom size="1"/>`, compiler).joints[0]! as HingeJoint;

  test("take degrees by default, radians when told", () => {
    expectClose(joint('range="-90 180"').range, [-Math.PI / 2, Math.PI]);
    expectClose(joint('range="-1 2"', '<compiler angle="radian"/>').range, [-1, 2]);
    expectClose(joint('type="slide" range="-1 2"').range, [-1, 2]);
    expect(joint('ref="180"').reference).toBeCloseTo(Math.PI, 12);
  });

  test("are limited by a range unless told otherwise", () => {
    expect(joint('range="-1 1" limited="false"').range).toBeUndefined();
    expect(() => joint('range="-1 1"', '<compiler autolimits="false"/>')).toThrow(/needs limited/);
    expect(() => joint('limited="true"')).toThrow(/robot\.xml:1: limited="true" needs range/);
  });

  test("keep damping, armature, stiffness, rest and dry friction", () => {
    const attributes = 'damping="1" armature="2" stiffness="3" springref="180" frictionloss="4"';
    expect(joint(attributes)).toMatchObject({
      damping: 1,
      armature: 2,
      stiffness: 3,
      frictionLoss: 4,
    });
    expect(joint(attributes).springRest).toBeCloseTo(Math.PI, 12);
  });
});

test("defaults pass from class to nested class, by childclass and by class", () => {
  const { model } = parse(`<mujoco>
    <default>
      <geom size="1" density="2" friction="0.5"/>
      <default class="leg"><geom density="3"/><default class="foot"><geom friction="0.7 1 1"/></default></default>
    </default>
    <worldbody><body childclass="leg"><geom/><geom class="foot"/><geom class="main"/>
      <body><geom density="4"/></body>
    </body></worldbody>
  </mujoco>`);
  const geoms = model.links.flatMap((each) => each.geoms);
  expect(geoms.map(({ density, friction }) => [density, friction])).toEqual([
    [3, 0.5],
    [3, 0.7],
    [2, 0.5],
    [4, 0.5],
  ]);
});

describe("actuators", () => {
  const actuator = (element: string, around = "") => {
    const { model } = parse(`<mujoco><compiler angle="radian"/>${around}<worldbody>
      <body><joint name="j" range="-1 3" actuatorfrcrange="-8 8"/><geom size="1"/></body></worldbody>
      <actuator>${element}</actuator></mujoco>`);
    return model.actuators[0];
  };
  const name = { name: "j", joint: "j" };
  test.each([
    [
      '<motor joint="j" gear="2" ctrlrange="-3 3"/>',
      { ...name, type: "motor", gear: 2, controlRange: [-3, 3], forceRange: [-4, 4] },
    ],
    [
      '<position joint="j" kp="5" kv="2" forcerange="-1 9"/>',
      { ...name, type: "position", kp: 5, kv: 2, forceRange: [-1, 8] },
    ],
    ['<velocity joint="j" kv="5"/>', { ...name, type: "velocity", kv: 5, forceRange: [-8, 8] }],
    [
      '<position joint="j" inheritrange="0.5"/>',
      { ...name, type: "position", kp: 1, controlRange: [0, 2], forceRange: [-8, 8] },
    ],
    ['<general joint="j"/>', { ...name, type: "motor", forceRange: [-8, 8] }],
    ['<general joint="j" biastype="affine"/>', { ...name, type: "motor", forceRange: [-8, 8] }],
    [
      '<general joint="j" gainprm="7" biastype="affine" biasprm="0 -7 -2"/>',
      { ...name, type: "position", kp: 7, kv: 2, forceRange: [-8, 8] },
    ],
    [
      '<general joint="j" gainprm="7" biastype="affine" biasprm="0 0 -7"/>',
      { ...name, type: "velocity", kv: 7, forceRange: [-8, 8] },
    ],
  ])("%s", (element, wanted) => {
    expect(actuator(element)).toEqual(wanted);
  });

  test("take defaults of any drive", () => {
    expect(actuator('<motor joint="j"/>', '<default><general gear="3"/></default>')?.gear).toBe(3);
  });
});

test("sites, sensors, exclusions and keyframes keep their names and order", () => {
  const { model, warnings } = parse(`<mujoco>
    <worldbody><body name="a"><freejoint name="f"/><geom size="1"/><site name="s" pos="1 0 0"/>
      <body name="b"><joint name="h"/><geom size="1"/></body></body></worldbody>
    <contact><exclude body1="a" body2="b"/></contact>
    <sensor><gyro name="g" site="s"/>
      <jointpos joint="h"/></sensor>
    <keyframe><key name="home" qpos="1 2 3 1 0 0 0 0.5"/></keyframe></mujoco>`);
  expect(model.sensors).toEqual([{ name: "g", type: "gyro", site: "s" }]);
  expect(model.contactExclusions).toEqual([["a", "b"]]);
  expect(model.poses).toEqual({ home: { f: [1, 2, 3, 0, 0, 0, 1], h: [0.5] } });
  expect(warnings).toEqual(["robot.xml:6: sensor <jointpos> has no counterpart and was left out"]);
});

test("materials give geoms their colour", () => {
  const around = '<asset><texture name="t"/><material name="red" rgba="1 0 0 1"/></asset>';
  expect(link('<geom size="1" material="red"/>', around).geoms[0]!.rgba).toEqual([1, 0, 0, 1]);
});

test("files are included once, and say their own name in errors", () => {
  const files: Record<string, string> = {
    "geoms.xml": '<x>\n<geom size="1"/></x>',
    "bad.xml": '<x>\n<geom size="1" colour="red"/></x>',
    "loop.xml": '<x>\n<include file="loop.xml"/></x>',
  };
  const read = (file: string): RobotModel =>
    parseMjcf(`<mujoco><worldbody><body><include file="${file}"/></body></worldbody></mujoco>`, {
      file: "robot.xml",
      readFile: (name) => files[name],
    }).model;
  expect(read("geoms.xml").links[0]!.geoms).toHaveLength(1);
  expect(() => read("bad.xml")).toThrow(/^bad\.xml:2: attribute colour/);
  expect(() => read("loop.xml")).toThrow(/^loop\.xml:2: "loop.xml" is included twice/);
  expect(() => read("none.xml")).toThrow(/^robot\.xml:1: there is no file "none.xml"/);
});

test("flags switch contacts and gravity off", () => {
  const { model } = parse(
    '<mujoco><option><flag contact="disable" gravity="disable"/></option><worldbody><body><geom size="1"/></body></worldbody></mujoco>',
  );
  expect(model.gravity).toEqual([0, 0, 0]);
  expect(model.links[0]!.geoms[0]).toMatchObject({ group: 0, affinity: 0 });
});

test("what stands still for motion capture, and tendons that pull nothing, are named", () => {
  const { warnings } = parse(`<mujoco><worldbody>
<body mocap="true" name="target"/></worldbody>
<tendon><fixed name="t"><joint joint="j" coef="1"/></fixed></tendon></mujoco>`);
  expect([...warnings].sort()).toEqual([
    'robot.xml:2: body "target" is for motion capture: it stands still here',
    "robot.xml:3: tendon <fixed> pulls nothing and was left out",
  ]);
});
