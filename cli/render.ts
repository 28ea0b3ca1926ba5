// `salle render`: pictures of tasks, without a screen.

import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { Command, InvalidArgumentError, Option } from "commander";
import { taskId, tasks } from "../tasks/index.ts";
import { type PictureRequest, startPainter } from "../viewer/pictures.ts";

interface RenderOptions {
  readonly out: string;
  readonly theme: "light" | "dark";
  readonly size: readonly [number, number];
  readonly step: number;
  readonly seed: number;
  readonly format: "png" | "webp";
  readonly sheet: boolean;
}

export function renderCommand(): Command {
  return new Command("render")
    .argument("[tasks...]", "which tasks; all where none is named")
    .option("-o, --out <folder>", "where the pictures go", "pictures")
    .addOption(
      new Option("--theme <theme>", "surroundings").choices(["light", "dark"]).default("light"),
    )
    .option("--size <pixels>", "width x height", sizeOf, [960, 600] as const)
    .option("--step <steps>", "control steps of random actions", countOf, 20)
    .option("--seed <seed>", "of start and actions", countOf, 1)
    .addOption(
      new Option("--format <format>", "of the files").choices(["png", "webp"]).default("png"),
    )
    .option("--sheet", "one picture of all tasks instead", false)
    .addHelpText(
      "after",
      "\nExamples:\n  salle render hopper ant\n  salle render --sheet --size 320x220 --format webp",
    )
    .action(render);
}

async function render(names: readonly string[], options: RenderOptions): Promise<void> {
  const ids = names.length > 0 ? names.map(taskId) : Object.keys(tasks);
  const { out, theme, seed, format, size } = options;
  const [width, height] = size;
  const picture = (task: string, step: number): PictureRequest => {
    return { task, step, seed, theme, width, height, format };
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
      const pictures = ids.map((id) => picture(id, options.step));
      save(`tasks-${theme}`, await painter.sheet({ pictures, columns: Math.min(4, ids.length) }));
      return;
    }
    for (const id of ids) {
      save(`${id}-start`, await painter.draw(picture(id, 0)));
      save(`${id}-step${options.step}`, await painter.draw(picture(id, options.step)));
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
