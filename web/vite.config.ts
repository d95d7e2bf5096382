import { defineConfig } from "vitest/config";

// JSX by esbuild itself, without a plugin: preact needs no more than the name of its factory.
export default defineConfig({
  base: "./", // served from any folder of any web server
  esbuild: { jsx: "automatic", jsxImportSource: "preact" },
  build: {
    target: "es2022",
    modulePreload: { polyfill: false }, // would be an inline script, which the Content-Security-Policy refuses
    assetsInlineLimit: 0,
    reportCompressedSize: true,
    rollupOptions: { input: ["index.html", "frame.html"] }, // the console; the frame in pages of the CRM
  },
  worker: { format: "es" },
  // As in a browser: what strophe has for Node needs programs of Node.
  test: { include: ["test/**/*.test.ts"], environment: "node", alias: { "strophe.js": new URL("node_modules/strophe.js/dist/strophe.esm.js", import.meta.url).pathname } },
});
