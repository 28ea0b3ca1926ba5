// Bundles the viewer's pages into dist/page/, unless nothing that they hold has changed.
import { createHash } from "node:crypto";
import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const stamp = join(root, "dist/page/stamp");

/** The pages simulate: they hold the physics and the tasks too. */
const sources = ["viewer", "sim", "tasks"].flatMap((folder) =>
  readdirSync(join(root, folder), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name)),
);
const hash = createHash("sha256");
const scripts = ["page.mjs", "sharedPage.mjs"].map((name) => join(root, "scripts", name));
for (const file of [join(root, "package-lock.json"), ...scripts, ...sources.sort()])
  hash.update(file.slice(root.length)).update(readFileSync(file));
const wanted = hash.digest("hex");

/** Leaves a .gz beside every large file; the server sends it to whoever takes it. */
function compress(folder) {
  for (const name of readdirSync(folder)) {
    const bytes = readFileSync(join(folder, name));
    if (/\.(js|css|xml|wasm)$/.test(name) && bytes.length > 10_000)
      writeFileSync(join(folder, `${name}.gz`), gzipSync(bytes));
  }
}

if (!existsSync(stamp) || readFileSync(stamp, "utf8") !== wanted) {
  const { build } = await import("vite");
  await build({ configFile: join(root, "viewer/client/vite.config.ts"), logLevel: "error" });
  compress(join(root, "dist/page/assets"));
  const { buildSharedPage } = await import("./sharedPage.mjs");
  await buildSharedPage();
  writeFileSync(stamp, wanted);
}
