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
  const readers = await readersBeside(url);
  if (firstElement(text) !== "robot") return parseMjcf(text, { file, ...readers });
  const { readBytes } = readers;
  return parseUrdf(text, { file, floatingBase, ...(readBytes && { readBytes }) });
}

function firstElement(text: string): string | undefined {
  const bare = text.slice(0, 100_000).replaceAll(/<!--[\s\S]*?-->/g, "");
  return /<([A-Za-z][\w.-]*)/.exec(bare)?.[1];
}

interface Readers {
  readonly readFile?: (name: string) => string | undefined;
  readonly readBytes?: (name: string) => Uint8Array | undefined;
}

/**
 * Reads files that lie below the folder of `url`, and meshes also below the folders around it, where ROS
 * packages have them (`package://…`); nothing where that is not on disk.
 */
async function readersBeside(url: URL): Promise<Readers> {
  if (url.protocol !== "file:") return {};
  const { existsSync, readFileSync, statSync } = await import("node:fs");
  const { dirname, resolve, sep } = await import("node:path");
  const { fileURLToPath } = await import("node:url");
  const folder = dirname(fileURLToPath(url));
  const find = (name: string, within: string): string | undefined => {
    const path = resolve(within, name.replaceAll("\\", "/"));
    // A robot from a stranger names only files that came with it.
    const inside = path.startsWith(within.endsWith(sep) ? within : within + sep);
    return inside && existsSync(path) && statSync(path).isFile() ? path : undefined;
  };
  return {
    readFile(name) {
      const path = find(name, folder);
      return path && readFileSync(path, "utf8");
    },
    readBytes(name) {
      const plain = name.replace(/^(package|file):\/+/, "").replace(/^(\.\.?\/)+/, "");
      // A package's folder may have another name than the package.
      const names = plain === name ? [plain] : [plain, plain.replace(/^[^/]*\//, "")];
      for (let at = folder, i = 0; i < mostParents; at = dirname(at), i++) {
        const path = names.map((each) => find(each, at)).find(Boolean);
        if (path) return readFileSync(path);
      }
      return undefined;
    },
  };
}

const mostParents = 5;
