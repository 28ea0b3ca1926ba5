// A session on a small task whose results stay in memory, for tests of the loops.

import { deserialize, serialize } from "node:v8";
import type { AnyAlgorithm } from "../../agents/agent.ts";
import type { Dataset } from "../../finetune/dataset.ts";
import { Session, type SessionSettings } from "../../train/session.ts";

/** Everything that a session gave to its store. */
export interface Records {
  readonly logs: { readonly step: number; readonly metrics: Readonly<Record<string, number>> }[];
  readonly episodes: { readonly name: string; readonly bytes: Uint8Array }[];
  readonly saves: { readonly step: number; readonly state: unknown; readonly best: boolean }[];
}

export const testSettings: SessionSettings = {
  seed: 1,
  numEnvs: 4,
  numWorkers: 1,
  robotsPerWorld: null,
  totalTimesteps: 1200,
  logFreq: 200,
  evalFreq: 600,
  evalEpisodes: 2,
  recordEpisodes: 1,
  resetShare: 0,
  resetCurriculum: "uniform",
  saveFreq: 600,
  targetReturn: null,
  maxMinutes: null,
  physics: "simd",
  device: "cpu",
  threads: 1,
  updatesPerCall: 1,
};

export function taskSource(name: string) {
  const module = new URL("../../tasks/index.js", import.meta.url).href;
  return { module, name: "createTask", args: [name] };
}

export interface MemoryRun {
  readonly session: Session;
  readonly records: Records;
}

export async function openMemoryRun(
  algorithm: AnyAlgorithm,
  config: unknown,
  settings: Partial<SessionSettings> = {},
  stopAt: number | (() => boolean) = Number.POSITIVE_INFINITY,
  data: readonly Dataset[] = [],
): Promise<MemoryRun> {
  const records: Records = { logs: [], saves: [], episodes: [] };
  const session = await Session.open({
    algorithm,
    config,
    settings: { ...testSettings, ...settings },
    task: taskSource("pendulum-swingup"),
    data,
    store: {
      log: (step, metrics) => records.logs.push({ step, metrics }),
      logEvaluation: () => {},
      appendEpisode: (name, bytes) => records.episodes.push({ name, bytes }),
      // What is saved may be views, also of shared memory: a store copies.
      save: (step, state, { best }) =>
        records.saves.push({ step, state: deserialize(serialize(state)), best }),
    },
    origin: { physics: { build: "simd", version: "", wasmHash: "" }, gitCommit: "" },
    control: {
      stopRequested: () => (typeof stopAt === "number" ? session.step >= stopAt : stopAt()),
      report: () => {},
    },
  });
  return { session, records };
}

/** Logged numbers but for times, which differ from run to run. */
export function timeless({ logs }: Records, from = 0): [number, [string, number][]][] {
  return logs
    .filter(({ step }) => step > from)
    .map(({ step, metrics }) => [
      step,
      Object.entries(metrics).filter(([name]) => !name.startsWith("time/")),
    ]);
}
