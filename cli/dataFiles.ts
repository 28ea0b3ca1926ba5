// salle data export, import: datasets as files of other tools, and back.

import { existsSync, renameSync, rmSync } from "node:fs";
import { basename, dirname, join, resolve } from "node:path";
import { Command, Option } from "commander";
import { Dataset } from "../finetune/dataset.ts";
import { didYouMean } from "../sim/source.ts";
import type { Format } from "../train/formats/format.ts";
import { formats } from "../train/formats/index.ts";
import { writeDatasets } from "../train/newDatasets.ts";
import { derivation, printWritten } from "./dataEdit.ts";
import { finiteNumber } from "./numbers.ts";
import { print } from "./output.ts";

const names = Object.keys(formats).join(", ");
const formatOption = () => new Option("--format <name>", names).makeOptionMandatory();

interface ExportOptions {
  readonly format: string;
  readonly out: string;
}

export function exportDataCommand(): Command {
  return new Command("export")
    .description("write a dataset as another tool's files")
    .argument("<dataset>", "its folder")
    .addOption(formatOption())
    .requiredOption("--out <path>", "the file or folder to write, a new one")
    .addHelpText(
      "after",
      `
Minari and LeRobot are folders, D4RL and robomimic one .hdf5 file.

Examples:
  salle data export datasets/lift-cube --format minari --out exported/lift-cube
  salle data export datasets/lift-cube --format robomimic --out lift-cube.hdf5`,
    )
    .action(exportData);
}

async function exportData(path: string, { format: name, out }: ExportOptions): Promise<void> {
  const format = formatNamed(name);
  const { ending = "" } = format;
  if (!out.endsWith(ending))
    throw new Error(`--format ${name} writes a file that ends in "${ending}", got "${out}"`);
  if (existsSync(out)) throw new Error(`${out} exists: name another place, or remove it`);
  const dataset = new Dataset(path, 0); // from the disk, episode by episode
  if (dataset.episodes.length === 0) throw new Error(`${path} has no episodes to export`);
  const draft = join(dirname(resolve(out)), `.${basename(out)}.draft`);
  rmSync(draft, { recursive: true, force: true });
  try {
    await format.write(dataset, draft, basename(resolve(out)));
    renameSync(draft, out);
  } finally {
    rmSync(draft, { recursive: true, force: true });
    dataset.close();
  }
  print(`wrote ${out}: ${dataset.episodes.length} episodes, ${dataset.numSteps} steps`);
  print(`  ${name} has no place for ${format.loses}`);
}

interface ImportOptions extends ExportOptions {
  readonly task?: string;
  readonly controlDt?: string;
}

export function importDataCommand(): Command {
  return new Command("import")
    .description("read another tool's files, as a new dataset")
    .argument("<path>", "the file or folder")
    .addOption(formatOption())
    .requiredOption("--out <folder>", "the dataset to write, a new folder")
    .option("--task <id>", "the task it belongs to, where the files name none or another")
    .option("--control-dt <s>", "seconds from one row to the next, where the files do not say")
    .addHelpText(
      "after",
      `
Examples:
  salle data import ~/.minari/datasets/mujoco/hopper/medium-v0 --format minari --control-dt 0.008 --out datasets/hopper
  salle data import low_dim.hdf5 --format robomimic --out datasets/lift`,
    )
    .action(importData);
}

async function importData(
  path: string,
  { format: name, out, task, controlDt }: ImportOptions,
): Promise<void> {
  const format = formatNamed(name);
  const seconds = controlDt === undefined ? undefined : finiteNumber("--control-dt", controlDt);
  const foreign = await format.open(path, {
    ...(task !== undefined && { task }),
    ...(seconds !== undefined && { controlDt: seconds }),
  });
  const { info, numEpisodes, remarks } = foreign;
  const provenance = { ...derivation(), file: path, format: name, remarks };
  let numEmpty = 0;
  try {
    await writeDatasets([{ path: out, info: { ...info, provenance } }], ([writer]) => {
      for (let index = 0; index < numEpisodes; index++) {
        const episode = foreign.episode(index);
        if (episode) writer!.add(episode);
        else numEmpty++;
      }
    });
  } finally {
    foreign.close();
  }
  for (const remark of remarks) print(remark);
  if (numEmpty > 0) print(`${numEmpty} episodes had no step left`);
  printWritten(out);
}

function formatNamed(name: string): Format {
  const format = formats[name];
  if (format) return format;
  throw new Error(
    `unknown format "${name}"${didYouMean(name, Object.keys(formats))}; known: ${names}`,
  );
}
