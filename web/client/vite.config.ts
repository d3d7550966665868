// Builds the client into client/dist, to be served below /client/ by the server itself.
import { fileURLToPath } from "node:url";
import { defineConfig } from "vite";

const here = (path: string) => fileURLToPath(new URL(path, import.meta.url));

export default defineConfig({
  root: here("."),
  base: "/client/",
  resolve: {
    alias: {
      "@shared": here("../shared/src"),
      // JsSIP logs whole messages, credentials included, through `debug`; ours says nothing.
      debug: here("src/sip/silent.ts"),
    },
  },
  esbuild: { jsx: "automatic", legalComments: "none" },
  build: {
    target: "es2022",
    outDir: here("dist"),
    emptyOutDir: true,
    // The page's policy allows neither inline script nor data: addresses.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    reportCompressedSize: false,
    chunkSizeWarningLimit: 400,
    rollupOptions: { input: [here("index.html"), here("plan.html")] },
  },
  server: { proxy: { "/api": "http://127.0.0.1:8787", "/ws": { target: "ws://127.0.0.1:8787", ws: true } } },
});
