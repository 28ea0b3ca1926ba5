// Marks: targets and wanted directions, which the physics does not know.

import {
  ArrowHelper,
  Color,
  Group,
  Mesh,
  MeshStandardMaterial,
  SphereGeometry,
  Vector3,
} from "three";
import type { Mark } from "../../../sim/task.ts";

export class MarksView {
  readonly object = new Group();
  private readonly sphere = new SphereGeometry(1, 24, 16);
  private readonly material = new MeshStandardMaterial({ transparent: true, opacity: 0.7 });
  private readonly direction = new Vector3();

  setColor(color: number): void {
    this.material.color.set(color);
    this.material.emissive.set(color).multiplyScalar(0.25);
  }

  /** Draws these marks instead of the last ones. */
  set(marks: readonly Mark[]): void {
    const { children } = this.object;
    while (children.length > marks.length) this.object.remove(children.at(-1)!);
    for (const [i, mark] of marks.entries()) {
      if (children[i]?.name !== mark.type) this.replace(i, mark);
      this.place(children[i]!, mark);
    }
  }

  private replace(i: number, mark: Mark): void {
    const old = this.object.children[i];
    const made =
      mark.type === "sphere"
        ? new Mesh(this.sphere, this.material)
        : new ArrowHelper(undefined, undefined, 1, this.material.color);
    made.name = mark.type;
    if (made instanceof Mesh) made.castShadow = true;
    if (old) this.object.remove(old);
    this.object.add(made);
    this.object.children.splice(i, 0, this.object.children.pop()!);
  }

  private place(object: Group["children"][number], mark: Mark): void {
    object.position.set(...mark.position);
    if (mark.type === "sphere") object.scale.setScalar(mark.radius);
    else if (object instanceof ArrowHelper) {
      const length = this.direction.set(...mark.vector).length();
      object.visible = length > 1e-3;
      if (!object.visible) return;
      object.setDirection(this.direction.normalize());
      object.setLength(length, 0.25 * length, 0.09 * length);
      object.setColor(new Color(this.material.color));
    }
  }
}
