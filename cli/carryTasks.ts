// Carry tasks: recordings of tasks from files, made fit to be simulated where those files are not.
//
// Such a recording names its task's file by an absolute path (sim/episodeRecorder.ts). A page gets the
// file's name alone and the files themselves (tasks/bundle.ts), or why it gets none.

import { concatBytes } from "../sim/chunks.ts";
import { readRecordings } from "../sim/readRecordings.ts";
import { encodeRecording, type Recording } from "../sim/recording.ts";
import { collectBundle, type TaskBundle } from "../tasks/bundle.ts";
import { isFileName } from "../tasks/files.ts";

/** What a page finds in a recording's parameters beside `source`. */
interface Carried {
  readonly source: string;
  /** In the first episode of a file that has this task. */
  readonly bundle?: TaskBundle;
  /** In those after it: where in the file the bundle is, from 0. */
  readonly bundleOf?: number;
  /** Why there is none. */
  readonly problem?: string;
}

/** A file of recordings with their tasks' files in it; the same bytes where no task is from a file. */
export async function carryTasks(bytes: Uint8Array): Promise<Uint8Array> {
  if (!Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).includes('"source"')) return bytes;
  const { recordings } = readRecordings(bytes);
  if (!recordings.some((recording) => sourceOf(recording) !== null)) return bytes;
  const known = new Map<string, Carried>();
  const parts: Uint8Array[] = [];
  for (const [index, recording] of recordings.entries()) {
    const source = sourceOf(recording);
    const carried = source === null ? null : (known.get(source) ?? (await carry(source)));
    if (carried?.bundle) known.set(source!, { source: carried.source, bundleOf: index });
    const { header } = recording;
    const parameters = { ...header.parameters, ...carried };
    parts.push(encodeRecording({ ...recording, header: { ...header, parameters } }));
  }
  return concatBytes(parts);
}

/** The file that makes a recording's task; null where the registry does. */
function sourceOf({ header: { parameters } }: Recording): string | null {
  const { source } = parameters;
  return typeof source === "string" && isFileName(source) && /[/\\]/.test(source) ? source : null;
}

async function carry(source: string): Promise<Carried> {
  const name = nameOf(source);
  if (/\.m?[jt]s$/i.test(name)) {
    const problem = `the task is made by "${name}", which is a program: a page runs none that a recording names; "salle verify --task" and "salle play" do`;
    return { source: name, problem };
  }
  try {
    return { source: name, bundle: await collectBundle(new URL(source)) };
  } catch {
    // Why is said by that command: errors may quote paths and lines of files that a stranger's recording named.
    const problem = `the task's file "${name}" can't be read here as a task of at most 8 MB: "salle envs check" says why`;
    return { source: name, problem };
  }
}

function nameOf(source: string): string {
  const name = source.replace(/[?#].*$/, "").replace(/^.*[/\\]/, "");
  try {
    return decodeURIComponent(name).replace(/^.*[/\\]/, "");
  } catch {
    return name;
  }
}
