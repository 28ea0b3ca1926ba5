// The one source of randomness: xoshiro128**, splittable by name, with its state in plain numbers.
//
// Blackman and Vigna 2021, arXiv:1805.01407. Whole-number arithmetic and +, −, ×, ÷, √ alone, so that
// equal seeds give equal bits in every engine: `normal` uses Marsaglia and Tsang's ziggurat (2000) with
// the portable exp and log of math.ts.

import { exp, log } from "./math.ts";

export interface Rng {
  /** Uniform in [0, 1), in steps of 2⁻³². */
  uniform(): number;
  /** Standard normal. */
  normal(): number;
  /** Uniform integer in [0, bound). */
  integer(bound: number): number;
  /** 32 uniform bits as an unsigned integer. */
  bits(): number;
  /** An independent generator; equal names give equal ones, whatever was drawn before. */
  split(name: string): Rng;
  /** Everything needed to go on; fresh. */
  state(): RngState;
  restore(state: RngState): void;
}

/** The seed's hash, which splits come from, and the four words of the generator. */
export interface RngState {
  readonly key: number;
  readonly words: readonly number[];
}

/** A generator for a whole-number seed. */
export function createRng(seed: number): Rng {
  if (!Number.isSafeInteger(seed)) throw new Error(`a seed is a whole number, got ${seed}`);
  const high = Math.floor(seed / two32);
  return new Xoshiro(mix(mix(seed | 0) ^ high));
}

class Xoshiro implements Rng {
  private readonly words = new Int32Array(4);
  private key: number;

  constructor(key: number) {
    this.key = key >>> 0;
    for (let i = 0; i < 4; i++) this.words[i] = mix(this.key + Math.imul(i + 1, 0x9e3779b9));
  }

  bits(): number {
    const s = this.words;
    const s1 = s[1]!;
    const product = Math.imul(s1, 5);
    const result = Math.imul((product << 7) | (product >>> 25), 9) >>> 0;
    s[2]! ^= s[0]!;
    s[3]! ^= s1;
    s[1]! ^= s[2]!;
    s[0]! ^= s[3]!;
    s[2]! ^= s1 << 9;
    const s3 = s[3]!;
    s[3] = (s3 << 11) | (s3 >>> 21);
    return result;
  }

  uniform(): number {
    return this.bits() * twoMinus32;
  }

  integer(bound: number): number {
    // Rejection keeps every value equally likely, also for bounds that do not divide 2^32.
    const limit = two32 - ((-bound >>> 0) % bound); // 2³² less its remainder
    let draw = this.bits();
    while (draw >= limit) draw = this.bits();
    return draw % bound;
  }

  normal(): number {
    for (;;) {
      const bits = this.bits();
      const layer = bits & (numLayers - 1);
      const sign = 1 - ((bits >>> 6) & 2); // from the bit above the layer, without a branch
      const position = (bits >>> 9) * twoMinus23; // the bits that chose neither layer nor sign
      const x = position * edges[layer]!;
      if (x < edges[layer + 1]!) return sign * x;
      if (layer === 0) return sign * this.tail();
      const height = heights[layer]! + this.uniform() * (heights[layer + 1]! - heights[layer]!);
      if (height < exp(-0.5 * x * x)) return sign * x;
    }
  }

  split(name: string): Rng {
    let hash = mix(this.key ^ 0x5bd1e995);
    for (let i = 0; i < name.length; i++) hash = mix(hash ^ name.charCodeAt(i));
    return new Xoshiro(hash);
  }

  state(): RngState {
    return { key: this.key, words: Array.from(this.words, (word) => word >>> 0) };
  }

  restore({ key, words }: RngState): void {
    this.key = key;
    this.words.set(words);
  }

  /** Beyond the last edge, after Marsaglia 1964. */
  private tail(): number {
    for (;;) {
      const x = -log(1 - this.uniform()) / tailStart;
      const y = -log(1 - this.uniform());
      if (2 * y > x * x) return tailStart + x;
    }
  }
}

const two32 = 4294967296;
const twoMinus32 = 1 / two32;
const twoMinus23 = 1 / 8388608;

/** A 32-bit finaliser (MurmurHash3's), which spreads every input bit over all output bits. */
function mix(value: number): number {
  let x = value | 0;
  x = Math.imul(x ^ (x >>> 16), 0x85ebca6b);
  x = Math.imul(x ^ (x >>> 13), 0xc2b2ae35);
  return (x ^ (x >>> 16)) >>> 0;
}

const numLayers = 128;
const tailStart = 3.442619855899; // right edge of the lowest full layer, for 128 layers
const layerArea = 9.91256303526217e-3;

// edges[i] is the right edge of layer i, heights[i] the density at it; layer 0 holds the tail.
const edges = new Float64Array(numLayers + 1);
const heights = new Float64Array(numLayers + 1);
edges[0] = layerArea / exp(-0.5 * tailStart * tailStart);
edges[1] = tailStart;
for (let i = 1; i < numLayers; i++) {
  heights[i] = exp(-0.5 * edges[i]! * edges[i]!);
  if (i + 1 < numLayers) edges[i + 1] = Math.sqrt(-2 * log(layerArea / edges[i]! + heights[i]!));
}
edges[numLayers] = 0;
heights[numLayers] = 1;
