import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { expect, test } from "vitest";
import { compile } from "../../nn/compile.ts";
import { createRng } from "../../sim/rng.ts";
import { actorCritic, batch, exampleInputs, initialState } from "./updates.ts";

const numUpdates = 100_000;
const warmUp = 10_000;
const allowed = 20; // MB

setFlagsFromString("--expose-gc");
const collectGarbage = runInNewContext("gc") as () => void;

test("a hundred thousand updates with reads and loads of the state need no more memory than the first few", async () => {
  const program = await compile(
    actorCritic,
    { state: initialState(), inputs: exampleInputs },
    { random: createRng(1) },
  );
  const batches = Array.from({ length: 16 }, (_, i) => batch(i));
  const resident: number[] = [];
  for (let i = 1; i <= numUpdates; i++) {
    await program.run(batches[i % 16]!, { outputs: i % 10 === 0 ? ["critic/loss"] : [] });
    if (i % 500 === 0) await program.load(await program.state());
    if (i % warmUp === 0) {
      collectGarbage();
      resident.push(process.memoryUsage().rss / 1e6);
    }
  }
  await program.dispose();
  const growth = Math.max(...resident) - resident[0]!;
  expect(growth, `resident MB every ${warmUp} updates: ${resident.map(Math.round)}`).toBeLessThan(
    allowed,
  );
});
