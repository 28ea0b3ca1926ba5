// `salle render`: pictures of tasks and of recorded episodes, without a screen.

import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { Command, InvalidArgumentError, Option } from "commander";
import { collectBundle, type TaskBundle } from "../tasks/bundle.ts";
import { createTask, tasks } from "../tasks/index.ts";
import { presets } from "../viewer/client/scene/bounds.ts";
import { type PictureRequest, startPainter } from "../viewer/pictures.ts";
import { type EpisodeOptions, episodeOf, recordedPath, renderEpisode } from "./renderEpisode.ts";

type RenderOptions = EpisodeOptions & { readonly seed: number };

const usualSize = [960, 600] as const; // pixels
const usualStep = 20;

export function renderCommand(): Command {
  return new Command("render")
    .argument(
      "[what...]",
      "tasks, all where none is named; or one recording (.rec) or run, whose newest one is drawn",
    )
    .option("-o, --out <folder>", "where the pictures go", "pictures")
    .addOption(
      new Option("--theme <theme>", "surroundings").choices(["light", "dark"]).default("light"),
    )
    .option("--size <pixels>", "width x height; 960x600, in an episode's sheet 320x220", sizeOf)
    .option(
      "--step <steps>",
      "control steps: 20 random ones of a task, or those of an episode",
      countOf,
    )
    .option(
      "--episode <which>",
      "which of a recording's episodes, from 0; of a run also eval-20000 or eval-20000:2",
      episodeOf,
    )
    .option("--video <file>", "a video of the episode; .mp4, or .webm where H.264 is missing")
    .addOption(new Option("--camera <from>", "where it stands, for an episode").choices(presets))
    .option("--seed <seed>", "of start and actions", countOf, 1)
    .addOption(
      new Option("--format <format>", "of the files").choices(["png", "webp"]).default("png"),
    )
    .option("--sheet", "one picture of all tasks, or of twelve steps of an episode", false)
    .addHelpText(
      "after",
      "\nExamples:\n  salle render hopper ant\n  salle render --sheet --size 320x220 --format webp\n  salle render episode.rec --step 40\n  salle render runs/hopper-hop-v0__sac__1 --sheet --video hopper.mp4",
    )
    .action(render);
}

async function render(names: readonly string[], options: RenderOptions): Promise<void> {
  const recorded = names.map(recordedPath).find((path) => path !== null);
  if (recorded === undefined) return await renderTasks(names, options);
  if (names.length > 1) throw new Error(`one recording at a time, got ${names.join(", ")}`);
  await renderEpisode(recorded, options);
}

interface Subject {
  readonly task: string;
  readonly bundle?: TaskBundle;
}

/** What a page needs to know of a task. */
async function subjectOf(name: string): Promise<Subject> {
  const { id, source } = await createTask(name);
  return source === undefined
    ? { task: id }
    : { task: id, bundle: await collectBundle(new URL(source)) };
}

async function renderTasks(names: readonly string[], options: RenderOptions): Promise<void> {
  const subjects: Subject[] = [];
  for (const name of names) subjects.push(await subjectOf(name));
  if (names.length === 0) subjects.push(...Object.keys(tasks).map((task) => ({ task })));
  const { out, theme, seed, format, size = usualSize, step = usualStep } = options;
  const [width, height] = size;
  const picture = (subject: Subject, at: number): PictureRequest => {
    return { ...subject, step: at, seed, theme, width, height, format };
  };
  mkdirSync(out, { recursive: true });
  const save = (name: string, bytes: Uint8Array): void => {
    const file = join(out, `${name}.${format}`);
    writeFileSync(file, bytes);
    console.log(`${file}  ${Math.ceil(bytes.length / 1000)} kB`);
  };
  const painter = await startPainter();
  try {
    if (options.sheet) {
      const pictures = subjects.map((subject) => picture(subject, step));
      const columns = Math.min(4, pictures.length);
      save(`tasks-${theme}`, await painter.sheet({ pictures, columns }));
      return;
    }
    for (const subject of subjects) {
      save(`${subject.task}-start`, await painter.draw(picture(subject, 0)));
      save(`${subject.task}-step${step}`, await painter.draw(picture(subject, step)));
    }
  } finally {
    await painter.close();
  }
}

function sizeOf(text: string): readonly [number, number] {
  const [, width, height] = /^(\d{2,4})x(\d{2,4})$/.exec(text) ?? [];
  if (!width || !height) throw new InvalidArgumentError('wants width x height, such as "960x600"');
  return [Number(width), Number(height)];
}

function countOf(text: string): number {
  if (!/^\d{1,6}$/.test(text)) throw new InvalidArgumentError("wants a whole number");
  return Number(text);
}
