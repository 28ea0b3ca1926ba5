// Trees: nested objects and arrays of leaves, and the host-side arrays that are their usual leaves.

/** Element types a program knows; `bool` data holds 0 or 1. */
export type DType = "float32" | "int32" | "bool";

export type TypedArray = Float32Array | Int32Array | Uint8Array;

/** A leaf, or a list or record of trees. */
export type Tree<T> = T | readonly Tree<T>[] | { readonly [name: string]: Tree<T> };

/** Shape and element type of an array. */
export interface ArraySpec {
  readonly shape: readonly number[];
  readonly dtype: DType;
}

/** A dense row-major array in JavaScript's memory. */
export interface NdArray extends ArraySpec {
  readonly data: TypedArray;
}

/** The same tree with every leaf of type `From` replaced by `To`. */
export type MapLeaves<T, From, To> = T extends From
  ? To
  : T extends readonly (infer _)[]
    ? { readonly [K in keyof T]: MapLeaves<T[K], From, To> }
    : T extends object
      ? { readonly [K in keyof T]: MapLeaves<T[K], From, To> }
      : never;

const arrayTypes = { float32: Float32Array, int32: Int32Array, bool: Uint8Array } as const;

/** Number of elements of a shape. */
export function sizeOf(shape: readonly number[]): number {
  let size = 1;
  for (const dimension of shape) size *= dimension;
  return size;
}

/** Fresh typed array of an element type; zero-filled when given a length, converted when given numbers. */
export function allocate(dtype: DType, from: number | ArrayLike<number>): TypedArray {
  return new arrayTypes[dtype](from as number);
}

/** Whether a typed array is the one an element type is stored in. */
export function holds(dtype: DType, data: unknown): data is TypedArray {
  return data instanceof arrayTypes[dtype];
}

/** Fresh array from numbers; throws when their count does not fill the shape. */
export function array(
  values: ArrayLike<number>,
  shape: readonly number[] = [values.length],
  dtype: DType = "float32",
): NdArray {
  if (values.length !== sizeOf(shape)) {
    throw new Error(`shape [${shape}] wants ${sizeOf(shape)} values, got ${values.length}`);
  }
  return { shape: [...shape], dtype, data: allocate(dtype, values) };
}

/** Fresh array of zeros. */
export function zeros(shape: readonly number[], dtype: DType = "float32"): NdArray {
  return { shape: [...shape], dtype, data: allocate(dtype, sizeOf(shape)) };
}

/** Fresh array of one repeated value. */
export function full(shape: readonly number[], value: number, dtype: DType = "float32"): NdArray {
  const result = zeros(shape, dtype);
  result.data.fill(value);
  return result;
}

export function isNdArray(value: unknown): value is NdArray {
  return isSpec(value) && "data" in value && ArrayBuffer.isView(value.data);
}

/** Whether a value states a shape and an element type. */
export function isSpec(value: unknown): value is ArraySpec {
  return (
    typeof value === "object" &&
    value !== null &&
    "dtype" in value &&
    "shape" in value &&
    Array.isArray(value.shape)
  );
}

/** The leaves of a tree with their paths ("critics/w1"), depth first, in the order of the keys. */
export function leaves<T>(
  tree: Tree<T>,
  isLeaf: (value: unknown) => value is T,
  path = "",
): [string, T][] {
  if (isLeaf(tree)) return [[path, tree]];
  if (typeof tree !== "object" || tree === null || ArrayBuffer.isView(tree)) {
    throw new Error(`${describePath(path)}: wanted a tree of arrays, got ${describe(tree)}`);
  }
  return Object.entries(tree).flatMap(([name, child]) =>
    leaves(child as Tree<T>, isLeaf, path === "" ? name : `${path}/${name}`),
  );
}

/** The same tree with `f(leaf, path)` in each leaf's place. */
export function mapTree<T, U>(
  tree: Tree<T>,
  isLeaf: (value: unknown) => value is T,
  f: (leaf: T, path: string) => U,
  path = "",
): Tree<U> {
  if (isLeaf(tree)) return f(tree, path);
  if (typeof tree !== "object" || tree === null || ArrayBuffer.isView(tree)) {
    throw new Error(`${describePath(path)}: wanted a tree of arrays, got ${describe(tree)}`);
  }
  const child = (name: string, value: unknown) =>
    mapTree(value as Tree<T>, isLeaf, f, path === "" ? name : `${path}/${name}`);
  if (Array.isArray(tree)) return tree.map((value, index) => child(String(index), value));
  return Object.fromEntries(
    Object.entries(tree).map(([name, value]) => [name, child(name, value)]),
  );
}

/** A tree of `template`'s structure whose leaves are looked up by path. */
export function treeLike<T, U>(
  template: Tree<T>,
  isLeaf: (value: unknown) => value is T,
  lookup: (path: string) => U,
): Tree<U> {
  return mapTree(template, isLeaf, (_, path) => lookup(path));
}

function describePath(path: string): string {
  return path === "" ? "the tree" : `"${path}"`;
}

function describe(value: unknown): string {
  if (value === null) return "null";
  if (ArrayBuffer.isView(value)) return `a bare ${value.constructor.name}`;
  return typeof value === "object" ? "an object" : `${typeof value} ${String(value)}`;
}
