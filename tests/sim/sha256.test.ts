import { createHash } from "node:crypto";
import { expect, test } from "vitest";
import { createRng } from "../../sim/rng.ts";
import { sha256 } from "../../sim/sha256.ts";

test("SHA-256 is that of Node, at every length around a block's and for a megabyte", () => {
  const rng = createRng(1);
  const lengths = [...Array(200).keys(), 1_000_003];
  for (const length of lengths) {
    const bytes = Uint8Array.from({ length }, () => rng.integer(256));
    expect(sha256(bytes)).toBe(createHash("sha256").update(bytes).digest("hex"));
  }
});
