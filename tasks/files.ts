// Tasks from files: a robot (.xml MJCF, .urdf), a task file (.json) or a module (.js, .mjs, .ts).
//
// A name that is a path or a URL is such a file; any other may be one of the folder salle-tasks/. Files come
// from disk under Node, over the network in a browser.

import { didYouMean } from "../sim/source.ts";
import type { Task } from "../sim/task.ts";
import { type GenericOptions, genericDefaults, genericTask } from "./generic.ts";
import { kit } from "./kit.ts";
import { loadRobotFile } from "./robotFiles.ts";
import { type TaskReader, usualReader } from "./taskReader.ts";

/** Where tasks of the current folder are looked for by name. */
export const tasksFolder = "salle-tasks";

const endings = [".json", ".mjs", ".js", ".ts"];
const isUrl = /^[a-z]+:\/\//;

/** Whether a name is a file's, rather than a registered task's. */
export function isFileName(name: string): boolean {
  return isUrl.test(name) || /[/\\]/.test(name) || /\.(xml|urdf|json|m?[jt]s)$/i.test(name);
}

/** The id of a file's task: its name in small letters, without ending. */
export function fileTaskId(name: string): string {
  const file = decodeURIComponent(name)
    .replace(/^.*[/\\]/, "")
    .replace(/\.\w+$/, "");
  const id = file
    .toLowerCase()
    .replaceAll(/[^a-z0-9]+/g, "-")
    .replaceAll(/^-|-$/g, "");
  if (id === "") throw new Error(`no task can be called after "${name}"`);
  return id;
}

/** The absolute URL of a task's file; undefined where the folder salle-tasks/ has none of that name. */
export async function findTaskFile(name: string): Promise<URL | undefined> {
  if (isFileName(name)) return await absolute(name);
  if (typeof window !== "undefined") return undefined;
  const { existsSync } = await import("node:fs");
  for (const ending of endings) {
    const url = await absolute(`${tasksFolder}/${name}${ending}`);
    if (existsSync(url)) return url;
  }
  return undefined;
}

async function absolute(name: string): Promise<URL> {
  if (isUrl.test(name)) return new URL(name);
  if (typeof window !== "undefined") return new URL(name, window.location.href);
  const { pathToFileURL } = await import("node:url");
  return pathToFileURL(name);
}

/** The task that a file describes; its `source` is the file's URL. */
export async function loadTaskFile(url: URL): Promise<Task> {
  const task = isData(url) ? await dataTask(url) : await moduleTask(url);
  return { ...task, source: url.href };
}

/** Whether a task's file is read (a robot's, or .json), rather than run. */
export function isData({ pathname }: URL): boolean {
  return /\.(xml|urdf|json)$/i.test(pathname);
}

/** The task of a file that is data; it has no `source`. */
export async function dataTask(url: URL, reader: TaskReader = usualReader): Promise<Task> {
  const id = fileTaskId(url.pathname);
  if (/\.json$/i.test(url.pathname)) return await jsonTask(id, url, reader);
  const { model } = await loadRobotFile(url, { reader });
  return genericTask(id, model);
}

/** A task file: the robot's file, whether a URDF's trunk is free, and options of the generic task. */
async function jsonTask(id: string, url: URL, reader: TaskReader): Promise<Task> {
  const name = url.pathname.replace(/^.*\//, "");
  const text = await reader.text(url);
  const { robot, floatingBase, ...options } = parseSettings(text, name);
  const { model } = await loadRobotFile(new URL(robot, url), { floatingBase, reader });
  return genericTask(id, model, options);
}

interface TaskSettings extends GenericOptions {
  /** The robot's file, seen from the task file. */
  readonly robot: string;
  readonly floatingBase: boolean;
}

/** Reads a task file; throws where a setting is unknown or no such value. */
export function parseSettings(text: string, file: string): TaskSettings {
  const defaults: TaskSettings = { robot: "", floatingBase: false, ...genericDefaults };
  let given: unknown;
  try {
    given = JSON.parse(text);
  } catch (error) {
    throw new Error(`${file}: ${(error as Error).message}`);
  }
  if (typeof given !== "object" || given === null || Array.isArray(given))
    throw new Error(`${file}: a task file is an object {"robot": "…", …}`);
  const known: Readonly<Record<string, unknown>> = { ...defaults };
  for (const [key, value] of Object.entries(given)) {
    if (!(key in known)) {
      const names = Object.keys(known);
      throw new Error(
        `${file}: unknown setting "${key}"${didYouMean(key, names)}; known: ${names.join(", ")}`,
      );
    }
    const wanted = typeof known[key];
    if (typeof value !== wanted || (wanted === "number" && !((value as number) >= 0)))
      throw new Error(
        `${file}: "${key}" is a ${wanted}${wanted === "number" ? " from 0" : ""}, got ${JSON.stringify(value)}`,
      );
  }
  const settings = { ...defaults, ...given };
  if (settings.robot === "") throw new Error(`${file}: "robot" must name the robot's file`);
  return settings;
}

async function moduleTask(url: URL): Promise<Task> {
  const id = fileTaskId(url.pathname);
  const found = (await import(/* @vite-ignore */ url.href).catch((error: Error) => {
    const typescript = "code" in error && error.code === "ERR_UNKNOWN_FILE_EXTENSION";
    if (!typescript) throw error;
    throw new Error(
      `${url.pathname}: this Node reads no TypeScript: use Node 22.18, or compile it`,
    );
  })) as { readonly createTask?: unknown };
  if (typeof found.createTask !== "function")
    throw new Error(`${url.pathname} has no export createTask(id, salle)`);
  const task: unknown = await found.createTask(id, kit);
  if (typeof task !== "object" || task === null || !("controlDt" in task))
    throw new Error(`createTask of ${url.pathname} returned no task`);
  return task as Task;
}
