// Stage: the empty hall: renderer, sky, lights with soft shadows, and what is drawn in it.

import {
  BackSide,
  Color,
  DirectionalLight,
  HemisphereLight,
  Mesh,
  PCFShadowMap,
  type PerspectiveCamera,
  Scene,
  ShaderMaterial,
  SphereGeometry,
  type Vector3,
  WebGLRenderer,
} from "three";
import { type Look, looks, type Theme } from "./looks.ts";

export interface StageOptions {
  readonly canvas: HTMLCanvasElement;
  readonly theme: Theme;
  /** Pixels a CSS pixel, 2 at most. */
  readonly pixelRatio?: number;
  /** Keeps the drawn picture readable. */
  readonly keepPicture?: boolean;
  /** Goes on without drawing where the browser can't, instead of throwing. */
  readonly optional?: boolean;
}

export class Stage {
  readonly scene = new Scene();
  /** Why nothing is drawn here; null where it is. */
  readonly failure: string | null = null;
  private readonly renderer: WebGLRenderer | null = null;
  private readonly sun: DirectionalLight;
  private readonly skyLight: HemisphereLight;
  private readonly sky: Mesh<SphereGeometry, ShaderMaterial>;

  constructor({ optional = false, ...options }: StageOptions) {
    try {
      this.renderer = createRenderer(options);
    } catch (error) {
      if (!optional) throw error;
      this.failure = error instanceof Error ? error.message : String(error);
    }
    this.sky = createSky();
    this.sun = createSun();
    this.skyLight = new HemisphereLight();
    this.skyLight.position.set(0, 0, 1);
    this.scene.add(this.sky, this.skyLight, this.sun, this.sun.target);
    this.setLook(looks[options.theme]);
  }

  setLook(look: Look): void {
    this.sky.material.uniforms["zenith"]!.value.set(look.zenith);
    this.sky.material.uniforms["horizon"]!.value.set(look.horizon);
    this.sun.color.set(look.sun);
    this.sun.intensity = look.sunIntensity;
    this.skyLight.color.set(look.skyLight);
    this.skyLight.groundColor.set(look.groundLight);
    this.skyLight.intensity = look.skyIntensity;
  }

  set shadows(on: boolean) {
    this.sun.castShadow = on;
  }

  /** Of the picture a CSS pixel. */
  get pixelRatio(): number {
    return this.renderer?.getPixelRatio() ?? 1;
  }

  resize(width: number, height: number): void {
    this.renderer?.setSize(width, height, false);
  }

  /** Draws what `camera` sees; shadows are sharp within `radius` m of `focus`. */
  draw(camera: PerspectiveCamera, focus: Vector3, radius: number): void {
    this.sky.position.copy(camera.position);
    this.sky.scale.setScalar(camera.far * 0.9);
    this.aimSun(focus, radius);
    this.renderer?.render(this.scene, camera);
  }

  dispose(): void {
    this.renderer?.dispose();
  }

  /** Steps of whole texels keep the edges of shadows from swimming while the focus moves. */
  private aimSun(focus: Vector3, radius: number): void {
    const { camera } = this.sun.shadow;
    const texel = (2 * radius) / this.sun.shadow.mapSize.x;
    const snap = (value: number): number => Math.round(value / texel) * texel;
    this.sun.target.position.set(snap(focus.x), snap(focus.y), snap(focus.z));
    this.sun.position
      .set(-0.45, -0.6, 1.25)
      .multiplyScalar(3 * radius)
      .add(this.sun.target.position);
    if (camera.right === radius) return;
    camera.left = camera.bottom = -radius;
    camera.right = camera.top = radius;
    camera.near = 0.1 * radius;
    camera.far = 8 * radius;
    this.sun.shadow.normalBias = 1.5 * texel;
    camera.updateProjectionMatrix();
  }
}

function createRenderer({ canvas, pixelRatio = 1, keepPicture = false }: StageOptions) {
  const renderer = new WebGLRenderer({
    canvas,
    antialias: true,
    preserveDrawingBuffer: keepPicture,
  });
  renderer.debug.checkShaderErrors = false; // asking waits for each shader in turn
  renderer.setPixelRatio(Math.min(2, pixelRatio));
  renderer.shadowMap.enabled = true;
  renderer.shadowMap.type = PCFShadowMap;
  return renderer;
}

function createSun(): DirectionalLight {
  const sun = new DirectionalLight();
  sun.castShadow = true;
  sun.shadow.mapSize.set(2048, 2048);
  sun.shadow.radius = 3;
  sun.shadow.intensity = 0.75;
  return sun;
}

function createSky(): Mesh<SphereGeometry, ShaderMaterial> {
  const material = new ShaderMaterial({
    side: BackSide,
    depthWrite: false,
    uniforms: { zenith: { value: new Color() }, horizon: { value: new Color() } },
    vertexShader: `
      varying vec3 ray;
      void main() {
        ray = position;
        gl_Position = projectionMatrix * modelViewMatrix * vec4(position, 1.0);
      }`,
    fragmentShader: `
      varying vec3 ray;
      uniform vec3 zenith, horizon;
      void main() {
        float up = max(0.0, normalize(ray).z);
        gl_FragColor = vec4(mix(horizon, zenith, pow(up, 0.6)), 1.0);
        #include <colorspace_fragment>
      }`,
  });
  const sky = new Mesh(new SphereGeometry(1, 32, 16), material);
  sky.renderOrder = -2;
  sky.frustumCulled = false;
  return sky;
}
