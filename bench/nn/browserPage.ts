// The page of browser.ts: times the same contenders that run in Node.

import type { Contender } from "../measure.ts";
import { actContender, updateContender } from "./ours.ts";

/** What the benchmark may ask of the page; each answers with the milliseconds of every timed call. */
export interface BrowserBench {
  update(threads: number, repeats: number, milliseconds: number): Promise<readonly number[]>;
  act(threads: number, milliseconds: number): Promise<readonly number[]>;
}

declare global {
  var browserBench: BrowserBench;
}

globalThis.browserBench = {
  async update(threads, repeats, milliseconds) {
    const options = { batchSize: 256, numCritics: 2, threads, repeats };
    return sample(await updateContender("update", options), milliseconds);
  },
  async act(threads, milliseconds) {
    return sample(await actContender("act", 1, threads), milliseconds);
  },
};

/** The first second goes into compiling WebAssembly and starting threads, and is not counted. */
async function sample(contender: Contender, milliseconds: number): Promise<readonly number[]> {
  await contender.sample(1000);
  const times = await contender.sample(milliseconds);
  await contender.dispose?.();
  return times;
}
