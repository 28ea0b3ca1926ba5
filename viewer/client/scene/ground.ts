// Ground: a checker with lines that fades with distance, so that motion over it can be read.

import {
  type BufferGeometry,
  Color,
  Mesh,
  MeshStandardMaterial,
  PlaneGeometry,
  Vector2,
} from "three";
import type { Look } from "./looks.ts";

/** Length of a square's side in m that suits a robot of this size. */
export function cellFor(span: number): number {
  return span > 0.35 ? 1 : 0.1;
}

interface Uniforms {
  readonly even: { value: Color };
  readonly odd: { value: Color };
  readonly line: { value: Color };
  readonly cell: { value: number };
  readonly center: { value: Vector2 };
  readonly fade: { value: number };
}

export class Ground {
  readonly mesh: Mesh<BufferGeometry, MeshStandardMaterial>;
  private readonly uniforms: Uniforms;
  private endless = true;

  constructor(look: Look) {
    this.uniforms = {
      even: { value: new Color(look.ground) },
      odd: { value: new Color(look.groundOdd) },
      line: { value: new Color(look.line) },
      cell: { value: 1 },
      center: { value: new Vector2() },
      fade: { value: 20 },
    };
    const material = new MeshStandardMaterial({ roughness: 0.95, transparent: true });
    material.onBeforeCompile = (shader) => {
      for (const [name, uniform] of Object.entries(this.uniforms)) shader.uniforms[name] = uniform;
      shader.vertexShader = shader.vertexShader
        .replace("#include <common>", "#include <common>\nvarying vec2 vGround;")
        .replace(
          "#include <project_vertex>",
          "#include <project_vertex>\nvGround = (modelMatrix * vec4(transformed, 1.0)).xy;",
        );
      shader.fragmentShader = shader.fragmentShader
        .replace("#include <common>", `#include <common>\n${declarations}`)
        .replace("#include <color_fragment>", `#include <color_fragment>\n${painting}`);
    };
    this.mesh = new Mesh<BufferGeometry, MeshStandardMaterial>(new PlaneGeometry(1, 1), material);
    this.mesh.receiveShadow = true;
    this.mesh.renderOrder = -1;
  }

  /** Suits a robot of this size in m; `terrain` replaces the endless plane. The shaders stay. */
  lay(span: number, terrain?: BufferGeometry): void {
    this.endless = terrain === undefined;
    this.uniforms.cell.value = cellFor(span);
    this.mesh.geometry.dispose();
    this.mesh.geometry = terrain ?? new PlaneGeometry(1, 1);
    this.mesh.position.set(0, 0, 0);
    this.mesh.scale.set(1, 1, 1);
  }

  /** Keeps the ground about the point that the camera looks at, fading out at `distance` m from it. */
  follow(x: number, y: number, distance: number): void {
    this.uniforms.center.value.set(x, y);
    this.uniforms.fade.value = distance;
    if (!this.endless) return;
    this.mesh.position.set(x, y, 0);
    this.mesh.scale.set(2 * distance, 2 * distance, 1);
  }

  setLook(look: Look): void {
    this.uniforms.even.value.set(look.ground);
    this.uniforms.odd.value.set(look.groundOdd);
    this.uniforms.line.value.set(look.line);
  }
}

const declarations = `
varying vec2 vGround;
uniform vec3 even, odd, line;
uniform float cell, fade;
uniform vec2 center;

// How much of a pixel's footprint lies on odd squares: the checker filtered by a box, after Quilez.
float oddShare(vec2 p) {
  vec2 w = max(abs(dFdx(p)), abs(dFdy(p))) + 0.001;
  vec2 i = 2.0 * (abs(fract((p - 0.5 * w) * 0.5) - 0.5) - abs(fract((p + 0.5 * w) * 0.5) - 0.5)) / w;
  return 0.5 - 0.5 * i.x * i.y;
}

// How much of a pixel lies on lines that are a whole number apart, in squares.
float lineShare(vec2 p, float width) {
  vec2 w = fwidth(p);
  vec2 wide = max(vec2(width), w);
  vec2 d = abs(fract(p - 0.5) - 0.5);
  vec2 on = smoothstep(wide + w, wide - w, d) * width / wide;
  return max(on.x, on.y);
}
`;

const painting = `
vec2 squares = vGround / cell;
vec3 paint = mix(even, odd, oddShare(squares));
paint = mix(paint, line, 0.8 * lineShare(squares / 5.0, 0.004));
diffuseColor.rgb = paint;
float far = distance(vGround, center) / fade;
diffuseColor.a *= 1.0 - smoothstep(0.25, 1.0, far);
`;
