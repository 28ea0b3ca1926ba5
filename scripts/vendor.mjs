// Bundles scripts/vendor/tensorflow.mjs into dist/vendor/tensorflow.js, unless that is up to date.
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const entry = join(root, "scripts/vendor/tensorflow.mjs");
const out = join(root, "dist/vendor");
const stamp = join(out, "stamp");

const { version } = createRequire(import.meta.url)("@tensorflow/tfjs-core/package.json");
const wanted = `${version}\n${readFileSync(entry, "utf8")}`;

if (!existsSync(stamp) || readFileSync(stamp, "utf8") !== wanted) {
  const { build } = await import("vite");
  await build({
    configFile: false,
    logLevel: "warn",
    plugins: [
      {
        // Node's platform is found by require, which a module lacks; the entry sets one that needs none.
        name: "drop-platform-node",
        enforce: "pre",
        load: (id) => (/platform_node\.js$/.test(id) ? "export {};" : null),
      },
    ],
    build: {
      lib: { entry, formats: ["es"], fileName: () => "tensorflow.js" },
      outDir: out,
      emptyOutDir: false,
      minify: false,
      rollupOptions: { treeshake: { moduleSideEffects: true } },
    },
  });
  mkdirSync(out, { recursive: true });
  writeFileSync(stamp, wanted);
}
