// Salle's side of the benchmark: updates of a learner as it trains.

import type { CloneAlgorithm, CloneConfig } from "../../agents/agent.ts";
import { Normalizer } from "../../agents/normalizer.ts";
import { batchWidths, createBatch, sampleBatch } from "../../agents/replay.ts";
import { cloners } from "../../finetune/index.ts";
import { compile } from "../../nn/compile.ts";
import { repeated, repeatInputs } from "../../nn/repeat.ts";
import { createRng } from "../../sim/rng.ts";
import { cloneInputs } from "../../train/cloneLearner.ts";
import { OffPolicyLearner } from "../../train/learner.ts";
import { type Contender, repeatFor } from "../measure.ts";
import { filledTable, type Method, methodOf, spec } from "./methods.ts";

const cloningPerCall = 4;

/** Milliseconds an update of a method. */
export async function updates(method: Method): Promise<Contender> {
  const { algorithm, config } = methodOf(method);
  const stage = algorithm.offline ? ({ stage: "offline" } as const) : {}; // RLPD has none
  const options = { threads: 1, device: "cpu", updatesPerCall: null, ...stage } as const;
  const learner = await OffPolicyLearner.create(algorithm, config, spec, createRng(1), options);
  const sources = [{ buffer: filledTable(algorithm), share: 1 }];
  const normalizer = new Normalizer("none", spec.observationSize);
  const call = () => learner.update(1, sources, normalizer, 0); // and what else is in its call
  await call();
  return {
    ...contender(method, config.batchSize, learner.numUpdates, call),
    dispose: () => learner.dispose(),
  };
}

/** Cloning of single actions by squared error, without layer norm. */
export const cloningConfig = cloners["mlp"]!.settings.parse({
  chunkLength: 1,
  executed: 1,
  loss: "squaredError",
  layerNorm: false,
}) as unknown as CloneConfig;

/** Milliseconds an update of cloning. */
export async function cloning(): Promise<Contender> {
  const algorithm = cloners["mlp"] as CloneAlgorithm;
  const { batchSize } = cloningConfig;
  const state = algorithm.init(spec, cloningConfig, createRng(1));
  const update = (traced: never, inputs: never) =>
    algorithm.update(traced, inputs, cloningConfig, spec);
  const progress = { shape: [], dtype: "float32" } as const;
  const inputs = { ...cloneInputs(algorithm, cloningConfig, spec), progress };
  const program = await compile(
    repeated(update as never, cloningPerCall),
    { state, inputs: repeatInputs(inputs, cloningPerCall) },
    { threads: 1, random: createRng(3) },
  );
  const numRows = cloningPerCall * batchSize;
  const batch = createBatch(numRows, batchWidths(spec.observationSize, spec.actionSize));
  const sources = [{ buffer: filledTable({}), share: 1 }];
  const rng = createRng(4);
  const mask = new Float32Array(numRows).fill(1);
  const call = () => {
    sampleBatch(sources, batch, 0, numRows, rng);
    const { observations, actions } = batch;
    const given = {
      batch: { observations, actions, mask },
      progress: new Float32Array(cloningPerCall),
    };
    return program.run(given as never, { outputs: ["train/loss"] as never });
  };
  return {
    ...contender("bc", batchSize, cloningPerCall, call),
    dispose: () => program.dispose(),
  };
}

function contender(
  method: Method,
  batchSize: number,
  updatesPerCall: number,
  call: () => Promise<unknown>,
): Contender {
  return {
    case: `${method} update, batch ${batchSize}`,
    name: `Salle, ${updatesPerCall} updates a call`,
    sample: async (milliseconds) =>
      (await repeatFor(milliseconds, call, 1)).map((time) => time / updatesPerCall),
  };
}
