// How Vite bundles the viewer's pages into dist/page/.

import { fileURLToPath } from "node:url";
import { defineConfig, type Plugin } from "vite";

const here = fileURLToPath(new URL(".", import.meta.url));

/** In the packages' modules: a call that decodes the WebAssembly, inside a generator that awaits what it yields. */
const inlined = /[\w$.]+\.toByteArray\("(AGFz[^"]+)"\)\.buffer/;

/** Rapier's WebAssembly as files of their own: parsing and decoding megabytes of text takes a page too long. */
function physicsFiles(): Plugin {
  return {
    name: "physics-files",
    apply: "build",
    transform(code, id) {
      const build = /@dimforge\/(rapier3d[\w-]*)\/dist\/rapier\.mjs$/.exec(id)?.[1];
      if (build === undefined) return null;
      const [call, text] = inlined.exec(code) ?? [];
      if (call === undefined || text === undefined)
        throw new Error(`expected the WebAssembly of ${build} as base64 in ${id}, found none`);
      const source = Buffer.from(text, "base64");
      const file = this.emitFile({ type: "asset", name: `${build}.wasm`, source });
      const url = `import.meta.ROLLUP_FILE_URL_${file}`;
      return code.replace(call, () => `(yield fetch(${url}).then((found) => found.arrayBuffer()))`);
    },
  };
}

/** The page's own code is asked for along with the script that runs first, and runs after it. */
function earlyCode(): Plugin {
  return {
    name: "early-code",
    apply: "build",
    transformIndexHtml: {
      order: "post",
      handler(_, { bundle = {}, filename }) {
        const chunks = Object.values(bundle).filter((each) => each.type === "chunk");
        const own = chunks.find(({ facadeModuleId }) => facadeModuleId?.endsWith("/served.ts"));
        if (!own || !filename.endsWith("/index.html")) return;
        return [own.fileName, ...own.imports].map((name) => ({
          tag: "link",
          attrs: { rel: "modulepreload", crossorigin: true, href: `./${name}` },
          injectTo: "head" as const,
        }));
      },
    },
  };
}

export default defineConfig({
  root: here,
  base: "./",
  publicDir: false,
  plugins: [physicsFiles(), earlyCode()],
  worker: { format: "es", plugins: () => [physicsFiles()] },
  build: {
    outDir: fileURLToPath(new URL("../../dist/page", import.meta.url)),
    emptyOutDir: true,
    target: "es2023",
    assetsInlineLimit: 0,
    reportCompressedSize: false,
    chunkSizeWarningLimit: 4096, // kB
    rolldownOptions: { input: [`${here}index.html`, `${here}demo.html`, `${here}pictures.html`] },
  },
});
