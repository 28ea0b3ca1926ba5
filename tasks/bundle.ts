// Bundle: a task from files as data that travels: its own file, the robot's, what that includes, its meshes.
//
// A page can't read this disk, so a recording that it gets carries the bundle. It holds files by the names
// by which the reader asks for them, and of the task's and the robot's file the last part of the path alone.
// A bundle may come from a stranger: it is bounded, holds nothing that runs, and is read like any robot.

import type { Task } from "../sim/task.ts";
import { dataTask, isData } from "./files.ts";
import { type TaskReader, usualReader } from "./taskReader.ts";

export interface TaskBundle {
  /** Of the task's file, without its folder. */
  readonly name: string;
  readonly texts: Readonly<Record<string, string>>;
  /** Meshes as base64. */
  readonly bytes: Readonly<Record<string, string>>;
}

export const mostFiles = 200;
export const mostSize = 8_000_000; // characters of all files, meshes as base64

/** The files of the task at a file's URL; throws where they make none, run code or are too large. */
export async function collectBundle(url: URL): Promise<TaskBundle> {
  if (url.protocol !== "file:" || url.host !== "" || !isData(url))
    throw new Error(
      `a bundle holds a robot's file or a .json of this disk, got "${lastName(url)}"`,
    );
  const collector = new Collector();
  await dataTask(url, collector);
  return collector.bundle(url);
}

/** The task of a bundle, which may be anything at all. */
export async function bundledTask(found: unknown): Promise<Task> {
  const bundle = checked(found);
  const { texts, bytes } = bundle;
  const reader: TaskReader = {
    async text(url) {
      const name = lastName(url);
      const text = own(texts, name);
      if (text === undefined) throw new Error(`the task's bundle has no file "${name}"`);
      return text;
    },
    beside: async () => ({
      readFile: (name) => own(texts, name),
      readBytes(name) {
        const base64 = own(bytes, name);
        return base64 === undefined ? undefined : fromBase64(base64);
      },
    }),
  };
  const url = new URL(`bundle:///${encodeURIComponent(bundle.name)}`);
  if (!isData(url))
    throw new Error(`a bundle's task is .xml, .urdf or .json, not "${bundle.name}"`);
  return { ...(await dataTask(url, reader)), source: bundle.name };
}

/** The last part of a path. */
export function lastName({ pathname }: URL): string {
  return decodeURIComponent(pathname.slice(pathname.lastIndexOf("/") + 1));
}

/** Reads the disk, and keeps what it read. */
class Collector implements TaskReader {
  private readonly texts = new Map<string, string>();
  private readonly bytes = new Map<string, string>();
  private robot = ""; // the last part of its file's URL
  private size = 0;

  async text(url: URL): Promise<string> {
    if (url.protocol !== "file:")
      throw new Error(`a bundle holds files of this disk, not "${url.protocol}"`);
    const text = await usualReader.text(url);
    this.robot = url.pathname.slice(url.pathname.lastIndexOf("/") + 1);
    this.keep(this.texts, lastName(url), text);
    return text;
  }

  async beside(url: URL) {
    const { readFile, readBytes } = await usualReader.beside(url);
    return {
      readFile: (name: string) => {
        const text = readFile?.(name);
        if (text !== undefined) this.keep(this.texts, name, text);
        return text;
      },
      readBytes: (name: string) => {
        const bytes = readBytes?.(name);
        if (bytes) this.keep(this.bytes, name, toBase64(bytes));
        return bytes;
      },
    };
  }

  bundle(url: URL): TaskBundle {
    const name = lastName(url);
    const texts = Object.fromEntries(this.texts);
    if (/\.json$/i.test(name)) {
      // It may name the robot's file by a path of this disk; in the bundle the two lie side by side.
      const settings = JSON.parse(texts[name]!) as Record<string, unknown>;
      texts[name] = JSON.stringify({ ...settings, robot: `./${this.robot}` });
    }
    return { name, texts, bytes: Object.fromEntries(this.bytes) };
  }

  private keep(files: Map<string, string>, name: string, content: string): void {
    const had = files.get(name);
    if (had === content) return;
    if (had !== undefined) throw new Error(`two files of the task are called "${name}"`);
    files.set(name, content);
    this.size += content.length;
    checkSize(this.texts.size + this.bytes.size, this.size);
  }
}

function checked(found: unknown): TaskBundle {
  const { name, texts, bytes } = (found ?? {}) as Partial<Record<keyof TaskBundle, unknown>>;
  if (typeof name !== "string" || !isTexts(texts) || !isTexts(bytes))
    throw new Error("a task's bundle has a name, texts and bytes");
  const files = [...Object.values(texts), ...Object.values(bytes)];
  checkSize(
    files.length,
    files.reduce((size, { length }) => size + length, 0),
  );
  return { name, texts, bytes };
}

function checkSize(numFiles: number, size: number): void {
  if (numFiles > mostFiles || size > mostSize)
    throw new Error(
      `a task's bundle holds at most ${mostFiles} files and ${mostSize / 1e6} MB, got ${numFiles} and ${(size / 1e6).toFixed(1)} MB`,
    );
}

function isTexts(found: unknown): found is Readonly<Record<string, string>> {
  return (
    typeof found === "object" &&
    found !== null &&
    Object.values(found).every((text) => typeof text === "string")
  );
}

function own(files: Readonly<Record<string, string>>, name: string): string | undefined {
  return Object.hasOwn(files, name) ? files[name] : undefined;
}

function toBase64(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString("base64"); // only the disk is collected from
}

function fromBase64(text: string): Uint8Array {
  return Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
}
