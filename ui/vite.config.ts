import react from "@vitejs/plugin-react";
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { brotliCompressSync, constants, gzipSync } from "node:zlib";
import { defineConfig, type Plugin, type Rolldown } from "vite";

const FIRST_LOAD_BUDGET = 170_000;

/** Fails the build when what every page needs at once (scripts and styles, gzipped) outgrows the budget. */
function budget(limit: number): Plugin {
  return {
    name: "budget",
    apply: "build",
    writeBundle(_, bundle) {
      const first = new Set<string>();
      const visit = (name: string): void => {
        const chunk = bundle[name];
        if (first.has(name) || chunk?.type !== "chunk") return;
        first.add(name);
        for (const css of importedCss(chunk)) first.add(css);
        chunk.imports.forEach(visit);
      };
      for (const chunk of Object.values(bundle)) if (chunk.type === "chunk" && chunk.isEntry) visit(chunk.fileName);
      const total = [...first].reduce((sum, name) => sum + gzipSync(content(bundle[name]!)).length, 0);
      const kilobytes = `${(total / 1000).toFixed(1)} kB of ${limit / 1000} kB gzipped`;
      if (total > limit) this.error(`The first load is ${kilobytes}: load something lazily, or leave it out.`);
      console.info(`first load: ${kilobytes}`);
    },
  };
}

/** Writes .br and .gz beside every text asset, so that the server never compresses at run time. */
function precompress(): Plugin {
  return {
    name: "precompress",
    apply: "build",
    writeBundle({ dir }) {
      for (const entry of readdirSync(dir!, { recursive: true, withFileTypes: true })) {
        if (!entry.isFile() || !/\.(js|css|svg)$/.test(entry.name)) continue;
        const file = join(entry.parentPath, entry.name);
        const data = readFileSync(file);
        if (data.length < 1024) continue;
        writeFileSync(`${file}.br`, brotliCompressSync(data, { params: { [constants.BROTLI_PARAM_QUALITY]: 11 } }));
        writeFileSync(`${file}.gz`, gzipSync(data, { level: 9 }));
      }
    },
  };
}

const content = (file: Rolldown.OutputChunk | Rolldown.OutputAsset): string | Uint8Array =>
  file.type === "chunk" ? file.code : file.source;

const importedCss = (chunk: Rolldown.OutputChunk): string[] => [
  ...((chunk as { viteMetadata?: { importedCss: Set<string> } }).viteMetadata?.importedCss ?? []),
];

export default defineConfig({
  plugins: [react(), precompress(), budget(FIRST_LOAD_BUDGET)],
  html: { cspNonce: "__CSP_NONCE__" },
  build: {
    outDir: "../src/visionai/webui",
    emptyOutDir: true,
    target: "es2022",
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    reportCompressedSize: false,
  },
  server: { proxy: { "/api": "http://127.0.0.1:8000", "/ws": { target: "ws://127.0.0.1:8000", ws: true } } },
});
