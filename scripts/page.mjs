// Bundles the viewer's pages into dist/page/, unless nothing that they hold has changed.
import { createHash } from "node:crypto";
import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const stamp = join(root, "dist/page/stamp");

/** The pages simulate: they hold the physics and the tasks too. */
const sources = ["viewer", "sim", "tasks"].flatMap((folder) =>
  readdirSync(join(root, folder), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name)),
);
const hash = createHash("sha256");
for (const file of [join(root, "package-lock.json"), ...sources.sort()])
  hash.update(file.slice(root.length)).update(readFileSync(file));
const wanted = hash.digest("hex");

if (!existsSync(stamp) || readFileSync(stamp, "utf8") !== wanted) {
  const { build } = await import("vite");
  await build({ configFile: join(root, "viewer/client/vite.config.ts"), logLevel: "error" });
  writeFileSync(stamp, wanted);
}
