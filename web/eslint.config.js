import js from "@eslint/js";
import tseslint from "typescript-eslint";

export default tseslint.config(
  { ignores: ["dist/", "node_modules/", "coverage/"] },
  js.configs.recommended,
  ...tseslint.configs.strictTypeChecked,
  ...tseslint.configs.stylisticTypeChecked,
  {
    languageOptions: { parserOptions: { projectService: { allowDefaultProject: ["eslint.config.js"] }, tsconfigRootDir: import.meta.dirname } },
    rules: {
      // Numbers in texts are meant.
      "@typescript-eslint/restrict-template-expressions": ["error", { allowNumber: true }],
      // `() => port.close()` is how an event is handled.
      "@typescript-eslint/no-confusing-void-expression": ["error", { ignoreArrowShorthand: true, ignoreVoidReturningFunctions: true }],
      // External text becomes text only: nothing here may make markup, code or addresses from it.
      "no-restricted-properties": ["error", ...["innerHTML", "outerHTML", "insertAdjacentHTML"].map((property) => ({ property, message: "text only" }))],
      "no-restricted-syntax": ["error", { selector: "JSXAttribute[name.name='dangerouslySetInnerHTML']", message: "text only" }],
      "no-eval": "error",
      "no-implied-eval": "off", // the typed rule of the same purpose is on
      eqeqeq: "error",
      "no-console": "error",
    },
  },
  {
    // The core knows no browser: everything comes in as data and goes out as data.
    files: ["src/core/**"],
    rules: {
      "no-restricted-globals": ["error", ...["window", "document", "navigator", "localStorage", "sessionStorage", "setTimeout", "setInterval", "fetch", "crypto"].map(
        (name) => ({ name, message: "the core has no browser and no clock" }))],
      "no-restricted-properties": ["error", { object: "Date", property: "now", message: "time is an argument" }],
      "no-restricted-syntax": ["error", { selector: "NewExpression[callee.name='Date'][arguments.length=0]", message: "time is an argument" }],
      "no-restricted-imports": ["error", { patterns: ["../xmpp/*", "../desk/*", "../view/*", "strophe.js", "preact", "@preact/*"] }],
    },
  },
  { files: ["eslint.config.js"], ...tseslint.configs.disableTypeChecked },
);
