// Small arrays with shapes, and what only moves their numbers: for graphOps.ts. Shapes come from a stranger's file, so each
// is checked, and none may be large.

/** Numbers in rows, the last axis fastest. */
export interface Block {
  readonly shape: readonly number[];
  readonly data: Float32Array;
}

const mostNumbers = 4_000_000;

/** Zeros of a shape. */
export function zeros(shape: readonly number[]): Block {
  return { shape, data: new Float32Array(sizeOf(shape)) };
}

/** Numbers of an array of a shape; throws where it is none, or a large one's. */
export function sizeOf(shape: readonly number[]): number {
  const size = shape.reduce((product, length) => product * length, 1);
  if (!Number.isInteger(size) || size < 0 || size > mostNumbers || shape.some((n) => n < 0))
    throw new Error(`the policy makes an array of shape [${shape}]`);
  return size;
}

/** An axis from the front; throws where there is none. */
export function axisOf({ shape }: Block, axis: number): number {
  const at = axis < 0 ? axis + shape.length : axis;
  if (!(at in shape)) throw new Error(`the policy names axis ${axis} of an array of [${shape}]`);
  return at;
}

/** How far apart neighbours along each axis lie. */
function stridesOf(shape: readonly number[]): number[] {
  const strides = new Array<number>(shape.length).fill(1);
  for (let axis = shape.length - 2; axis >= 0; axis--)
    strides[axis] = strides[axis + 1]! * shape[axis + 1]!;
  return strides;
}

/** Numpy's broadcast of two shapes. */
export function broadcast(a: readonly number[], b: readonly number[]): number[] {
  const rank = Math.max(a.length, b.length);
  return Array.from({ length: rank }, (_, axis) => {
    const [x = 1, y = 1] = [a[axis - rank + a.length], b[axis - rank + b.length]];
    if (x !== y && x !== 1 && y !== 1)
      throw new Error(`the policy joins arrays of [${a}] and [${b}]`);
    return x === 1 ? y : x;
  });
}

/** A block repeated to a shape. */
export function spread(block: Block, shape: readonly number[]): Block {
  if (sizeOf(shape) === block.data.length) return { shape, data: block.data };
  return gathered(block, shape, broadcastStrides(block.shape, shape));
}

/** Strides of a block that is read as if it had another shape: 0 along axes where it repeats. */
export function broadcastStrides(from: readonly number[], shape: readonly number[]): number[] {
  const own = stridesOf(from);
  const shift = shape.length - from.length;
  return shape.map((_, axis) => ((from[axis - shift] ?? 1) === 1 ? 0 : own[axis - shift]!));
}

/** A block of a shape whose element at an index is the one at the sum of index times stride, from an offset on. */
function gathered(
  { data }: Block,
  shape: readonly number[],
  strides: readonly number[],
  offset = 0,
): Block {
  const out = zeros(shape);
  const index = new Array<number>(shape.length).fill(0);
  let from = offset;
  for (let at = 0; at < out.data.length; at++) {
    out.data[at] = data[from]!;
    for (let axis = shape.length - 1; axis >= 0; axis--) {
      from += strides[axis]!;
      if (++index[axis]! < shape[axis]!) break;
      from -= strides[axis]! * shape[axis]!;
      index[axis] = 0;
    }
  }
  return out;
}

/** The same numbers in another shape: 0 copies a length, −1 is what is left. */
export function reshaped({ shape, data }: Block, wanted: readonly number[]): Block {
  const copied = wanted.map((length, axis) => (length === 0 ? shape[axis]! : length));
  const rest = copied.reduce((product, n) => (n < 0 ? product : product * n), 1);
  const full = copied.map((length) => (length < 0 ? data.length / rest : length));
  if (sizeOf(full) !== data.length)
    throw new Error(`the policy reads [${shape}] as an array of [${wanted}]`);
  return { shape: full, data };
}

/** Every `step`-th part along an axis, from `begin` to before `end`. */
export function sliced(
  block: Block,
  at: number,
  [begin, end, step]: readonly [begin: number, end: number, step: number],
): Block {
  const axis = axisOf(block, at);
  const length = block.shape[axis]!;
  const inside = (i: number) => Math.min(length, Math.max(0, i < 0 ? i + length : i));
  if (!(step > 0)) throw new Error(`a policy that slices by steps of ${step} can't run here`);
  const [first, last] = [inside(begin), inside(end)];
  const count = Math.max(0, Math.ceil((last - first) / step));
  const strides = stridesOf(block.shape);
  const shape = block.shape.map((n, i) => (i === axis ? count : n));
  const taken = strides.map((stride, i) => (i === axis ? stride * step : stride));
  return gathered(block, shape, taken, first * strides[axis]!);
}

/** Blocks one after another along an axis. */
export function joined(blocks: readonly Block[], at: number): Block {
  const [first] = blocks;
  if (!first) throw new Error("the policy's graph joins nothing");
  const axis = axisOf(first, at);
  const fits = ({ shape }: Block) =>
    shape.length === first.shape.length &&
    shape.every((n, i) => i === axis || n === first.shape[i]);
  if (!blocks.every(fits)) throw new Error("the policy joins arrays of different shapes");
  const total = blocks.reduce((sum, { shape }) => sum + shape[axis]!, 0);
  const out = zeros(first.shape.map((n, i) => (i === axis ? total : n)));
  const before = first.shape.slice(0, axis).reduce((product, n) => product * n, 1);
  let to = 0;
  for (let row = 0; row < before; row++) {
    for (const { data } of blocks) {
      const width = data.length / before;
      out.data.set(data.subarray(row * width, (row + 1) * width), to);
      to += width;
    }
  }
  return out;
}

/** A block repeated along each axis. */
export function tiled(block: Block, repeats: readonly number[]): Block {
  return repeats.reduce((out, count, axis) => {
    if (!(Number.isInteger(count) && count > 0) || count * out.data.length > mostNumbers)
      throw new Error(`the policy repeats an array [${repeats}] times`);
    return count === 1 ? out : joined(new Array<Block>(count).fill(out), axis);
  }, block);
}

/** A block with its axes in another order; reversed where none is given. */
export function transposed(block: Block, perm: readonly number[] | undefined): Block {
  const { shape } = block;
  const order = perm ?? [...shape.keys()].reverse();
  if (order.length !== shape.length || new Set(order).size !== shape.length)
    throw new Error(`the policy turns [${shape}] by [${order}]`);
  const axes = order.map((axis) => axisOf(block, axis));
  const strides = stridesOf(shape);
  return gathered(
    block,
    axes.map((axis) => shape[axis]!),
    axes.map((axis) => strides[axis]!),
  );
}
