// Whole iterations of ReinFlow and DPPO on the hopper: a rollout of 8,192 control steps and the updates on it, on one
// thread. Rollouts, epochs and minibatches are equal, so that only what the methods themselves do differs.

import { layoutOf, type OnPolicyAlgorithm, type OnPolicyConfig } from "../../agents/agent.ts";
import { Rollout } from "../../agents/rollout.ts";
import { createRng } from "../../sim/rng.ts";
import { createVecEnv, type VecEnv } from "../../sim/vecEnv.ts";
import { taskSource } from "../../tasks/index.ts";
import { inChunks } from "../../train/chunkEnv.ts";
import { algorithmNamed } from "../../train/config.ts";
import { OnPolicyLearner } from "../../train/onPolicyLearner.ts";
import { plainEnv, type TrainEnv } from "../../train/trainEnv.ts";
import { type Contender, repeatFor } from "../measure.ts";
import { atMost, type Row, type Target } from "../report.ts";

const numEnvs = 32;
/** 64 decisions of four control steps of 32 robots; 20 updates. */
const equal = { rolloutLength: 64, numEpochs: 5, numMinibatches: 4, chunkLength: 4, executed: 4 };
/** Of the networks: the presets' and the authors'. */
export const iterationWidths = [128, 512] as const;
const bound = 0.2; // of DPPO's time

/** Robots to step; made before any program is. */
export async function openHoppers(): Promise<VecEnv> {
  const options = { numEnvs, seed: 1, numWorkers: 1 };
  return createVecEnv(await taskSource("hopper-hop-v0"), options);
}

/** ReinFlow by its number of steps, then DPPO. */
export function iterations(hoppers: VecEnv, width: number): Promise<Contender[]> {
  const what = `iteration, width ${width}`;
  const sizes = { width, criticWidth: Math.min(width, 256) };
  const flows = [4, 2, 1].map((flowSteps) =>
    iteration(
      hoppers,
      what,
      `ReinFlow, ${flowSteps} ${flowSteps === 1 ? "step" : "steps"}`,
      "reinflow",
      { ...sizes, flowSteps },
    ),
  );
  const dppo = iteration(hoppers, what, "DPPO, 10 of 20 steps", "dppo", sizes);
  return Promise.all([...flows, dppo]);
}

/** ReinFlow's share of DPPO's time, at the authors' width. */
export function iterationTargets(rows: readonly Row[]): Target[] {
  const dppo = rows.at(-1)!;
  return rows
    .filter((each) => each !== dppo && each.case.endsWith(` ${iterationWidths[1]}`))
    .map(({ case: what, contender, median }) =>
      atMost(`${what}: ${contender} over DPPO`, bound, median / dppo.median),
    );
}

async function iteration(
  hoppers: VecEnv,
  what: string,
  name: string,
  algorithmName: string,
  overrides: object,
): Promise<Contender> {
  const algorithm = algorithmNamed(algorithmName) as OnPolicyAlgorithm;
  const config = algorithm.settings.parse({ ...equal, ...overrides }) as OnPolicyConfig;
  const robots = plainEnv(hoppers);
  const { observationSize, actionSize } = robots;
  const spec = { observationSize, actionSize, numEnvs };
  const { stored } = layoutOf(algorithm, spec, config);
  const env = inChunks(robots, algorithm, config);
  const options = { threads: 1, device: "cpu", updatesPerCall: null } as const;
  const learner = await OnPolicyLearner.create(algorithm, config, spec, createRng(1), options);
  const rollout = new Rollout({ ...config, ...spec, actionSize: stored });
  return {
    case: what,
    name,
    async sample(milliseconds) {
      await env.reset();
      return repeatFor(milliseconds, () => iterate(env, learner, rollout), 1);
    },
    dispose: () => learner.dispose(),
  };
}

async function iterate(env: TrainEnv, learner: OnPolicyLearner, rollout: Rollout): Promise<void> {
  while (!rollout.full) {
    const observations = env.observations.slice();
    const sample = await learner.sample(observations);
    env.send(sample.actions);
    const out = await env.receive();
    rollout.add({ ...out, ...sample, observations });
  }
  await rollout.finish((rows) => learner.valuesOf(rows));
  await learner.update(rollout, 0);
  rollout.clear();
}
