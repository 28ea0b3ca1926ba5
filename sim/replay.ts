// Replay: simulates a recording again in a world of one and compares every checksum and the return.

import { checkActions } from "./actions.ts";
import { worldHash } from "./checksum.ts";
import { Envs } from "./env.ts";
import type { Physics } from "./rapier.ts";
import type { Recording } from "./recording.ts";
import type { Task } from "./task.ts";

export interface ReplayResult {
  /** Whether every checksum is equal and, where the recording is whole, return, length and end are. */
  readonly ok: boolean;
  /** Control steps after which the first difference was seen; null where there is none. */
  readonly firstMismatchStep: number | null;
  /** What was recorded and what came, in words; null where there is no difference. */
  readonly mismatch: string | null;
  readonly episodeReturn: number;
}

/** Simulates a recording again, to the bit; throws where this physics or task cannot be the recorded one. */
export function replay(physics: Physics, task: Task, recording: Recording): ReplayResult {
  const envs = startReplay(physics, task, recording);
  try {
    return run(envs, recording);
  } finally {
    envs.free();
  }
}

/** A world of one where the recording begins: step it with the recorded actions or others. */
export function startReplay(
  physics: Physics,
  task: Task,
  recording: Recording,
  { autoReset = true }: { readonly autoReset?: boolean } = {},
): Envs {
  checkFit(physics, task, recording);
  const { header, start } = recording;
  const envs = new Envs(physics, task, { seed: header.seed, firstEnv: header.slot, autoReset });
  if (start.type === "state") envs.restore(start.state);
  else {
    if (task.hasLevels) envs.setLevel(levelOf(recording));
    envs.begin(0, start.type === "generator" ? start.generator : undefined);
  }
  return envs;
}

function run(envs: Envs, { actions, checksums, ending }: Recording): ReplayResult {
  const { size } = envs.task.action;
  const numSteps = actions.length / size;
  const hashes = new Map(checksums.map(({ step, hash }) => [step, hash]));
  let episodeReturn = 0;
  let ended = false;
  const differs = (step: number, mismatch: string): ReplayResult => {
    return { ok: false, firstMismatchStep: step, mismatch, episodeReturn };
  };
  for (let step = 0; ; step++) {
    const wanted = ended ? undefined : hashes.get(step);
    const hash = wanted && worldHash(envs.simulation.worlds[0]!);
    if (wanted !== hash) return differs(step, `the state has checksum ${hash}, recorded ${wanted}`);
    if (step === numSteps) break;
    if (ended) return differs(step, `the episode ended, recorded ${numSteps} steps`);
    const out = envs.step(actions.subarray(step * size, (step + 1) * size));
    episodeReturn += out.rewards[0]!;
    ended = out.terminated[0]! + out.truncated[0]! > 0;
  }
  const { terminated, truncated } = envs.out;
  const came = { episodeReturn, terminated: terminated[0] === 1, truncated: truncated[0] === 1 };
  for (const key of ["episodeReturn", "terminated", "truncated"] as const) {
    if (ending && !Object.is(ending[key], came[key]))
      return differs(numSteps, `${key} is ${came[key]}, recorded ${ending[key]}`);
  }
  return { ok: true, firstMismatchStep: null, mismatch: null, episodeReturn };
}

/** The level that a recording's episode had, among its parameters; 1 where it names none. */
export function levelOf({ header }: Recording): number {
  const { level = 1 } = header.parameters;
  if (typeof level !== "number") throw new Error(`recorded at level ${level}, expected a number`);
  return level;
}

function checkFit(physics: Physics, task: Task, { header, actions }: Recording): void {
  if (header.task !== task.id)
    throw new Error(`recorded with task "${header.task}", got "${task.id}"`);
  for (const key of ["build", "version", "wasmHash"] as const) {
    if (header.physics[key] !== physics[key])
      throw new Error(`recorded with physics ${key} ${header.physics[key]}, got ${physics[key]}`);
  }
  const { size } = task.action;
  if (header.actionSize !== size)
    throw new Error(`recorded with actions of ${header.actionSize} numbers, task takes ${size}`);
  checkActions(actions, Math.ceil(actions.length / size), size, "step");
}
