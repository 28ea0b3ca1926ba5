// Theatre: what is seen of an episode: the robot, a ghost, marks and overlays, and pushing by mouse.

import { Plane, Raycaster, Vector2, Vector3 } from "three";
import type { RobotModel } from "../../../sim/model.ts";
import type { Mark } from "../../../sim/task.ts";
import type { Fan } from "../../trace.ts";
import { type Bounds, boundsOf, type Preset } from "../scene/bounds.ts";
import { Hall } from "../scene/hall.ts";
import { looks, type Theme } from "../scene/looks.ts";
import { MarksView } from "../scene/marks.ts";
import { Overlays } from "../scene/overlays.ts";
import type { RobotView } from "../scene/robotView.ts";
import { spread } from "./spread.ts";
import type { Timeline } from "./timeline.ts";

/** What may be shown beside the robot. */
export const toggleNames = [
  "contacts",
  "center of mass",
  "trail",
  "collision shapes",
  "shadows",
] as const;
export type Toggle = (typeof toggleNames)[number];

/** A pull on a link while the mouse holds it: from the link towards the mouse, in m. */
export interface Pull {
  readonly link: number;
  readonly vector: readonly [number, number, number];
}

const ghostTint = 0x8a93a0;

export class Theatre {
  readonly hall: Hall;
  readonly shown = new Set<Toggle>(["contacts", "shadows"]);
  /** Whether the mouse may take hold of the robot. */
  grabbable = false;
  private readonly canvas: HTMLCanvasElement;
  private readonly marks = new MarksView();
  private readonly overlays = new Overlays();
  private readonly raycaster = new Raycaster();
  private readonly mouse = new Vector2();
  private readonly dragPlane = new Plane();
  private readonly to = new Vector3();
  private robot: RobotView | null = null;
  private wires: RobotView | null = null;
  private ghost: RobotView | null = null;
  private model: RobotModel | null = null;
  private poses = new Float32Array(7);
  private ghostPoses = new Float32Array(7);
  private held: { readonly link: number; readonly from: Vector3 } | null = null;
  private largestForce = 1; // N
  private followedAt = 0; // in poses
  private marksNow: readonly Mark[] = [];
  private drawnEmpty = true; // the page is there before anything is worth drawing

  constructor(canvas: HTMLCanvasElement, theme: Theme) {
    this.canvas = canvas;
    this.hall = new Hall({ canvas, theme, pixelRatio: devicePixelRatio, optional: true });
    this.hall.stage.scene.add(this.marks.object, this.overlays.object);
    this.setTheme(theme);
    canvas.addEventListener("pointerdown", (event) => this.grab(event), { capture: true });
    canvas.addEventListener("pointermove", (event) => this.drag(event));
    for (const end of ["pointerup", "pointercancel"])
      canvas.addEventListener(end, () => this.release());
    new ResizeObserver(() => this.fit()).observe(canvas.parentElement!);
    this.hall.resize(16, 16); // enough to warm up
  }

  setTheme(theme: Theme): void {
    this.hall.setTheme(theme);
    this.marks.setColor(looks[theme].mark);
    this.overlays.setLook(looks[theme]);
  }

  /** Puts robots on the stage that begin with these poses, [robots, links, 7]. */
  open(
    model: RobotModel,
    poses: Float32Array,
    { numRobots = 1, marks = [] }: { numRobots?: number; marks?: readonly Mark[] } = {},
  ): void {
    this.close();
    this.model = model;
    this.poses = poses.slice();
    this.hall.furnish(model, poses, marks);
    if (numRobots > 1) this.hall.rig.retreat(Math.min(2.2, numRobots ** 0.3));
    this.robot = this.hall.add(model, { numRobots });
    this.wires = this.hall.add(model, { numRobots, collision: true, tint: 0x2ea36f });
    this.largestForce = 1;
    const side = Math.ceil(Math.sqrt(numRobots));
    const middle = Math.min(numRobots - 1, Math.floor((side - 1) / 2) * (side + 1));
    this.followedAt = middle * 7 * model.links.length;
    this.place(poses);
  }

  close(): void {
    for (const view of [this.robot, this.wires, this.ghost]) view?.dispose();
    this.robot = this.wires = this.ghost = this.model = null;
    this.marksNow = [];
    this.marks.set(this.marksNow);
    this.drawnEmpty = false;
    this.release();
  }

  look(preset: Preset): void {
    if (this.bounds) this.hall.look(preset, this.bounds);
  }

  /** Looks from a place relative to what is looked at. */
  lookFrom([x = 0, y = 0, z = 0]: readonly number[]): void {
    const { camera, target, controls } = this.hall.rig;
    camera.position.set(x, y, z).add(target);
    controls.update();
  }

  /** Camera − target, in m. */
  get viewpoint(): number[] {
    const { camera, target } = this.hall.rig;
    return camera.position.clone().sub(target).toArray();
  }

  /** Shows an episode at a time; `ghost` is drawn beside it at the same time. */
  show(timeline: Timeline, time: number, ghost: Timeline | null, seconds: number): void {
    const step = timeline.stepAt(time);
    timeline.posesAt(time, this.poses);
    this.place(this.poses);
    this.marksNow = timeline.marksAt(step);
    this.marks.set(this.marksNow);
    this.showOverlays(timeline, step);
    this.showGhost(ghost, time);
    this.draw(seconds);
  }

  /** Shows poses that come from a training, [robots, links, 7], each robot in a place of its own. */
  showPoses(poses: Float32Array, seconds: number): void {
    if (this.model) spread(this.model, poses, this.hall.radius);
    this.poses.set(poses);
    this.place(poses);
    this.overlays.object.visible = false;
    this.showGhost(null, 0);
    this.draw(seconds);
  }

  /** Which of a training's robots the camera follows. */
  get followed(): number {
    return this.followedAt / (7 * (this.model?.links.length ?? 1));
  }

  /** Follows the next of a training's robots, or the one before. */
  followNext(by: number): void {
    const width = 7 * (this.model?.links.length ?? 1);
    const { length } = this.poses;
    this.followedAt = (this.followedAt + by * width + length) % length;
  }

  /** Draws the hall without a robot; again only when something was drawn in between. */
  drawOnce(): void {
    if (!this.drawnEmpty) this.draw(0);
    this.drawnEmpty = true;
  }

  /** Why nothing is drawn here; null where it is. */
  get failure(): string | null {
    return this.hall.stage.failure;
  }

  /** What is shown, as a PNG file. */
  picture(): Promise<Blob> {
    if (this.failure !== null) throw new Error(`nothing can be drawn here: ${this.failure}`);
    this.draw(0); // what was drawn before is gone from the canvas
    return new Promise((resolve, reject) => {
      this.canvas.toBlob((blob) => (blob ? resolve(blob) : reject(new Error("no picture came"))));
    });
  }

  /** Makes the picture this large until `fit`, in pixels rounded down to even ones; returns the canvas. */
  fixSize(width = this.canvas.width, height = this.canvas.height): HTMLCanvasElement {
    if (this.failure !== null) throw new Error(`nothing can be drawn here: ${this.failure}`);
    const ratio = this.hall.stage.pixelRatio;
    const [across, down] = [width, height].map((pixels) => 2 * Math.floor(pixels / 2) + 1e-6);
    this.hall.resize(across! / ratio, down! / ratio);
    return this.canvas;
  }

  /** Makes the picture as large as the page has room for. */
  fit(): void {
    const { clientWidth, clientHeight } = this.canvas.parentElement!;
    this.hall.resize(Math.max(1, clientWidth), Math.max(1, clientHeight));
  }

  /** Draws a few pixels before anything is there to see, so that shaders are compiled by then. */
  warmUp(): void {
    this.hall.draw(0);
    this.fit();
  }

  private draw(seconds: number): void {
    this.drawnEmpty = false;
    this.hall.stage.shadows = this.shown.has("shadows");
    this.hall.draw(seconds, this.bounds);
  }

  /** Of the robot that the camera follows, as it stands now. */
  private get bounds(): Bounds | undefined {
    return this.model
      ? boundsOf(this.model, this.poses.subarray(this.followedAt), this.marksNow)
      : undefined;
  }

  /** What the mouse pulls now. */
  get pull(): Pull | null {
    if (!this.held) return null;
    const from = this.linkPosition(this.held.link);
    const [x, y, z] = this.to.clone().sub(from).toArray();
    return { link: this.held.link, vector: [x!, y!, z!] };
  }

  /** Ways that the robot might take from here, the chosen one last; null shows none. */
  setFan(fan: Fan | null): void {
    this.overlays.setFan(fan?.paths ?? []);
  }

  private place(poses: Float32Array): void {
    this.robot?.setPoses(poses);
    if (!this.wires) return;
    this.wires.object.visible = this.shown.has("collision shapes");
    if (this.wires.object.visible) this.wires.setPoses(poses);
  }

  private showOverlays(timeline: Timeline, step: number): void {
    const { overlays, shown } = this;
    const { radius } = this.hall;
    const { center } = timeline.layout;
    overlays.object.visible = true;
    overlays.contacts.visible = shown.has("contacts");
    const contacts = timeline.contactsAt(step);
    for (let at = 6; at < contacts.length; at += 8)
      this.largestForce = Math.max(this.largestForce, contacts[at]!);
    overlays.setContacts(contacts, (0.8 * radius) / this.largestForce, radius);
    const row = timeline.row(step);
    overlays.center.visible = shown.has("center of mass");
    overlays.setCenter(row[center]!, row[center + 1]!, row[center + 2]!, radius);
    overlays.trail.visible = shown.has("trail");
    if (overlays.trail.visible) overlays.setTrail(timeline.trail(step));
    overlays.setPull(this.held ? this.linkPosition(this.held.link) : null, this.held && this.to);
  }

  private showGhost(timeline: Timeline | null, time: number): void {
    if (!timeline || timeline.count === 0 || !this.model) {
      this.ghost?.dispose();
      this.ghost = null;
      return;
    }
    const size = timeline.layout.links.length * 7;
    if (size !== this.model.links.length * 7) return; // another robot
    if (this.ghostPoses.length !== size) this.ghostPoses = new Float32Array(size);
    this.ghost ??= this.hall.add(this.model, { opacity: 0.38, tint: ghostTint });
    timeline.posesAt(time, this.ghostPoses);
    this.ghost.setPoses(this.ghostPoses);
  }

  private linkPosition(link: number): Vector3 {
    return new Vector3(this.poses[7 * link]!, this.poses[7 * link + 1]!, this.poses[7 * link + 2]!);
  }

  private aim(event: PointerEvent): void {
    const box = this.canvas.getBoundingClientRect();
    const x = (event.clientX - box.left) / box.width;
    const y = (event.clientY - box.top) / box.height;
    this.raycaster.setFromCamera(this.mouse.set(2 * x - 1, 1 - 2 * y), this.hall.rig.camera);
  }

  private grab(event: PointerEvent): void {
    if (!this.grabbable || event.button !== 0 || !this.robot) return;
    this.aim(event);
    for (const mesh of this.robot.object.children) {
      // Bounds of instances are kept; they moved since.
      (mesh as { boundingSphere?: unknown }).boundingSphere = null;
    }
    const [hit] = this.raycaster.intersectObject(this.robot.object, true);
    const link = hit && this.robot.linkAt(hit.object, hit.instanceId ?? 0);
    if (!hit || link === undefined) return;
    this.held = { link, from: hit.point };
    this.to.copy(hit.point);
    const towards = this.hall.rig.camera.getWorldDirection(new Vector3());
    this.dragPlane.setFromNormalAndCoplanarPoint(towards, hit.point);
    this.hall.rig.controls.enabled = false;
    this.canvas.setPointerCapture(event.pointerId);
  }

  private drag(event: PointerEvent): void {
    if (!this.held) return;
    this.aim(event);
    this.raycaster.ray.intersectPlane(this.dragPlane, this.to);
  }

  private release(): void {
    this.held = null;
    this.overlays.setPull(null, null);
    this.hall.rig.controls.enabled = true;
  }
}
