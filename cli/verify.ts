// salle verify: simulates recorded episodes again and says of each whether it is what it claims to be.

import { readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { Command } from "commander";
import { loadPhysics, physicsBuildNamed } from "../sim/rapier.ts";
import { readRecordings } from "../sim/readRecordings.ts";
import type { Recording } from "../sim/recording.ts";
import { replay } from "../sim/replay.ts";
import { createTask } from "../tasks/index.ts";
import { print } from "./output.ts";
import { recordedTask } from "./recordedTask.ts";

/** What `salle verify --json` prints of an episode. */
export interface Verdict {
  readonly file: string;
  /** From 0 in each file. */
  readonly episode: number;
  readonly task: string;
  readonly steps: number;
  /** What the recording claims; null where its end was cut. */
  readonly episodeReturn: number | null;
  readonly ok: boolean;
  /** Why not, in words; null where every checksum, the return and the end are equal to the bit. */
  readonly problem: string | null;
}

export function verifyCommand(): Command {
  return new Command("verify")
    .argument("<path...>", "recordings (.rec), or folders of runs with episodes/*.rec")
    .option("--task <name>", "the task to simulate, instead of the one that a recording names")
    .option("--json", "print a list of verdicts and one of problems as JSON")
    .addHelpText(
      "after",
      `
Poses are compared where the recording has checksums, and so are each episode's return, length and end.
The exit code is 0 if all episodes of all files are whole and match.

Examples:
  salle verify episode.rec
  salle verify runs/hopper-hop-v0__sac__1
  salle verify episode.rec --task ./salle-tasks/mine.mjs`,
    )
    .action(async (paths: readonly string[], { json = false, task }: VerifyOptions) => {
      const { verdicts, problems } = await verifyFiles(paths.flatMap(filesOf), json, task);
      if (json) print(JSON.stringify({ verdicts, problems }, null, 2));
      process.exitCode = problems.length === 0 && verdicts.every(({ ok }) => ok) ? 0 : 1;
    });
}

interface VerifyOptions {
  readonly json?: boolean;
  readonly task?: string;
}

interface Findings {
  readonly verdicts: readonly Verdict[];
  /** What was cut or corrupt, by file. */
  readonly problems: readonly string[];
}

async function verifyFiles(
  files: readonly string[],
  quiet: boolean,
  taskName?: string,
): Promise<Findings> {
  const say = quiet ? () => {} : print;
  const verdicts: Verdict[] = [];
  const problems: string[] = [];
  for (const file of files) {
    const read = readRecordings(readFileSync(file));
    const found = read.problems.map((problem) => `${file}: ${problem}`);
    if (read.recordings.length === 0 && found.length === 0)
      found.push(`${file}: is empty, expected a recording`);
    for (const [episode, recording] of read.recordings.entries()) {
      const verdict = await verify(file, episode, recording, taskName);
      say(describe(verdict));
      verdicts.push(verdict);
    }
    for (const problem of found) say(`✗ ${problem}`);
    problems.push(...found);
  }
  const numMatching = verdicts.filter(({ ok }) => ok).length;
  say(`\n${numMatching} of ${verdicts.length} episodes match to the bit.`);
  return { verdicts, problems };
}

/** The recordings that a path names. */
function filesOf(path: string): string[] {
  const stat = statSync(path, { throwIfNoEntry: false });
  if (!stat) throw new Error(`there is no "${path}": expected a .rec file or a run's folder`);
  if (stat.isFile()) return [path];
  const folders = [join(path, "episodes"), path];
  const files = folders.flatMap((folder) => recordingsIn(folder));
  if (files.length === 0)
    throw new Error(`no recordings in "${path}": expected .rec files there or in its episodes/`);
  return files;
}

function recordingsIn(folder: string): string[] {
  if (!statSync(folder, { throwIfNoEntry: false })?.isDirectory()) return [];
  const names = readdirSync(folder).filter((name) => name.endsWith(".rec"));
  return names.sort().map((name) => join(folder, name));
}

async function verify(
  file: string,
  episode: number,
  recording: Recording,
  taskName?: string,
): Promise<Verdict> {
  const { header, actions, ending } = recording;
  const about = {
    file,
    episode,
    task: header.task,
    steps: actions.length / header.actionSize,
    episodeReturn: ending?.episodeReturn ?? null,
  };
  try {
    const physics = await loadPhysics(physicsBuildNamed(header.physics.build));
    const { ok, firstMismatchStep, mismatch } = replay(
      physics,
      await createTask(taskName ?? recordedTask(recording)),
      recording,
    );
    if (ok) return { ...about, ok, problem: null };
    return { ...about, ok, problem: `after step ${firstMismatchStep}: ${mismatch}` };
  } catch (error) {
    // A recording's words enter the program here: a task, build or state that does not exist or fit.
    return { ...about, ok: false, problem: error instanceof Error ? error.message : String(error) };
  }
}

function describe({ file, episode, task, steps, episodeReturn, ok, problem }: Verdict): string {
  const claim = episodeReturn === null ? "its end is cut" : `return ${episodeReturn.toFixed(3)}`;
  const name = `${file} #${episode}: ${task}, ${steps} steps, ${claim}`;
  return ok ? `✓ ${name}: matches` : `✗ ${name}: ${problem}`;
}
