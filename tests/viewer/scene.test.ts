import { Box3, Matrix4, Quaternion, Vector3 } from "three";
import { describe, expect, test } from "vitest";
import { Envs } from "../../sim/env.ts";
import type { Geom, Shape } from "../../sim/model.ts";
import { loadPhysics } from "../../sim/rapier.ts";
import { createRng } from "../../sim/rng.ts";
import { createTask, tasks } from "../../tasks/index.ts";
import { writePoses } from "../../viewer/client/rollOut.ts";
import { type Bounds, bestPreset, boundsOf } from "../../viewer/client/scene/bounds.ts";
import { CameraRig } from "../../viewer/client/scene/cameraRig.ts";
import { composeMatrix } from "../../viewer/client/scene/compose.ts";
import { addExtents } from "../../viewer/client/scene/extents.ts";
import { RobotView } from "../../viewer/client/scene/robotView.ts";
import { drawingOf } from "../../viewer/client/scene/shapes.ts";

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
  });

  test.each(cases)("and its box when it is turned: %j", (shape) => {
    const { geometry, scale } = drawingOf(shape);
    const [link, local] = [unitQuaternion(), unitQuaternion()];
    const made = geometry()
      .scale(...scale)
      .applyQuaternion(local)
      .applyQuaternion(link);
    const size = new Box3().setFromBufferAttribute(made.getAttribute("position") as never);
    const low: [number, number, number] = [Infinity, Infinity, Infinity];
    const high: [number, number, number] = [-Infinity, -Infinity, -Infinity];
    addExtents(low, high, shape, [0, 0, 0], link.toArray(), local.toArray());
    for (const [i, axis] of (["x", "y", "z"] as const).entries()) {
      expect(low[i]! - size.min[axis]).toBeLessThan(1e-6); // what is drawn has flat facets inside
      expect(low[i]).toBeGreaterThan(size.min[axis] - 0.03);
      expect(high[i]).toBeGreaterThan(size.max[axis] - 1e-6);
      expect(high[i]).toBeLessThan(size.max[axis] + 0.03);
    }
  });
});

// Width over height: a desktop, a phone, a narrow column.
const aspects = [16 / 9, 390 / 388, 0.46];

test.each(Object.keys(tasks))(
  "the camera has all of %s in the picture, whatever it does",
  async (id) => {
    const task = await createTask(id);
    const envs = new Envs(await loadPhysics(), task, { seed: 5 });
    const world = envs.simulation.worlds[0]!;
    const poses = new Float32Array(7 * task.model.links.length);
    envs.reset();
    writePoses(world, poses, 0);
    const rigs = aspects.map((aspect) => {
      const rig = new CameraRig(null);
      rig.resize(1000 * aspect, 1000);
      rig.look(bestPreset(task.model), boundsOf(task.model, poses));
      return rig;
    });
    for (let step = 0; step < 100; step++) {
      envs.step(Float32Array.from({ length: task.action.size }, () => 2 * rng.uniform() - 1));
      writePoses(world, poses, 0);
      const bounds = boundsOf(task.model, poses);
      for (const rig of rigs) {
        rig.follow(bounds, task.controlDt);
        expect(largestInPicture(rig, bounds)).toBeLessThanOrEqual(1);
      }
    }
    envs.free();
  },
);

/** How far from the middle of the picture a corner of the box is at most; 1 is its edge. */
function largestInPicture({ camera }: CameraRig, { center, half }: Bounds): number {
  camera.updateMatrixWorld();
  const corners = Array.from({ length: 8 }, (_, k) => {
    const at = [0, 1, 2].map((i) => center[i]! + ((k >> i) % 2 === 0 ? half[i]! : -half[i]!));
    return new Vector3(...at).project(camera);
  });
  return Math.max(...corners.flatMap(({ x, y }) => [Math.abs(x), Math.abs(y)]));
}

test("the camera stays where somebody zoomed to, until it is told to look or follow again", () => {
  const rig = new CameraRig(null);
  rig.look("side", boundsOfSize(1));
  const first = rig.distance;
  rig.camera.position.sub(rig.target).multiplyScalar(0.5).add(rig.target);
  rig.follow(boundsOfSize(2), 1);
  expect(rig.distance).toBeCloseTo(first / 2, 9);
  rig.following = true;
  rig.follow(boundsOfSize(2), 1);
  expect(rig.distance).toBeGreaterThan(1.4 * first);
});

function boundsOfSize(half: number): Bounds {
  return { center: [0, 0, 0], half: [half, half, half], radius: half * Math.sqrt(3) };
}

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
