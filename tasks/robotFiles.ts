// A robot's file with what lies beside it: included files and meshes.

import type { Imported } from "../sim/mjcf.ts";
import { parseMjcf } from "../sim/mjcf.ts";
import { parseUrdf } from "../sim/urdf.ts";
import { readText } from "./robots.ts";

export interface RobotFileOptions {
  /** Whether a URDF's root link is free to move; MJCF files say so themselves. */
  readonly floatingBase?: boolean;
}

/** Reads MJCF or URDF, whichever the file's first element says it is. */
export async function loadRobotFile(
  url: URL,
  { floatingBase = false }: RobotFileOptions = {},
): Promise<Imported> {
  const text = await readText(url);
  const file = decodeURIComponent(url.pathname.slice(url.pathname.lastIndexOf("/") + 1));
  if (firstElement(text) === "robot") return parseUrdf(text, { file, floatingBase });
  const readFile = await readerBeside(url);
  return parseMjcf(text, { file, ...(readFile && { readFile }) });
}

function firstElement(text: string): string | undefined {
  const bare = text.slice(0, 100_000).replaceAll(/<!--[\s\S]*?-->/g, "");
  return /<([A-Za-z][\w.-]*)/.exec(bare)?.[1];
}

/** Reads text files below the folder of `url`; undefined where that is not on disk. */
async function readerBeside(url: URL): Promise<((name: string) => string | undefined) | undefined> {
  if (url.protocol !== "file:") return undefined;
  const { existsSync, readFileSync } = await import("node:fs");
  const { fileURLToPath } = await import("node:url");
  const folder = fileURLToPath(new URL(".", url));
  return (name) => {
    const path = fileURLToPath(new URL(encodeURI(name.replaceAll("\\", "/")), url));
    // A robot from a stranger names only files that came with it.
    if (!path.startsWith(folder) || !existsSync(path)) return undefined;
    return readFileSync(path, "utf8");
  };
}
