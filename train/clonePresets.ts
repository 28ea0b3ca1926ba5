// Presets of policies that are cloned by regression. A step is an update: minutes of one core, whatever the task.

import type { Preset } from "./presets.ts";
import { armTasks, forEach, leggedTasks } from "./presetTasks.ts";

const cloneFor = (totalTimesteps: number) => ({
  totalTimesteps,
  evalFreq: totalTimesteps / 4,
  evalEpisodes: 20,
});
/** Eight actions of a hand's way at once, of which half are taken. */
const reach = { chunkLength: 8, executed: 4 } as const;
/** A leg that answers late falls. */
const step = { chunkLength: 4, executed: 1 } as const;

/** ACT without its VAE: one demonstrator has one way of doing it, and an update takes 40 % less time. */
const light = { latentSize: 0, numHeads: 2, batchSize: 128 } as const;

/** Algorithm → task id → preset. */
export const clonePresets: Readonly<Record<string, Readonly<Record<string, Preset>>>> = {
  mlp: {
    ...forEach(armTasks, { train: cloneFor(6_000), algo: reach }),
    ...forEach(leggedTasks, { train: cloneFor(8_000), algo: step }),
  },
  act: {
    ...forEach(armTasks, { train: cloneFor(4_000), algo: { ...reach, ...light } }),
    ...forEach(leggedTasks, { train: cloneFor(4_000), algo: { ...step, ...light } }),
  },
};
