// The child of crash.slow.test.ts: writes checkpoints as fast as it can until it is killed. Each holds its step
// in every array, and so shows whether it is whole.

import { existsSync } from "node:fs";
import { createRun, type Run, resumeRun } from "../../train/run.ts";
import { origin } from "./origin.ts";

const folder = process.argv[2]!;
const numFloats = Number(process.argv[3]);

function open(): { run: Run; step: number } {
  if (!existsSync(folder)) {
    return {
      run: createRun(folder, { config: "", meta: origin }, { shardBytes: 20_000 }),
      step: 0,
    };
  }
  const { run, checkpoint } = resumeRun(folder, [], { shardBytes: 20_000 });
  return { run, step: checkpoint?.step ?? 0 };
}

const { run, step: first } = open();
process.stdout.write("ready\n");
for (let step = first + 1; ; step++) {
  run.log(step, { "train/loss": 1 / step, [`late/${step % 7}`]: step });
  run.appendEpisode("e", Uint8Array.of(step & 255));
  const arrays = [0, 1, 2].map((i) => new Float32Array(numFloats).fill(step + i));
  run.save(step, { step, arrays }, { best: step % 5 === 0 });
}
