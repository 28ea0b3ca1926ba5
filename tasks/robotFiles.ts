// A robot's file with what lies beside it: included files and meshes.

import type { Imported } from "../sim/mjcf.ts";
import { parseMjcf } from "../sim/mjcf.ts";
import { parseUrdf } from "../sim/urdf.ts";
import { type TaskReader, usualReader } from "./taskReader.ts";

export interface RobotFileOptions {
  /** Whether a URDF's root link is free to move; MJCF files say so themselves. */
  readonly floatingBase?: boolean;
  /** Where the files come from; the disk or the network where missing. */
  readonly reader?: TaskReader;
}

/** Reads MJCF or URDF, whichever the file's first element says it is. */
export async function loadRobotFile(
  url: URL,
  { floatingBase = false, reader = usualReader }: RobotFileOptions = {},
): Promise<Imported> {
  const text = await reader.text(url);
  const file = decodeURIComponent(url.pathname.slice(url.pathname.lastIndexOf("/") + 1));
  const readers = await reader.beside(url);
  if (firstElement(text) !== "robot") return parseMjcf(text, { file, ...readers });
  const { readBytes } = readers;
  return parseUrdf(text, { file, floatingBase, ...(readBytes && { readBytes }) });
}

function firstElement(text: string): string | undefined {
  const bare = text.slice(0, 100_000).replaceAll(/<!--[\s\S]*?-->/g, "");
  return /<([A-Za-z][\w.-]*)/.exec(bare)?.[1];
}
