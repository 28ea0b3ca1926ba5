// Task reader: where the files of a task come from: the disk under Node, the network in a browser, or a
// bundle of files that were collected before (bundle.ts).

import type { ReadBytes } from "../sim/mesh.ts";
import type { ReadFile } from "../sim/mjcf/include.ts";
import { readText } from "./robots.ts";

/** Reads what lies beside a robot's file; undefined where there is no such file. */
export interface Neighbours {
  readonly readFile?: ReadFile;
  readonly readBytes?: ReadBytes;
}

export interface TaskReader {
  text(url: URL): Promise<string>;
  /** Readers of included files and meshes, by the names that a robot's file has for them. */
  beside(url: URL): Promise<Neighbours>;
}

const mostParents = 5;

/** Reads the disk; elsewhere than there a robot's file is alone. */
export const usualReader: TaskReader = { text: readText, beside: filesBeside };

/**
 * Reads files that lie below the folder of `url`, and meshes also below the folders around it, where ROS
 * packages have them (`package://…`); nothing where that is not on disk.
 */
async function filesBeside(url: URL): Promise<Neighbours> {
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
