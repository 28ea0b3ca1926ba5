// The benchmark of correcting policies: updates of each off-policy method of finetune/, and the time that cloned
// flows and diffusions take to act, by their number of steps.
//
// Sizes are those of an arm that lifts a cube, with settings of the presets; one thread; a call has several
// updates, as in a training.

import { layoutOf, type OffPolicyAlgorithm, type OffPolicyConfig } from "../../agents/agent.ts";
import { Normalizer } from "../../agents/normalizer.ts";
import { batchWidths, ReplayBuffer } from "../../agents/replay.ts";
import { cloners } from "../../finetune/index.ts";
import { createRng } from "../../sim/rng.ts";
import { algorithmNamed } from "../../train/config.ts";
import { OffPolicyLearner } from "../../train/learner.ts";
import { compilePolicy, policyOf } from "../../train/policyProgram.ts";
import { presets } from "../../train/presets.ts";
import type { BenchOptions } from "../main.ts";
import { type Contender, repeatFor, takeTurns } from "../measure.ts";
import { type Report, type Row, row } from "../report.ts";

const task = "lift-cube-v0";
const plain = { observationSize: 40, actionSize: 8, numEnvs: 16 };
const correcting = { ...plain, observationSize: 48, observesBase: true };
const numRows = 20_000;
const updatesPerCall = 4;

/** Everything of `npm run bench -- finetune`. */
export async function benchFinetune({ quick }: BenchOptions): Promise<Report> {
  const turns = quick ? { rounds: 2, milliseconds: 200 } : { rounds: 5, milliseconds: 1000 };
  const contenders = [
    ...(await Promise.all(["residual", "decorator", "rlpd"].map(updates))),
    ...(await Promise.all([1, 2, 4].map((steps) => acts("flow", { flowSteps: steps })))),
    await acts("diffusion", {}),
  ];
  const samples = await takeTurns(contenders, turns);
  const rows: Row[] = [...samples].map(([{ case: what, name }, times]) => row(what, name, times));
  for (const contender of contenders) await contender.dispose?.();
  return { rows, targets: [], notes: [] };
}

async function updates(name: string): Promise<Contender> {
  const algorithm = algorithmNamed(name) as OffPolicyAlgorithm;
  const config = algorithm.settings.parse(presets[name]?.[task]?.algo ?? {}) as OffPolicyConfig;
  const spec = algorithm.observesBase ? correcting : plain;
  const options = { threads: 1, device: "cpu", updatesPerCall } as const;
  const learner = await OffPolicyLearner.create(algorithm, config, spec, createRng(1), options);
  learner.numUpdates = config.criticWarmUp; // the updates after it
  const sources = [{ buffer: filled(spec), share: 1 }];
  const normalizer = new Normalizer("none", spec.observationSize);
  return {
    case: `${name} update, batch ${config.batchSize}`,
    name: `Salle, ${updatesPerCall} updates a call`,
    async sample(milliseconds) {
      const call = () => learner.update(updatesPerCall, sources, normalizer, 0);
      return (await repeatFor(milliseconds, call)).map((time) => time / updatesPerCall);
    },
    dispose: () => learner.dispose(),
  };
}

/** A fresh policy's chunks for one observation. */
async function acts(name: string, overrides: object): Promise<Contender> {
  const algorithm = cloners[name]!;
  const config = algorithm.settings.parse(overrides) as never;
  const { observationSize, actionSize } = plain;
  const policy = policyOf(algorithm, algorithm.init(plain, config, createRng(1)));
  const sizes = { numRows: 1, observationSize, actionSize, device: "cpu" } as const;
  const program = await compilePolicy(algorithm, config, policy, sizes);
  const observations = new Float32Array(observationSize);
  const noise = new Float32Array(layoutOf(algorithm as never, plain, config).numDraws);
  const settings = Object.entries(overrides).map(([key, value]) => `, ${key} ${value}`);
  return {
    case: `${name} acts${settings.join("")}`,
    name: "Salle, one observation",
    sample: (milliseconds) => repeatFor(milliseconds, () => program.act(observations, noise)),
    dispose: () => program.dispose(),
  };
}

function filled({ observationSize, actionSize }: typeof plain): ReplayBuffer {
  const buffer = new ReplayBuffer(numRows, batchWidths(observationSize, actionSize));
  const rng = createRng(2);
  const floats = (width: number) =>
    Float32Array.from({ length: numRows * width }, () => 2 * rng.uniform() - 1);
  const columns = {
    observations: floats(observationSize),
    actions: floats(actionSize),
    rewards: floats(1),
    discounts: new Float32Array(numRows).fill(0.97),
    nextObservations: floats(observationSize),
  };
  buffer.restore({ columns, size: numRows, head: 0 });
  return buffer;
}
