// Builds dist/ from the TypeScript sources: type-checks, emits JavaScript, drops outputs whose source is gone.
import { spawnSync } from "node:child_process";
import { chmodSync, copyFileSync, existsSync, mkdirSync, readdirSync, rmSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join, relative } from "node:path";
import { fileURLToPath } from "node:url";

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const out = join(root, "dist");

function prune(folder) {
  for (const entry of readdirSync(folder, { withFileTypes: true })) {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) prune(path);
    else if (
      folder !== join(out, "vendor") &&
      !folder.startsWith(join(out, "page")) &&
      /\.js(\.map)?$/.test(entry.name)
    ) {
      const source = join(root, relative(out, path).replace(/\.js(\.map)?$/, ".ts"));
      if (!existsSync(source)) rmSync(path);
    }
  }
}

/** Robots' files lie beside the tasks that load them, in dist as in the sources. */
function copyRobots() {
  mkdirSync(join(out, "tasks"), { recursive: true });
  for (const name of readdirSync(join(root, "tasks"))) {
    if (name.endsWith(".xml")) copyFileSync(join(root, "tasks", name), join(out, "tasks", name));
  }
}

if (existsSync(out)) {
  // An incremental compiler only emits what changed; without its outputs its memory would be a lie.
  if (!existsSync(join(out, "cli/main.js"))) rmSync(out, { recursive: true, force: true });
  else prune(out);
}
await import("./vendor.mjs");
copyRobots();
const tsc = join(
  dirname(createRequire(import.meta.url).resolve("typescript/package.json")),
  "bin/tsc",
);
const { status } = spawnSync(process.execPath, [tsc, "-p", root], { stdio: "inherit" });
if (status !== 0) process.exit(status ?? 1);
chmodSync(join(out, "cli/main.js"), 0o755); // the compiler writes it anew, and npx runs it
await import("./page.mjs");
