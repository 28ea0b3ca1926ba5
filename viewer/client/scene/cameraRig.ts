// CameraRig: a camera that orbits a point, jumps to presets, and follows a robot so that all of it is seen.

import { PerspectiveCamera, Vector3 } from "three";
import { OrbitControls } from "three/addons/controls/OrbitControls.js";
import { type Bounds, type Preset, presetAngles } from "./bounds.ts";

const fieldOfView = 30; // degrees
const followTime = 0.25; // s to catch up with most of a step
const roomAtFirst = 1.45; // picture's size over the robot's
const roomWished = 1.15;
const roomAtLeast = 1.04;

export class CameraRig {
  readonly camera = new PerspectiveCamera(fieldOfView, 1, 0.01, 500);
  readonly controls: OrbitControls;
  private isFollowing = true;
  private readonly focus = new Vector3();
  private readonly shift = new Vector3();
  private readonly center = new Vector3();
  private readonly right = new Vector3();
  private readonly up = new Vector3();
  private readonly back = new Vector3();
  private distanceKept = 0; // what the camera was left at; another is somebody's wish
  private zoomed = false;

  /** Listens to the mouse and fingers on `canvas`. */
  constructor(canvas: HTMLElement | null) {
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

  /** Whether the camera moves along, and away where the robot would not fit: until somebody zooms. */
  get following(): boolean {
    return this.isFollowing;
  }

  set following(on: boolean) {
    this.isFollowing = on;
    this.zoomed = false;
    this.distanceKept = this.distance;
    this.focus.copy(this.target);
  }

  resize(width: number, height: number): void {
    this.camera.aspect = width / height;
    this.camera.updateProjectionMatrix();
  }

  /** Looks at a robot from a named side, with some room about it. */
  look(preset: Preset, bounds: Bounds): void {
    const [azimuth, elevation] = presetAngles[preset];
    const flat = Math.cos(elevation);
    this.controls.target.set(...bounds.center);
    this.focus.set(...bounds.center);
    this.camera.position
      .set(flat * Math.cos(azimuth), flat * Math.sin(azimuth), Math.sin(elevation))
      .add(this.controls.target);
    this.camera.lookAt(this.controls.target);
    this.setDistance(this.distanceFor(bounds, roomAtFirst));
    this.camera.near = this.distanceKept / 200;
    this.camera.far = this.distanceKept * 60;
    this.camera.updateProjectionMatrix();
    this.controls.minDistance = bounds.radius / 2;
    this.controls.maxDistance = this.distanceKept * 15;
    this.zoomed = false;
    this.controls.update();
  }

  /** Goes further away by a factor. */
  retreat(factor: number): void {
    this.setDistance(this.distance * factor);
    this.controls.update();
  }

  /** Moves along with a robot that `seconds` ago was elsewhere; a leap is followed at once. */
  follow(bounds: Bounds, seconds: number): void {
    if (this.isFollowing) {
      this.center.set(...bounds.center);
      const leap = this.center.distanceTo(this.focus) > this.distance;
      const share = leap ? 1 : 1 - Math.exp(-seconds / followTime);
      this.shift.copy(this.center).sub(this.focus).multiplyScalar(share);
      this.focus.add(this.shift);
      this.controls.target.add(this.shift);
      this.camera.position.add(this.shift);
      this.makeRoom(bounds, share);
    }
    this.controls.update();
  }

  dispose(): void {
    this.controls.dispose();
  }

  private makeRoom(bounds: Bounds, share: number): void {
    const { distance } = this;
    if (Math.abs(distance - this.distanceKept) > 1e-4 * distance) this.zoomed = true;
    if (this.zoomed) return;
    const wished = distance + share * (this.distanceFor(bounds, roomWished) - distance);
    const wanted = Math.max(distance, wished, this.distanceFor(bounds, roomAtLeast));
    if (wanted > distance) this.setDistance(wanted);
  }

  /** How far the camera must be from its target so that the box fits, `room` times as large, into the picture. */
  private distanceFor({ center, half }: Bounds, room: number): number {
    this.camera.updateMatrixWorld();
    this.camera.matrixWorld.extractBasis(this.right, this.up, this.back);
    const tall = Math.tan((fieldOfView * Math.PI) / 360) / room;
    const wide = tall * this.camera.aspect;
    let distance = 0;
    for (let corner = 0; corner < 8; corner++) {
      this.shift
        .set(
          center[0] + (corner & 1 ? half[0] : -half[0]),
          center[1] + (corner & 2 ? half[1] : -half[1]),
          center[2] + (corner & 4 ? half[2] : -half[2]),
        )
        .sub(this.target);
      const across = Math.abs(this.shift.dot(this.right)) / wide;
      const upwards = Math.abs(this.shift.dot(this.up)) / tall;
      distance = Math.max(distance, this.shift.dot(this.back) + Math.max(across, upwards));
    }
    return distance;
  }

  private setDistance(distance: number): void {
    this.shift.copy(this.camera.position).sub(this.target).setLength(distance);
    this.camera.position.copy(this.target).add(this.shift);
    this.distanceKept = this.distance;
  }
}
