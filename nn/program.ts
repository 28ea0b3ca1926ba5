// A compiled program: one ONNX Runtime session whose state stays in place.
//
// State that nobody reads after its update is overwritten where it lies; the rest has two buffers that
// take turns (donate.ts). Nothing is copied. Small leaves of the state share one buffer, since a tensor
// that crosses from JavaScript costs more than the arithmetic on it (pack.ts).

import { checkInputs, checkState, type HostLeaf, type InputPlan } from "./check.ts";
import { fillNoise, isNoise, type NoiseSpec, type RandomSource } from "./noise.ts";
import { encodeOnnx } from "./onnx.ts";
import {
  createSession,
  hostTensor,
  type InferenceSession,
  type OrtDevice,
  type OrtTensor,
} from "./runtime.ts";
import { type ArraySpec, allocate, type NdArray, sizeOf, type TypedArray } from "./tree.ts";

/** Where a state leaf lives: in a buffer of its own or in a stretch of the shared one. */
export interface StateSlot {
  readonly path: string;
  readonly spec: ArraySpec;
  readonly buffer: string;
  readonly offset: number;
}

/** A state buffer as the session knows it. */
export interface StateBuffer {
  readonly name: string;
  readonly spec: ArraySpec;
  /** The graph input, if anything reads it; the graph output, if it ever changes. */
  readonly input: string | undefined;
  readonly output: string | undefined;
  /** Whether a call may write the new state over the old. */
  readonly donated: boolean;
}

export interface ProgramPlan {
  readonly name: string;
  readonly inputs: readonly InputPlan[];
  /** Names of the graph inputs that the session wants. */
  readonly usedInputs: ReadonlySet<string>;
  readonly outputs: readonly { readonly path: string; readonly spec: ArraySpec }[];
  readonly slots: readonly StateSlot[];
  readonly buffers: readonly StateBuffer[];
}

/** The machine behind a compiled Program, in terms of paths rather than trees. */
export class SessionProgram {
  private readonly plan: ProgramPlan;
  private readonly session: InferenceSession;
  private readonly device: OrtDevice;
  private readonly random: RandomSource | undefined;
  private readonly outputSpecs: ReadonlyMap<string, ArraySpec>;
  private readonly noise = new Map<string, TypedArray>();
  private current = new Map<string, OrtTensor>();
  private spare = new Map<string, OrtTensor>();
  private pending: Promise<unknown> = Promise.resolve();
  private reader: InferenceSession | undefined;
  private ending: Promise<void> | undefined;
  private failure: string | undefined;
  private disposed = false;

  constructor(
    plan: ProgramPlan,
    session: InferenceSession,
    state: ReadonlyMap<string, NdArray>,
    options: { device: OrtDevice; random: RandomSource | undefined },
  ) {
    this.plan = plan;
    this.session = session;
    this.outputSpecs = new Map(plan.outputs.map(({ path, spec }) => [path, spec]));
    this.device = options.device;
    this.random = options.random;
    for (const { name, spec, output, donated } of plan.buffers) {
      this.current.set(name, emptyTensor(spec));
      const takesTurns = output !== undefined && !donated && this.device !== "webgpu";
      if (takesTurns) this.spare.set(name, emptyTensor(spec));
    }
    for (const { path, spec } of plan.inputs) {
      if (isNoise(spec)) this.noise.set(path, allocate(spec.dtype, sizeOf(spec.shape)));
    }
    this.writeState(state);
  }

  /** Calls run one after the other, in the order they were made. */
  run(
    inputs: ReadonlyMap<string, HostLeaf>,
    wanted: readonly string[],
  ): Promise<Map<string, NdArray>> {
    return this.inTurn(() => this.runNow(inputs, wanted));
  }

  /** Fresh copies of the state's leaves, or of those that are wanted. */
  state(wanted: (path: string) => boolean = () => true): Promise<Map<string, NdArray>> {
    return this.inTurn(() => this.stateNow(wanted));
  }

  async load(state: ReadonlyMap<string, NdArray>): Promise<void> {
    checkState(this.plan.name, this.plan.slots, state);
    await this.inTurn(async () => {
      this.writeState(state);
      this.failure = undefined;
    });
  }

  dispose(): Promise<void> {
    this.ending ??= this.inTurn(async () => {
      this.disposed = true;
      for (const tensor of this.current.values()) tensor.dispose();
      await this.session.release();
      await this.reader?.release();
    });
    return this.ending;
  }

  /** Starts an action when those before it are done: each sees the state as the last one left it. */
  private inTurn<T>(action: () => Promise<T>): Promise<T> {
    const result = this.pending.then(() => {
      if (this.disposed) throw new Error(`program "${this.plan.name}" was disposed of`);
      return action();
    });
    this.pending = result.catch(() => {});
    return result;
  }

  private async stateNow(wanted: (path: string) => boolean): Promise<Map<string, NdArray>> {
    this.checkWhole();
    const buffers = await this.download();
    const slots = this.plan.slots.filter(({ path }) => wanted(path));
    return new Map(
      slots.map(({ path, spec, buffer, offset }) => {
        const data = buffers.get(buffer)!.slice(offset, offset + sizeOf(spec.shape));
        return [path, { shape: [...spec.shape], dtype: spec.dtype, data }];
      }),
    );
  }

  /** The elements of every buffer; valid until the next call. */
  private async download(): Promise<Map<string, TypedArray>> {
    const elements = new Map<string, TypedArray>();
    const remote: Record<string, OrtTensor> = {};
    for (const [name, tensor] of this.current) {
      if (tensor.location === "gpu-buffer") remote[name] = tensor;
      else elements.set(name, tensor.data as TypedArray);
    }
    if (Object.keys(remote).length === 0) return elements;
    this.reader ??= await createReader(
      this.plan.buffers.filter(({ name }) => name in remote),
      this.device,
    );
    const copies = await this.reader.run(remote);
    for (const name of Object.keys(remote)) {
      elements.set(name, copies[`copy/${name}`]!.data as TypedArray);
    }
    return elements;
  }

  /** Writes over the present state where it lies in JavaScript's memory. */
  private writeState(state: ReadonlyMap<string, NdArray>): void {
    for (const { name, spec } of this.plan.buffers) {
      const old = this.current.get(name)!;
      const tensor = old.location === "gpu-buffer" ? emptyTensor(spec) : old;
      for (const { path, buffer, offset } of this.plan.slots)
        if (buffer === name) (tensor.data as TypedArray).set(state.get(path)!.data, offset);
      if (tensor === old) continue;
      old.dispose();
      this.current.set(name, tensor);
    }
  }

  private async runNow(
    inputs: ReadonlyMap<string, HostLeaf>,
    wanted: readonly string[],
  ): Promise<Map<string, NdArray>> {
    this.checkWhole();
    const feeds = this.feeds(inputs);
    const fetches: Record<string, OrtTensor | null> = {};
    for (const { name, output, donated } of this.plan.buffers) {
      if (output === undefined) continue;
      fetches[output] = (donated ? this.current : this.spare).get(name) ?? null;
      if (this.device === "webgpu") fetches[output] = null;
    }
    for (const path of wanted) {
      const spec = this.outputSpecs.get(path)!;
      fetches[`outputs/${path}`] = this.device === "webgpu" ? null : emptyTensor(spec);
    }
    const results = await this.call(feeds, fetches);
    this.swap(results);
    return this.read(results, wanted);
  }

  private async call(
    feeds: Record<string, OrtTensor>,
    fetches: Record<string, OrtTensor | null>,
  ): Promise<InferenceSession.ReturnType> {
    try {
      return await this.session.run(feeds, fetches);
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      if (this.plan.buffers.some(({ donated }) => donated)) this.failure = reason;
      throw new Error(`program "${this.plan.name}" failed: ${reason}`);
    }
  }

  /** A call that failed half-way may have overwritten donated state. */
  private checkWhole(): void {
    if (this.failure === undefined) return;
    throw new Error(
      `program "${this.plan.name}": its state may be half updated since a call failed (${this.failure}); load() a good one`,
    );
  }

  private feeds(inputs: ReadonlyMap<string, HostLeaf>): Record<string, OrtTensor> {
    const { plan } = this;
    const feeds: Record<string, OrtTensor> = {};
    const given = checkInputs(plan.name, plan.inputs, inputs, this.random !== undefined);
    for (const { path, spec } of plan.inputs) {
      const data = given.get(path) ?? this.draw(path, spec);
      if (!plan.usedInputs.has(`inputs/${path}`)) continue;
      feeds[`inputs/${path}`] = hostTensor(spec.dtype, data, spec.shape);
    }
    for (const { name, input } of plan.buffers) {
      if (input !== undefined) feeds[input] = this.current.get(name)!;
    }
    return feeds;
  }

  /** Fresh draws, also for noise that the graph ignores: equal seeds then serve every device equally. */
  private draw(path: string, spec: ArraySpec | NoiseSpec): TypedArray {
    const data = this.noise.get(path)!;
    if (isNoise(spec)) fillNoise(spec.noise, data, this.random!);
    return data;
  }

  private swap(results: InferenceSession.ReturnType): void {
    for (const { name, output, donated } of this.plan.buffers) {
      if (output === undefined || (donated && this.device !== "webgpu")) continue;
      const old = this.current.get(name)!;
      this.current.set(name, results[output]!);
      if (this.device === "webgpu") old.dispose();
      else this.spare.set(name, old);
    }
  }

  private read(
    results: InferenceSession.ReturnType,
    wanted: readonly string[],
  ): Map<string, NdArray> {
    return new Map(
      wanted.map((path) => {
        const { shape, dtype } = this.outputSpecs.get(path)!;
        const data = results[`outputs/${path}`]!.data as TypedArray;
        return [path, { shape: [...shape], dtype, data }];
      }),
    );
  }
}

/**
 * A session that copies buffers from the device's memory into JavaScript's: onnxruntime-node ends the
 * process when a tensor that lives there is asked for its data.
 */
function createReader(
  buffers: readonly StateBuffer[],
  device: OrtDevice,
): Promise<InferenceSession> {
  const typed = (name: string, { dtype, shape }: ArraySpec) => ({ name, type: dtype, shape });
  const model = encodeOnnx({
    name: "reader",
    nodes: buffers.map(({ name }) => ({
      op: "Identity",
      domain: "",
      inputs: [name],
      outputs: [`copy/${name}`],
      attributes: {},
    })),
    inputs: buffers.map(({ name, spec }) => typed(name, spec)),
    outputs: buffers.map(({ name, spec }) => typed(`copy/${name}`, spec)),
    constants: [],
  });
  return createSession(model, { device, threads: 1 });
}

function emptyTensor({ dtype, shape }: ArraySpec): OrtTensor {
  return hostTensor(dtype, allocate(dtype, sizeOf(shape)), shape);
}
