// CameraRig: a camera that orbits a point, jumps to presets and follows a robot without shaking.

import { PerspectiveCamera, Vector3 } from "three";
import { OrbitControls } from "three/addons/controls/OrbitControls.js";
import { type Bounds, type Preset, presetAngles } from "./bounds.ts";

const fieldOfView = 30; // degrees
const followTime = 0.25; // s to catch up with most of a step

export class CameraRig {
  readonly camera = new PerspectiveCamera(fieldOfView, 1, 0.01, 500);
  readonly controls: OrbitControls;
  following = true;
  private readonly focus = new Vector3();
  private readonly shift = new Vector3();

  constructor(canvas: HTMLElement) {
    this.camera.up.set(0, 0, 1);
    this.controls = new OrbitControls(this.camera, canvas);
    this.controls.maxPolarAngle = Math.PI / 2 - 0.02;
    this.controls.zoomToCursor = false;
  }

  /** What the camera looks at; a view. */
  get target(): Vector3 {
    return this.controls.target;
  }

  get distance(): number {
    return this.camera.position.distanceTo(this.controls.target);
  }

  resize(width: number, height: number): void {
    this.camera.aspect = width / height;
    this.camera.updateProjectionMatrix();
  }

  /** Looks at a robot from a named side, so that it fills about half of the picture. */
  look(preset: Preset, { center, radius }: Bounds): void {
    const [azimuth, elevation] = presetAngles[preset];
    const narrow = Math.min(1, this.camera.aspect);
    const distance = (1.25 * radius) / Math.sin((fieldOfView * Math.PI) / 360) / narrow;
    const flat = Math.cos(elevation);
    this.controls.target.set(...center);
    this.focus.set(...center);
    this.camera.position
      .set(flat * Math.cos(azimuth), flat * Math.sin(azimuth), Math.sin(elevation))
      .multiplyScalar(distance)
      .add(this.controls.target);
    this.camera.near = distance / 200;
    this.camera.far = distance * 60;
    this.camera.updateProjectionMatrix();
    this.controls.minDistance = radius / 2;
    this.controls.maxDistance = distance * 15;
    this.controls.update();
  }

  /** Goes further away by a factor. */
  back(factor: number): void {
    this.camera.position.sub(this.target).multiplyScalar(factor).add(this.target);
    this.controls.update();
  }

  /** Moves along with a point that `seconds` ago was elsewhere; a leap is followed at once. */
  follow(point: Vector3, seconds: number): void {
    if (this.following) {
      const leap = point.distanceTo(this.focus) > this.distance;
      const share = leap ? 1 : 1 - Math.exp(-seconds / followTime);
      this.shift.copy(point).sub(this.focus).multiplyScalar(share);
      this.focus.add(this.shift);
      this.controls.target.add(this.shift);
      this.camera.position.add(this.shift);
    }
    this.controls.update();
  }

  /** Takes up following from where the camera looks now. */
  restart(point: Vector3): void {
    this.focus.copy(point);
  }

  dispose(): void {
    this.controls.dispose();
  }
}
