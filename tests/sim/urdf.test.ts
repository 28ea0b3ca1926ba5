import { describe, expect, test } from "vitest";
import { linkMass } from "../../sim/inertia.ts";
import type { UrdfOptions } from "../../sim/urdf.ts";
import { parseUrdf } from "../../sim/urdf.ts";

const parse = (text: string, options: Partial<UrdfOptions> = {}) =>
  parseUrdf(text, { file: "robot.urdf", ...options });

const inertial = (mass: number) =>
  `<inertial><mass value="${mass}"/><inertia ixx="1" iyy="1" izz="1" ixy="0" ixz="0" iyz="0"/></inertial>`;
const link = (name: string, inside = inertial(1)) => `<link name="${name}">${inside}</link>`;
const joint = (name: string, type: string, parent: string, child: string, inside = "") =>
  `<joint name="${name}" type="${type}"><parent link="${parent}"/><child link="${child}"/>${inside}</joint>`;
const limit = '<limit lower="-1" upper="2" effort="30" velocity="1"/>';
const robot = (...parts: string[]) => `<robot name="r">\n${parts.join("\n")}\n</robot>`;

test("reads a wheeled arm in the manner of the ROS tutorials", () => {
  const { model, warnings } = parse(
    robot(
      '<material name="blue"><color rgba="0 0 0.8 1"/></material>',
      `<link name="base">
        <visual><origin xyz="0 0 0.1"/><geometry><cylinder length="0.6" radius="0.2"/></geometry><material name="blue"/></visual>
        <collision><geometry><cylinder length="0.6" radius="0.2"/></geometry></collision>${inertial(10)}</link>`,
      link("wheel"),
      joint(
        "axle",
        "continuous",
        "base",
        "wheel",
        '<origin rpy="1.5707963267948966 0 0" xyz="0.1 0.2 0.3"/><axis xyz="0 0 1"/><dynamics damping="0.5" friction="0.1"/>',
      ),
      link("arm"),
      joint("lift", "prismatic", "base", "arm", `${limit}<axis xyz="0 0 1"/>`),
      link("hand"),
      joint("grip", "revolute", "arm", "hand", limit),
      '<transmission name="t"/>',
      '<gazebo reference="base"/>',
    ),
  );
  expect(model.links.map(({ name, parent }) => [name, parent])).toEqual([
    ["base", null],
    ["wheel", "base"],
    ["arm", "base"],
    ["hand", "arm"],
  ]);
  const [base, wheel, arm, hand] = model.links;
  expect(base!.joints).toEqual([]);
  expect(base!.geoms.map(({ group, rgba }) => [group, rgba])).toEqual([
    [0, [0, 0, 0.8, 1]],
    [undefined, [0, 0, 0, 0]],
  ]);
  expect(linkMass(base!).mass).toBe(10);
  expect(wheel!.position).toEqual([0.1, 0.2, 0.3]);
  expect(wheel!.rotation[0]).toBeCloseTo(Math.SQRT1_2, 9);
  expect(wheel!.joints[0]).toEqual({
    type: "hinge",
    name: "axle",
    axis: [0, 0, 1],
    anchor: [0, 0, 0],
    damping: 0.5,
    frictionLoss: 0.1,
  });
  expect(arm!.joints[0]).toMatchObject({ type: "slide", range: [-1, 2] });
  expect(hand!.joints[0]).toMatchObject({ type: "hinge", axis: [1, 0, 0], range: [-1, 2] });
  expect(model.actuators).toEqual([
    { name: "lift", type: "motor", joint: "lift", gear: 30 },
    { name: "grip", type: "motor", joint: "grip", gear: 30 },
  ]);
  expect(warnings).toEqual([
    expect.stringMatching(/<gazebo> elements are left out/),
    expect.stringMatching(/velocity limits of joints are not enforced/),
  ]);
});

test("roll, pitch and yaw turn about the fixed axes in that order", () => {
  const quarter = Math.PI / 2;
  const { model } = parse(
    robot(
      link("a"),
      link("b"),
      joint("j", "continuous", "a", "b", `<origin rpy="${quarter} 0 ${quarter}"/>`),
    ),
  );
  // About x, then about the fixed z: (z-turn)(x-turn) = (½, ½, ½, ½).
  for (const part of model.links[1]!.rotation) expect(part).toBeCloseTo(0.5, 9);
});

test("links behind fixed joints become part of their carrier", () => {
  const { model } = parse(
    robot(
      link("world", ""),
      link("a", inertial(1)),
      joint("hold", "revolute", "world", "a", `<origin xyz="0 0 1"/>${limit}`),
      link(
        "b",
        `<collision><origin xyz="0 1 0"/><geometry><sphere radius="0.1"/></geometry></collision>${inertial(3)}`,
      ),
      joint("weld", "fixed", "a", "b", '<origin xyz="1 0 0"/>'),
      link("c"),
      joint("turn", "continuous", "b", "c", '<origin xyz="0 0 2"/>'),
    ),
  );
  expect(model.links.map(({ name, parent }) => [name, parent])).toEqual([
    ["a", null],
    ["c", "a"],
  ]);
  const [a, c] = model.links;
  const { mass, position, inertia } = linkMass(a!);
  expect(mass).toBe(4);
  expect(position[0]).toBeCloseTo(0.75, 12);
  // 1 kg at 0.75 m and 3 kg at 0.25 m add 0.5625 + 0.1875 across the line to 1 + 1 of their own.
  expect(inertia[0]).toBeCloseTo(2, 12);
  expect(inertia[1]).toBeCloseTo(2.75, 12);
  expect(a!.geoms[0]!.position).toEqual([1, 1, 0]);
  expect(a!.sites).toEqual([{ name: "b", position: [1, 0, 0], rotation: [0, 0, 0, 1] }]);
  expect(c!.position).toEqual([1, 0, 2]);
});

test("the root moves when told, or by a floating joint", () => {
  expect(parse(robot(link("a")), { floatingBase: true }).model.links[0]!.joints[0]!.type).toBe(
    "free",
  );
  const { model } = parse(
    robot(link("world", ""), link("a"), joint("f", "floating", "world", "a")),
  );
  expect(model.links).toMatchObject([
    { name: "a", parent: null, joints: [{ type: "free", name: "f" }] },
  ]);
});

test("a planar joint slides twice across its axis and turns about it", () => {
  const { model } = parse(
    robot(link("world", ""), link("a"), joint("p", "planar", "world", "a", '<axis xyz="0 0 1"/>')),
  );
  expect(
    model.links[0]!.joints.map((each) => [each.type, each.name, "axis" in each && each.axis]),
  ).toEqual([
    ["slide", "p_x", [1, 0, 0]],
    ["slide", "p_y", [0, 1, 0]],
    ["hinge", "p", [0, 0, 1]],
  ]);
});

describe("names by file and line", () => {
  const two = link("a") + link("b");
  test.each([
    [
      "a colliding mesh",
      robot(
        '<link name="a"><collision><geometry><mesh filename="package://x.dae"/></geometry></collision></link>',
      ),
      /robot\.urdf:2: <mesh> is not supported/,
    ],
    [
      "a mimic",
      robot(two, joint("j", "continuous", "a", "b", '<mimic joint="k"/>')),
      /:3: <mimic> is not supported/,
    ],
    [
      "an unknown joint type",
      robot(two, joint("j", "screw", "a", "b")),
      /:3: type of <joint> must be one of .*, got "screw"/,
    ],
    [
      "no limits",
      robot(two, joint("j", "revolute", "a", "b")),
      /:3: a revolute or prismatic joint needs <limit>/,
    ],
    [
      "limits upside down",
      robot(two, joint("j", "revolute", "a", "b", '<limit lower="1" upper="-1"/>')),
      /upside down: 1 to -1/,
    ],
    [
      "a loop",
      robot(two, joint("j", "continuous", "a", "b"), joint("k", "continuous", "b", "a")),
      /every link has a parent: the links form a loop/,
    ],
    [
      "a loop aside",
      robot(link("r"), two, joint("j", "continuous", "a", "b"), joint("k", "continuous", "b", "a")),
      /:3: link "a" is part of a loop/,
    ],
    ["its own parent", robot(link("a"), joint("j", "continuous", "a", "a")), /form a loop/],
    [
      "two parents",
      robot(two, link("c"), joint("j", "continuous", "a", "c"), joint("k", "continuous", "b", "c")),
      /:5: link "c" has two parents: "a" and "b"/,
    ],
    ["two roots", robot(two), /:2: a robot has one root, got "a", "b"/],
    ["a link used twice", robot(link("a"), link("a")), /:3: the link name "a" is used twice/],
    [
      "a joint used twice",
      robot(two, link("c"), joint("j", "fixed", "a", "b"), joint("j", "fixed", "a", "c")),
      /:5: the joint name "j" is used twice/,
    ],
    [
      "an unknown link",
      robot(link("leg"), joint("j", "fixed", "leg", "lag")),
      /:3: unknown link "lag"; did you mean "leg"/,
    ],
    [
      "a moving link without mass",
      robot(link("a"), link("b", ""), joint("j", "continuous", "a", "b")),
      /:3: link "b" moves but has no mass/,
    ],
    ["NaN", robot(link("a", inertial(Number.NaN))), /:2: value of <mass> wants finite numbers/],
    ["a negative mass", robot(link("a", inertial(-1))), /:2: value of <mass> must not be negative/],
    [
      "a negative inertia",
      robot(link("a", inertial(1).replace('ixx="1"', 'ixx="-1"'))),
      /:2: moments of inertia must be positive/,
    ],
    ["no link", robot(), /:1: the robot has no link/],
    ["another root", "<mujoco/>", /:1: a URDF file starts with <robot>/],
    ["an unknown element", robot(link("a"), "<sensor/>"), /:3: <sensor> is not supported/],
    [
      "no axis",
      robot(two, joint("j", "continuous", "a", "b", '<axis xyz="0 0 0"/>')),
      /:3: the axis has no length/,
    ],
    [
      "a floating joint on an arm",
      robot(two, link("c"), joint("j", "continuous", "a", "b"), joint("k", "floating", "b", "c")),
      /:5: <joint> is not supported: a floating joint must hang from the root/,
    ],
  ])("%s", (_, text, error) => {
    expect(() => parse(text)).toThrow(error);
  });
});

test("a visual mesh is left out with a warning", () => {
  const visual = '<visual><geometry><mesh filename="a.dae"/></geometry></visual>';
  expect(parse(robot(link("a", visual + inertial(1)))).warnings).toEqual([
    "robot.urdf:2: a mesh that is only drawn was left out",
  ]);
});
