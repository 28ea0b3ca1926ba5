import { Box3, Matrix4, Quaternion, Vector3 } from "three";
import { describe, expect, test } from "vitest";
import type { Geom, Shape } from "../../sim/model.ts";
import { createRng } from "../../sim/rng.ts";
import { createTask } from "../../tasks/index.ts";
import { bestPreset, boundsOf } from "../../viewer/client/scene/bounds.ts";
import { composeMatrix } from "../../viewer/client/scene/compose.ts";
import { RobotView } from "../../viewer/client/scene/robotView.ts";
import { drawingOf, reachOf } from "../../viewer/client/scene/shapes.ts";

const rng = createRng(3);
const unitQuaternion = (): Quaternion =>
  new Quaternion(rng.normal(), rng.normal(), rng.normal(), rng.normal()).normalize();

test("places a geom on its link as three.js' own matrices do", () => {
  for (let i = 0; i < 100; i++) {
    const [link, local] = [unitQuaternion(), unitQuaternion()];
    const [at, offset] = [0, 1].map(() => new Vector3(rng.normal(), rng.normal(), rng.normal()));
    const scale = new Vector3(1, 2, 3);
    const wanted = new Matrix4()
      .compose(at!, link, new Vector3(1, 1, 1))
      .multiply(new Matrix4().compose(offset!, local, scale));
    const geom: Geom = {
      shape: { type: "sphere", radius: 1 },
      position: [offset!.x, offset!.y, offset!.z],
      rotation: [local.x, local.y, local.z, local.w],
    };
    const got = new Float32Array(16);
    composeMatrix(got, 0, [...at!.toArray(), ...link.toArray()], 0, geom, [1, 2, 3]);
    for (const [j, value] of wanted.elements.entries()) expect(got[j]).toBeCloseTo(value, 5);
  }
});

describe("a drawn shape is as large as the physics' one", () => {
  const cases: [Shape, [number, number, number]][] = [
    [{ type: "sphere", radius: 0.3 }, [0.3, 0.3, 0.3]],
    [{ type: "ellipsoid", radii: [0.1, 0.2, 0.3] }, [0.1, 0.2, 0.3]],
    [{ type: "box", halfExtents: [0.1, 0.2, 0.3] }, [0.1, 0.2, 0.3]],
    [{ type: "capsule", radius: 0.1, halfLength: 0.4 }, [0.1, 0.1, 0.5]],
    [{ type: "cylinder", radius: 0.1, halfLength: 0.4 }, [0.1, 0.1, 0.4]],
    [
      { type: "convex", points: [1, 0, 0, -1, 0, 0, 0, 2, 0, 0, -2, 0, 0, 0, 3, 0, 0, -3] },
      [1, 2, 3],
    ],
  ];
  test.each(cases)("%j", (shape, half) => {
    const { geometry, scale } = drawingOf(shape);
    const made = geometry().scale(...scale);
    const size = new Box3().setFromBufferAttribute(made.getAttribute("position") as never);
    for (const [i, axis] of (["x", "y", "z"] as const).entries()) {
      expect(size.max[axis]).toBeCloseTo(half[i]!, 2);
      expect(size.min[axis]).toBeCloseTo(-half[i]!, 2);
    }
    expect(reachOf(shape)).toBeGreaterThanOrEqual(Math.max(...half) - 1e-9);
  });
});

test("a heightfield's rows run along y and its columns along x", () => {
  const heights = [0, 1, 2, 10, 11, 12]; // rows 0 and 1
  const shape: Shape = { type: "heightfield", rows: 2, columns: 3, heights, size: [4, 6] };
  const position = drawingOf(shape).geometry().getAttribute("position");
  const corners = Array.from({ length: 6 }, (_, i) => {
    return [position.getX(i), position.getY(i), position.getZ(i)].join();
  });
  expect(new Set(corners)).toEqual(
    new Set(["-2,-3,0", "0,-3,1", "2,-3,2", "-2,3,10", "0,3,11", "2,3,12"]),
  );
});

test("draws 1,024 robots with a call for each kind of shape", async () => {
  const { model } = await createTask("quadruped");
  const view = new RobotView(model, { numRobots: 1024 });
  view.setPoses(new Float32Array(1024 * model.links.length * 7));
  expect(view.object.children.length).toBeLessThan(10);
});

test("looks at planar robots from the side, at arms on a table from above", async () => {
  const presets: [string, string][] = [];
  for (const name of ["hopper", "cartpole", "reacher", "ant"])
    presets.push([name, bestPreset((await createTask(name)).model)]);
  expect(presets).toEqual([
    ["hopper", "side"],
    ["cartpole", "side"],
    ["reacher", "top"],
    ["ant", "corner"],
  ]);
});

test("knows how much room a robot takes", () => {
  const geom: Geom = {
    shape: { type: "sphere", radius: 0.5 },
    position: [1, 0, 0],
    rotation: [0, 0, 0, 1],
  };
  const link = {
    name: "a",
    parent: null,
    position: [0, 0, 0],
    rotation: [0, 0, 0, 1],
    joints: [],
    geoms: [geom],
  } as const;
  const turned = [0, 0, 2, 0, 0, Math.SQRT1_2, Math.SQRT1_2]; // 90° about z, 2 m up
  const { center, radius } = boundsOf({ name: "ball", links: [link], actuators: [] }, turned);
  for (const [i, value] of [0, 1, 2].entries()) expect(center[i]).toBeCloseTo(value, 6);
  expect(radius).toBeCloseTo(0.5 * Math.sqrt(3), 6);
});
