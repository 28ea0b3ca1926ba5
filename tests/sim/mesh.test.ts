import { expect, test } from "vitest";
import { linkMass } from "../../sim/inertia.ts";
import { hullOfMesh, massOfMesh, readMesh } from "../../sim/mesh.ts";
import { parseMjcf } from "../../sim/mjcf.ts";
import { parseUrdf } from "../../sim/urdf.ts";

const bytes = (text: string) => new TextEncoder().encode(text);
const corners = [0, 1, 2, 3, 4, 5, 6, 7].map((i) => [i & 1, (i >> 1) & 1, i >> 2]);
const inside = [0.4, 0.5, 0.6];
const cubeObj = bytes([...corners, inside].map((p) => `v ${p.join(" ")}`).join("\n"));

/** Triangles of three corners each, as binary STL. */
function binaryStl(points: readonly (readonly number[])[]): Uint8Array {
  const view = new DataView(new ArrayBuffer(84 + 50 * (points.length / 3)));
  view.setUint32(80, points.length / 3, true);
  for (const [i, point] of points.entries()) {
    const at = 84 + 50 * Math.floor(i / 3) + 12 + 12 * (i % 3);
    for (let k = 0; k < 3; k++) view.setFloat32(at + 4 * k, point[k]!, true);
  }
  return new Uint8Array(view.buffer);
}

function sorted(points: readonly number[]): string[] {
  return Array.from({ length: points.length / 3 }, (_, i) =>
    points.slice(3 * i, 3 * i + 3).join(" "),
  ).sort();
}

const nine = [...corners, inside];
const asciiStl = `solid cube\n${nine.map((p) => `vertex ${p.join(" ")}`).join("\n")}\nendsolid`;

test.each([
  ["OBJ", "cube.obj", cubeObj],
  ["binary STL", "cube.STL", binaryStl(nine)],
  ["STL in words", "cube.stl", bytes(asciiStl)],
])("a cube in %s keeps its corners alone, each once", (_, name, file) => {
  const wanted = corners.map(([x, y, z]) => `${2 * x!} ${y} ${-z!}`.replace("-0", "0"));
  const points = hullOfMesh(file, name, [2, 1, -1]).map((value) => value + 0);
  expect(sorted(points)).toEqual(wanted.sort());
});

test.each([
  ["another format", "a.dae", bytes("<COLLADA/>"), /mesh "a\.dae" is no STL or OBJ file/],
  ["a cut file", "a.stl", binaryStl(nine).subarray(0, 150), /mesh "a\.stl" is cut or no STL/],
  ["too few points", "a.obj", bytes("v 0 0 0"), /fewer than four vertices/],
  ["NaN", "a.obj", bytes("v 0 0 0\nv 1 0 0\nv 0 1 0\nv 0 0 x"), /has a vertex at NaN/],
])("%s is refused", (_, name, file, message) => {
  expect(() => hullOfMesh(file, name, [1, 1, 1])).toThrow(message);
});

const readBytes = (name: string) => (name === "meshes/cube.obj" ? cubeObj : undefined);
const body = (mesh: string) => `<mujoco><compiler meshdir="meshes/"/>
<default><mesh scale="2 2 2"/></default><asset><mesh file="${mesh}"/></asset>
<worldbody><body><inertial pos="0 0 0" mass="1" diaginertia="1 1 1"/>
<geom type="mesh" mesh="cube"/></body></worldbody></mujoco>`;

test("MJCF meshes that collide are hulls, scaled by their defaults; others are named", () => {
  const options = { file: "r.xml", readBytes };
  const { shape } = parseMjcf(body("cube.obj"), options).model.links[0]!.geoms[0]!;
  expect(shape.type === "convex" && Math.max(...shape.points)).toBe(2);
  expect(() => parseMjcf(body("cube.stl"), options)).toThrow(
    'r.xml:2: there is no file "meshes/cube.stl"',
  );
  expect(() => parseMjcf(body("ball.obj"), options)).toThrow('r.xml:4: unknown mesh "cube"');
});

test("URDF meshes that collide are hulls", () => {
  const robot = (file: string) => `<robot><link name="a">
<collision><geometry><mesh filename="${file}" scale="1 1 3"/></geometry></collision></link></robot>`;
  const options = { file: "r.urdf", readBytes };
  const { shape } = parseUrdf(robot("meshes/cube.obj"), options).model.links[0]!.geoms[0]!;
  expect(shape.type === "convex" && Math.max(...shape.points)).toBe(3);
  expect(() => parseUrdf(robot("x.stl"), options)).toThrow('r.urdf:2: there is no file "x.stl"');
});

/** A box of 1 × 2 × 3 with a corner at the origin, in quads that face outwards. */
const boxObj = bytes(`${corners.map(([x, y, z]) => `v ${x} ${2 * y!} ${3 * z!}`).join("\n")}
f 1 3 4 2
f 5/1 6/1 8/1 7/1
f 1 2 6 5
f -6 -2 -1 -5
f 1 5 7 3
f 2 4 8 6
`);

test.each([[[1, 1, 1] as const], [[1, -1, 1] as const]])(
  "a closed mesh, scaled by %s, weighs what its solid does",
  ([a, b, c]) => {
    const { mass, position, inertia } = massOfMesh(readMesh(boxObj, "box.obj", [a, b, c]), 2);
    expect(mass).toBeCloseTo(12, 12);
    for (const [i, wanted] of [0.5, b, 1.5].entries()) expect(position[i]).toBeCloseTo(wanted, 12);
    for (const [i, wanted] of [13, 10, 5, 0, 0, 0].entries())
      expect(inertia[i]).toBeCloseTo(wanted, 9);
  },
);

test("a mesh gives its body mass where the file states no inertia", () => {
  const readBox = (name: string) => (name === "box.obj" ? boxObj : undefined);
  const { model } = parseMjcf(
    `<mujoco><asset><mesh file="box.obj"/></asset><worldbody><body>
      <geom type="mesh" mesh="box" contype="0" conaffinity="0" density="100" pos="1 0 0"/></body></worldbody></mujoco>`,
    { file: "r.xml", readBytes: readBox },
  );
  const { mass, position } = linkMass(model.links[0]!);
  expect(mass).toBeCloseTo(600, 9);
  expect(position[0]).toBeCloseTo(1.5, 12);
  expect(() => massOfMesh({ vertices: [0, 0, 0], corners: [] }, 1)).toThrow(/encloses no volume/);
});
