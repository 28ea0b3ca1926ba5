// What an MJCF file can't have here is named by file and line.

import { describe, expect, test } from "vitest";
import { parseMjcf } from "../../sim/mjcf.ts";

const parse = (text: string) => parseMjcf(text, { file: "robot.xml" });

describe("names by file and line", () => {
  const body = (inside: string, after = "") =>
    `<mujoco>\n<worldbody>\n<body name="b">\n<joint name="j"/><geom size="1"/>\n${inside}\n</body></worldbody>${after}</mujoco>`;
  test.each([
    [
      "a tendon",
      body("", '\n<tendon><spatial stiffness="1"/></tendon>'),
      /robot\.xml:7: <tendon> is not supported: "stiffness" of <spatial>/,
    ],
    [
      "an equality",
      body("", "<equality><weld/></equality>"),
      /robot\.xml:6: <equality> is not supported/,
    ],
    ["a mesh", body('<geom type="mesh" mesh="m"/>'), /robot\.xml:5: unknown mesh "m"/],
    [
      "a muscle",
      body("", '<actuator><muscle joint="j"/></actuator>'),
      /:6: <muscle> is not supported/,
    ],
    [
      "an attribute",
      body('<geom size="1" colour="red"/>'),
      /:5: attribute colour="red" of <geom> is not supported/,
    ],
    ["wind", `<mujoco><option wind="1 0 0"/></mujoco>`, /:1: attribute wind="1 0 0" of <option>/],
    [
      "limits switched off",
      '<mujoco><option><flag limit="disable"/></option></mujoco>',
      /limit="disable"/,
    ],
    ["fluid", `<mujoco><option density="1000"/></mujoco>`, /density="1000" of <option>/],
    ["NaN", body('<geom size="NaN"/>'), /:5: size of <geom> wants finite numbers/],
    ["infinity", body('<geom size="1e999"/>'), /:5: size of <geom> wants finite numbers/],
    ["words", body('<geom size="0x10"/>'), /:5: size of <geom> wants finite numbers/],
    [
      "too few numbers",
      body('<geom type="box" size="1 1"/>'),
      /:5: size of <geom> wants 3 numbers, got "1 1"/,
    ],
    ["a negative size", body('<geom size="-1"/>'), /:5: size of <geom> must be positive/],
    [
      "a negative mass",
      body('<geom size="1" mass="-1"/>'),
      /:5: mass of <geom> must not be negative/,
    ],
    ["a range upside down", body('<joint range="1 -1"/>'), /:5: range of <joint> is upside down/],
    ["no axis", body('<joint axis="0 0 0"/>'), /:5: axis of joint "b_hinge" has no length/],
    [
      "no rotation",
      body('<geom size="1" quat="0 0 0 0"/>'),
      /:5: quat of <geom> gives no direction/,
    ],
    [
      "two orientations",
      body('<geom size="1" quat="1 0 0 0" euler="0 0 0"/>'),
      /more than one orientation: quat, euler/,
    ],
    [
      "an impossible inertia",
      body('<body><inertial mass="1" pos="0 0 0" diaginertia="1 1 3"/></body>'),
      /:5: no body has these moments/,
    ],
    [
      "a moving body without mass",
      body("<body><joint/></body>"),
      /:5: body "body" moves but has no mass/,
    ],
    ["a moving plane", body('<geom type="plane"/>'), /:3: body "b" moves but has a plane/],
    [
      "a free joint below another body",
      body('<body><freejoint/><geom size="1"/></body>'),
      /has a free joint but is no child/,
    ],
    ["a name used twice", body('<body name="b"/>'), /:5: the body name "b" is used twice/],
    ["an unknown class", body('<geom class="leg" size="1"/>'), /:5: unknown default class "leg"/],
    [
      "a class defined twice",
      '<mujoco><default>\n<default class="a"/>\n<default class="a"/></default></mujoco>',
      /:3: default class "a" is defined twice/,
    ],
    [
      "a class within itself",
      '<mujoco><default><default class="a">\n<default class="a"/></default></default></mujoco>',
      /:2: default class "a" is defined twice/,
    ],
    [
      "an unknown joint",
      body("", '<actuator><motor joint="k"/></actuator>'),
      /:6: unknown joint "k"; did you mean "j"/,
    ],
    ["an unknown site", body("", '<sensor><gyro site="k"/></sensor>'), /:6: unknown site "k"/],
    [
      "an include",
      '<mujoco>\n<include file="other.xml"/></mujoco>',
      /:2: <include> is not supported/,
    ],
    ["another root", "<robot/>", /:1: an MJCF file starts with <mujoco>, not <robot>/],
    ["odd Euler angles", '<mujoco><compiler eulerseq="xyq"/></mujoco>', /eulerseq "xyq"/],
    [
      "a short keyframe",
      body("", '<keyframe><key qpos="1 2"/></keyframe>'),
      /:6: qpos of <key> wants 1 numbers/,
    ],
  ])("%s", (_, text, error) => {
    expect(() => parse(text)).toThrow(error);
  });

  test("everything at once, up to thirty", () => {
    const geoms = Array.from({ length: 40 }, () => '<geom size="1" colour="red"/>').join("\n");
    expect(() => parse(body(geoms))).toThrow(
      /robot\.xml cannot be used:\n.*:5:.*\n.*:6:[\s\S]*and 10 more$/,
    );
  });
});
