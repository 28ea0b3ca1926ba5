// A short checksum of float32 numbers, the same in every engine.

const float = new Float32Array(1);
const bits = new Uint32Array(float.buffer);

/** Hashes what `feed` adds (MurmurHash3's mixing); eight hexadecimal digits. Only zeros' signs are ignored. */
export function floatHash(feed: (add: (value: number) => void) => void): string {
  let hash = 0;
  let count = 0;
  feed((value) => {
    float[0] = value + 0; // −0 + 0 = 0
    let word = Math.imul(bits[0]!, 0xcc9e2d51);
    word = Math.imul((word << 15) | (word >>> 17), 0x1b873593);
    hash ^= word;
    hash = (Math.imul((hash << 13) | (hash >>> 19), 5) + 0xe6546b64) | 0;
    count++;
  });
  hash ^= count;
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return ((hash ^ (hash >>> 16)) >>> 0).toString(16).padStart(8, "0");
}
