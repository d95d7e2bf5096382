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
  },
  test: { include: ["test/**/*.test.ts"], environment: "node" },
});
