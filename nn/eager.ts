// The same function op by op on a TensorFlow.js backend: the reference, and a way to other devices.

import * as tf from "#tensorflow";
import { loadBackend } from "./backends.ts";
import { checkInputs, checkState, type HostLeaf } from "./check.ts";
import { isTensor } from "./gradient.ts";
import { fillNoise, isNoise, type RandomSource } from "./noise.ts";
import type { InputTree, Recording, StateTree } from "./recording.ts";
import {
  type ArraySpec,
  allocate,
  type DType,
  isNdArray,
  isSpec,
  leaves,
  mapTree,
  type NdArray,
  sizeOf,
  type Tree,
  type TypedArray,
} from "./tree.ts";

interface EagerOptions {
  readonly backend: string;
  readonly random: RandomSource | undefined;
  readonly templates: { readonly state: StateTree; readonly inputs: InputTree };
}

type PureFunction = (
  state: Tree<tf.Tensor>,
  inputs: Tree<tf.Tensor>,
) => [Tree<tf.Tensor>, Tree<tf.Tensor>];

export async function createEagerProgram(
  recording: Recording,
  fn: PureFunction,
  initial: ReadonlyMap<string, NdArray>,
  options: EagerOptions,
): Promise<EagerProgram> {
  const backend = await loadBackend(options.backend);
  return new EagerProgram(recording, fn, initial, { ...options, backend });
}

/** Runs the function itself on every call; state stays in the backend's memory. */
export class EagerProgram {
  private readonly recording: Recording;
  private readonly fn: PureFunction;
  private readonly options: EagerOptions;
  private current: Map<string, tf.Tensor>;
  private disposed = false;

  constructor(
    recording: Recording,
    fn: PureFunction,
    initial: ReadonlyMap<string, NdArray>,
    options: EagerOptions,
  ) {
    this.recording = recording;
    this.fn = fn;
    this.options = options;
    this.current = this.upload(initial);
  }

  async run(
    inputs: ReadonlyMap<string, HostLeaf>,
    wanted: readonly string[],
  ): Promise<Map<string, NdArray>> {
    this.checkAlive();
    const { outputs } = this.recording;
    const given = this.fill(inputs);
    this.activate();
    const results = new Map<string, NdArray>();
    const next = tf.tidy(() => {
      const [state, output] = this.call(given);
      const values = new Map(leaves<tf.Tensor>(output, isTensor));
      for (const path of wanted) {
        const { spec } = outputs.find((candidate) => candidate.path === path)!;
        results.set(path, download(values.get(path)!, spec));
      }
      return Object.fromEntries(
        leaves<tf.Tensor>(state, isTensor).map(([path, x]) => [path, tf.keep(x.clone())]),
      );
    });
    const old = this.current;
    this.current = new Map(Object.entries(next));
    for (const tensor of old.values()) tensor.dispose();
    return results;
  }

  async state(wanted: (path: string) => boolean = () => true): Promise<Map<string, NdArray>> {
    this.checkAlive();
    this.activate();
    const states = this.recording.states.filter(({ path }) => wanted(path));
    return new Map(states.map(({ path, spec }) => [path, download(this.current.get(path)!, spec)]));
  }

  async load(state: ReadonlyMap<string, NdArray>): Promise<void> {
    checkState(this.recording.name, this.recording.states, state);
    this.checkAlive();
    const old = this.current;
    this.current = this.upload(state);
    for (const tensor of old.values()) tensor.dispose();
  }

  async dispose(): Promise<void> {
    this.disposed = true;
    for (const tensor of this.current.values()) tensor.dispose();
  }

  private checkAlive(): void {
    if (this.disposed) throw new Error(`program "${this.recording.name}" was disposed of`);
  }

  private call(given: ReadonlyMap<string, TypedArray>): [Tree<tf.Tensor>, Tree<tf.Tensor>] {
    const { templates } = this.options;
    const state = mapTree<NdArray, tf.Tensor>(
      templates.state,
      isNdArray,
      (_, path) => this.current.get(path)!,
    );
    const inputs = mapTree<ArraySpec, tf.Tensor>(templates.inputs, isSpec, (spec, path) =>
      tf.tensor(given.get(path)!, [...spec.shape], spec.dtype),
    );
    return this.fn(state, inputs);
  }

  private fill(inputs: ReadonlyMap<string, HostLeaf>): Map<string, TypedArray> {
    const { name, inputs: plan } = this.recording;
    const { random } = this.options;
    const given = checkInputs(name, plan, inputs, random !== undefined);
    for (const { path, spec } of plan) {
      if (given.has(path) || !isNoise(spec)) continue;
      const data = allocate(spec.dtype, sizeOf(spec.shape));
      fillNoise(spec.noise, data, random!);
      given.set(path, data);
    }
    return given;
  }

  private upload(state: ReadonlyMap<string, NdArray>): Map<string, tf.Tensor> {
    this.activate();
    return new Map(
      [...state].map(([path, { data, shape, dtype }]) => [
        path,
        tf.keep(tf.tensor(data.slice(), [...shape], dtype)),
      ]),
    );
  }

  private activate(): void {
    void tf.engine().setBackend(this.options.backend);
  }
}

function download(tensor: tf.Tensor, { shape, dtype }: ArraySpec): NdArray {
  return { shape: [...shape], dtype, data: allocate(dtype as DType, tensor.dataSync()) };
}
