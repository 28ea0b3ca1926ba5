// salle render of a recorded episode: a step, a sheet of steps, or a video.

import { existsSync, mkdirSync, statSync, writeFileSync } from "node:fs";
import { basename, dirname, extname, join } from "node:path";
import { readRecordings } from "../sim/readRecordings.ts";
import { RunFolder } from "../viewer/runs.ts";
import { renderStill, renderVideo, type StillRequest } from "../viewer/video.ts";
import { carryTasks } from "./carryTasks.ts";
import { print } from "./output.ts";

export interface EpisodeOptions {
  readonly out: string;
  readonly theme: "light" | "dark";
  readonly size?: readonly [number, number];
  readonly step?: number;
  readonly format: "png" | "webp";
  readonly sheet: boolean;
  /** The newest recording's first where missing. */
  readonly episode?: EpisodeChoice;
  readonly video?: string;
  readonly camera?: NonNullable<StillRequest["preset"]>;
}

/** An episode of a run or a recording. */
export interface EpisodeChoice {
  /** Of the run's recordings, with or without .rec; null for the newest. */
  readonly file: string | null;
  /** In that file, from 0. */
  readonly index: number;
}

const newest: EpisodeChoice = { file: null, index: 0 };

/** "2", "eval-20000" or "eval-20000:2". */
export function episodeOf(text: string): EpisodeChoice {
  const [, name = null, index = "0"] = /^(?:(.*?):)?(\d+)$/.exec(text) ?? [null, text];
  return { file: name, index: Number(index) };
}

/** The recording or run that a name is; null where it may be a task's. */
export function recordedPath(name: string): string | null {
  if (name.endsWith(".rec")) return name;
  const folders = [name, join("runs", name)];
  const isFolder = (path: string) => existsSync(path) && statSync(path).isDirectory();
  return folders.find(isFolder) ?? null;
}

/** Writes what the options ask for; a sheet where they ask for nothing. */
export async function renderEpisode(path: string, options: EpisodeOptions): Promise<void> {
  const { episode = newest, theme, format, step, video, out, camera } = options;
  const { file, query, numSteps } = find(path, episode);
  if (step !== undefined && step > numSteps)
    throw new Error(`the episode has steps 0 to ${numSteps}, not ${step}`);
  const open = { path, query, theme, carry: carryTasks };
  const of = ([width, height]: readonly [number, number]) => ({ ...open, width, height });
  const shots: ("sheet" | number)[] = step === undefined ? [] : [step];
  if (options.sheet || (shots.length === 0 && video === undefined)) shots.push("sheet");
  const name = `${basename(file, ".rec")}-${episode.index}`;
  for (const shot of shots) {
    const size = options.size ?? (shot === "sheet" ? [320, 220] : [960, 600]);
    const preset = camera === undefined ? {} : { preset: camera };
    const bytes = await renderStill({ ...of(size), step: shot, format, ...preset });
    const part = shot === "sheet" ? "sheet" : `step${shot}`;
    save(join(out, `${name}-${part}.${format}`), bytes);
  }
  if (video === undefined) return;
  const { bytes, extension } = await renderVideo(of(options.size ?? [960, 600]));
  const wanted = extname(video);
  save(
    wanted === `.${extension}`
      ? video
      : `${video.slice(0, video.length - wanted.length)}.${extension}`,
    bytes,
  );
}

interface Found {
  readonly file: string;
  /** The page's address of the episode. */
  readonly query: string;
  readonly numSteps: number;
}

function find(path: string, { file, index }: EpisodeChoice): Found {
  if (!existsSync(path)) throw new Error(`there is no "${path}": expected a .rec file or a run`);
  const folder = new RunFolder(path);
  const [run] = folder.list();
  const names = run?.episodes.map(({ name }) => name) ?? [];
  const name =
    file === null ? names.at(-1) : names.find((each) => each === file || each === `${file}.rec`);
  if (!run || names.length === 0) throw new Error(`nothing is recorded in "${path}"`);
  if (name === undefined)
    throw new Error(`"${path}" has no recording "${file}"; it has ${names.join(", ")}`);
  const bytes = folder.recording(run.id, name);
  if (!bytes) throw new Error(`${name} is too large to open`);
  const { recordings, problems } = readRecordings(bytes);
  const recording = recordings[index];
  if (!recording)
    throw new Error(
      problems[0] ?? `${name} has episodes 0 to ${recordings.length - 1}, not ${index}`,
    );
  const query = new URLSearchParams({ run: run.id, episode: name, n: String(index) });
  const { actions, header } = recording;
  return { file: name, query: `?${query}`, numSteps: actions.length / header.actionSize };
}

function save(file: string, bytes: Uint8Array): void {
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, bytes);
  print(`${file}  ${Math.ceil(bytes.length / 1000)} kB`);
}
