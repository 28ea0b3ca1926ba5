// Bundles the page that `salle export --html` writes into dist/page/shared/: its script, its style, its
// skeleton, its worker without the physics, and each build of the physics alone.
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "vite";

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const client = join(root, "viewer/client");
const out = join(root, "dist/page/shared");

const physics = {
  simd: "@dimforge/rapier3d-simd-compat",
  compat: "@dimforge/rapier3d-compat",
  deterministic: "@dimforge/rapier3d-deterministic-compat",
};

/** In the worker, each build of the physics is what a script before it has left in a global. */
async function physicsFromGlobals() {
  const builds = Object.entries(physics);
  const names = new Map();
  for (const [, name] of builds) names.set(name, Object.keys(await import(name)));
  return {
    name: "physics-from-globals",
    enforce: "pre",
    resolveId: (id) => (names.has(id) ? `\0${id}` : undefined),
    load(id) {
      const found = builds.find(([, name]) => id === `\0${name}`);
      if (!found) return undefined;
      const [build, name] = found;
      const exported = names.get(name).filter((each) => each !== "default");
      return `const physics = globalThis.sallePhysics?.${build};
        if (!physics) throw new Error("this file has no ${build} build of the physics");
        export const { ${exported.join(", ")} } = physics;`;
    },
  };
}

/** The one script that a module becomes, with all that it imports and loads. */
async function bundle(input, format, { name, plugins = [] } = {}) {
  const [result] = [
    await build({
      configFile: false,
      root: client,
      logLevel: "error",
      plugins,
      define: { "import.meta.url": '"file:///"' }, // all assets are inline: nothing is relative to it
      build: {
        write: false,
        target: "es2023",
        assetsInlineLimit: Number.MAX_SAFE_INTEGER,
        reportCompressedSize: false,
        modulePreload: false,
        chunkSizeWarningLimit: 8192, // kB
        rolldownOptions: {
          input,
          preserveEntrySignatures: name ? "strict" : false,
          output: { format, codeSplitting: false, ...(name && { name }) },
        },
      },
    }),
  ].flat();
  const scripts = result.output.filter(({ type }) => type === "chunk");
  if (scripts.length !== 1) throw new Error(`${input} became ${scripts.length} scripts, wanted 1`);
  return scripts[0].code;
}

export async function buildSharedPage() {
  mkdirSync(out, { recursive: true });
  const put = (name, text) => writeFileSync(join(out, name), text);
  put("page.js", await bundle(join(client, "shared.ts"), "es"));
  const plugins = [await physicsFromGlobals()];
  put("worker.js", await bundle(join(client, "page/trace.worker.ts"), "iife", { plugins }));
  for (const [build, name] of Object.entries(physics)) {
    const code = await bundle(fileURLToPath(import.meta.resolve(name)), "iife", {
      name: "salleBuild",
    });
    put(
      `physics-${build}.js`,
      `${code}\n(globalThis.sallePhysics ??= {}).${build} = salleBuild;\n`,
    );
  }
  const html = readFileSync(join(client, "index.html"), "utf8");
  put("skeleton.html", /<body>([\s\S]*)<\/body>/.exec(html)[1]);
  const assets = join(root, "dist/page/assets");
  const style = readdirSync(assets).find((file) => file.endsWith(".css"));
  put("style.css", readFileSync(join(assets, style)));
}
