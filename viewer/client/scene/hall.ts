// Hall: one robot's scene ready to draw: stage, ground, scenery, the robot itself and the camera.

import { Group } from "three";
import type { Geom, RobotModel } from "../../../sim/model.ts";
import type { Mark } from "../../../sim/task.ts";
import { type Bounds, bestPreset, boundsOf, type Preset } from "./bounds.ts";
import { CameraRig } from "./cameraRig.ts";
import { Ground } from "./ground.ts";
import { looks, type Theme } from "./looks.ts";
import { RobotView, type RobotViewOptions } from "./robotView.ts";
import { drawingOf } from "./shapes.ts";
import { Stage, type StageOptions } from "./stage.ts";

const still = new Float32Array([0, 0, 0, 0, 0, 0, 1]); // the world's own pose

/** As small as nothing: drawn before any robot is there, so that shaders are compiled by then. */
const unseen: RobotModel = {
  name: "unseen",
  links: [
    {
      name: "point",
      parent: null,
      position: [0, 0, 0],
      rotation: [0, 0, 0, 1],
      joints: [],
      geoms: [
        { shape: { type: "sphere", radius: 1 }, position: [0, 0, 0], rotation: [0, 0, 0, 1] },
      ],
    },
  ],
  actuators: [],
};

export class Hall {
  readonly stage: Stage;
  readonly rig: CameraRig;
  readonly robots = new Group();
  theme: Theme;
  private readonly ground: Ground;
  private scenery: RobotView | null = null;
  private bounds: Bounds = { center: [0, 0, 0.5], half: [1, 1, 1], radius: 1 };

  constructor(options: StageOptions) {
    this.theme = options.theme;
    this.stage = new Stage(options);
    this.rig = new CameraRig(options.canvas);
    this.ground = new Ground(looks[this.theme]);
    this.stage.scene.add(this.robots, this.ground.mesh);
    this.furnish(unseen, still);
    this.robots.add(new RobotView(unseen).object); // for good: its shaders are every robot's
  }

  /** Furnishes the hall for a robot that begins with these link poses, and looks at it. */
  furnish(
    model: RobotModel,
    poses: ArrayLike<number>,
    marks: readonly Mark[] = [],
    preset = bestPreset(model),
  ): void {
    this.clear();
    this.bounds = boundsOf(model, poses);
    const terrain = (model.scenery ?? []).find(({ shape }) => shape.type === "heightfield");
    this.ground.lay(this.bounds.radius, terrain && drawingOf(terrain.shape).geometry());
    this.scenery = sceneryView(model);
    if (this.scenery) this.stage.scene.add(this.scenery.object);
    this.rig.look(preset, boundsOf(model, poses, marks));
  }

  /** Looks from a named side at a robot that has these bounds now. */
  look(preset: Preset, bounds: Bounds): void {
    this.rig.look(preset, bounds);
  }

  /** Size of the robot that the hall was furnished for, in m. */
  get radius(): number {
    return this.bounds.radius;
  }

  add(model: RobotModel, options: RobotViewOptions = {}): RobotView {
    const view = new RobotView(model, options);
    this.robots.add(view.object);
    return view;
  }

  setTheme(theme: Theme): void {
    this.theme = theme;
    this.stage.setLook(looks[theme]);
    this.ground.setLook(looks[theme]);
  }

  resize(width: number, height: number): void {
    this.stage.resize(width, height);
    this.rig.resize(width, height);
  }

  /** Draws a frame `seconds` after the last, following the robot with these bounds. */
  draw(seconds: number, bounds: Bounds = this.bounds): void {
    const { rig, stage, ground } = this;
    rig.follow(bounds, seconds);
    ground.follow(rig.target.x, rig.target.y, Math.max(8 * this.radius, 3.5 * rig.distance));
    stage.draw(rig.camera, rig.target, Math.max(2.5 * this.radius, 0.8 * rig.distance));
  }

  clear(): void {
    this.scenery?.dispose();
    this.scenery = null;
  }
}

/** What stands still beside the floor: walls, rails, stands. */
function sceneryView(model: RobotModel): RobotView | null {
  const geoms = (model.scenery ?? []).filter((geom) => !isGround(geom));
  if (geoms.length === 0) return null;
  const link = {
    name: "world",
    parent: null,
    position: [0, 0, 0],
    rotation: [0, 0, 0, 1],
    joints: [],
    geoms,
  } as const;
  const view = new RobotView({ name: "scenery", links: [link], actuators: [] });
  view.setPoses(still);
  return view;
}

function isGround({ shape, position, rotation: [x, y] }: Geom): boolean {
  if (shape.type === "heightfield") return true;
  return shape.type === "plane" && Math.abs(position[2]) < 1e-6 && Math.hypot(x, y) < 1e-6;
}
