// Overlays: contact forces, the centre of mass, a trail of where it was, and the line of a push.

import {
  BufferAttribute,
  BufferGeometry,
  ConeGeometry,
  CylinderGeometry,
  DynamicDrawUsage,
  Group,
  InstancedMesh,
  Line,
  LineBasicMaterial,
  Matrix4,
  Mesh,
  MeshBasicMaterial,
  Quaternion,
  SphereGeometry,
  Vector3,
} from "three";
import { contactWidth } from "../../trace.ts";
import type { Look } from "./looks.ts";

const mostContacts = 64;
const mostTrail = 2000; // points
const fanColors = { before: 0xff9a3c, chosen: 0xe8432e } as const; // as a pull is orange
const up = new Vector3(0, 0, 1);

export class Overlays {
  readonly object = new Group();
  readonly contacts = new Group();
  readonly center: Mesh;
  readonly trail: Line;
  readonly pull: Line;
  readonly fan = new Group();
  private readonly shafts: InstancedMesh;
  private readonly heads: InstancedMesh;
  private readonly red = new MeshBasicMaterial();
  private readonly blue = new LineBasicMaterial({ transparent: true, opacity: 0.9 });
  private readonly matrix = new Matrix4();
  private readonly turn = new Quaternion();
  private readonly at = new Vector3();
  private readonly axis = new Vector3();
  private readonly size = new Vector3();

  constructor() {
    this.shafts = instances(new CylinderGeometry(1, 1, 1, 8).translate(0, 0.5, 0), this.red);
    this.heads = instances(new ConeGeometry(1, 1, 12).translate(0, -0.5, 0), this.red);
    this.contacts.add(this.shafts, this.heads);
    this.center = new Mesh(new SphereGeometry(1, 16, 12), this.red);
    this.trail = new Line(pointsOf(mostTrail), this.blue);
    this.pull = new Line(pointsOf(2), new LineBasicMaterial({ color: 0xff9a3c }));
    this.trail.frustumCulled = this.pull.frustumCulled = false;
    this.pull.visible = this.center.visible = this.trail.visible = false;
    // Drawn over the robot: a centre of mass lies inside it.
    this.red.depthTest = false;
    this.center.renderOrder = this.shafts.renderOrder = this.heads.renderOrder = 5;
    this.object.add(this.contacts, this.center, this.trail, this.pull, this.fan);
  }

  setLook({ contact, trail }: Look): void {
    this.red.color.set(contact);
    this.blue.color.set(trail);
  }

  /** Arrows as long as `perNewton` m/N says, of a robot of this size in m. */
  setContacts(contacts: Float32Array, perNewton: number, radius: number): void {
    const count = Math.min(mostContacts, contacts.length / contactWidth);
    this.shafts.count = this.heads.count = count;
    const thick = 0.008 * radius;
    for (let i = 0; i < count; i++) {
      const c = i * contactWidth;
      const force = contacts[c + 6]!;
      const length = Math.min(1.2 * radius, force * perNewton);
      this.at.set(contacts[c]!, contacts[c + 1]!, contacts[c + 2]!);
      this.axis.set(contacts[c + 3]!, contacts[c + 4]!, contacts[c + 5]!);
      this.turn.setFromUnitVectors(cylinderAxis, this.axis);
      this.matrix.compose(this.at, this.turn, this.size.set(thick, length, thick));
      this.shafts.setMatrixAt(i, this.matrix);
      this.at.addScaledVector(this.axis, length + 4 * thick);
      this.matrix.compose(this.at, this.turn, this.size.set(2.5 * thick, 6 * thick, 2.5 * thick));
      this.heads.setMatrixAt(i, this.matrix);
    }
    this.shafts.instanceMatrix.needsUpdate = this.heads.instanceMatrix.needsUpdate = true;
  }

  setCenter(x: number, y: number, z: number, radius: number): void {
    this.center.position.set(x, y, z);
    this.center.scale.setScalar(0.03 * radius);
  }

  /** Points x, y, z of where the robot was; the newest are kept. */
  setTrail(points: Float32Array): void {
    const shown = points.subarray(Math.max(0, points.length - 3 * mostTrail));
    fill(this.trail, shown);
  }

  /** Several ways as lines, from faint to strong: the last is the one that is chosen. */
  setFan(paths: readonly Float32Array[]): void {
    for (const line of this.fan.children as Line[]) {
      line.geometry.dispose();
      (line.material as LineBasicMaterial).dispose();
    }
    this.fan.clear();
    for (const [i, path] of paths.entries()) {
      const share = (i + 1) / paths.length;
      const chosen = i === paths.length - 1;
      const material = new LineBasicMaterial({
        color: chosen ? fanColors.chosen : fanColors.before,
        transparent: true,
        opacity: 0.25 + 0.75 * share,
        depthTest: false,
      });
      const line = new Line(pointsOf(path.length / 3), material);
      fill(line, path);
      line.frustumCulled = false;
      line.renderOrder = 6;
      this.fan.add(line);
    }
  }

  setPull(from: Vector3 | null, to: Vector3 | null): void {
    this.pull.visible = from !== null && to !== null;
    if (from && to) fill(this.pull, Float32Array.from([...from.toArray(), ...to.toArray()]));
  }
}

const cylinderAxis = up.clone().set(0, 1, 0);

function instances(geometry: BufferGeometry, material: MeshBasicMaterial): InstancedMesh {
  const mesh = new InstancedMesh(geometry, material, mostContacts);
  mesh.count = 0;
  mesh.frustumCulled = false;
  return mesh;
}

function pointsOf(count: number): BufferGeometry {
  const attribute = new BufferAttribute(new Float32Array(3 * count), 3);
  attribute.setUsage(DynamicDrawUsage);
  return new BufferGeometry().setAttribute("position", attribute);
}

function fill(line: Line, points: Float32Array): void {
  const attribute = line.geometry.getAttribute("position") as BufferAttribute;
  (attribute.array as Float32Array).set(points);
  attribute.needsUpdate = true;
  line.geometry.setDrawRange(0, points.length / 3);
}
