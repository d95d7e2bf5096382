import { defineConfig } from "vite";

// dist/widget.js: one script without imports, for pages of others.
export default defineConfig({
  build: {
    target: "es2020",
    emptyOutDir: false,
    copyPublicDir: false,
    lib: { entry: "vtiger/widget.ts", formats: ["iife"], name: "ctibridge", fileName: () => "widget.js" },
  },
});
