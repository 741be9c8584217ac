import { defineConfig } from "vitest/config";

const results = process.env["SOUNDCHECK_TEST_RESULTS"];

/** What only computes: its files share processes, so that modules are loaded, and made fast, once. What asks a kernel or starts processes is left out. */
const COMPUTING = [
  "src/{absint,kernel,object,proof,semantics,verifier,vm}/**/!(*-kernel|native).test.ts",
  "properties/{isa,object,scalar,terms,verifier}/**/!(*-kernel).test.ts",
];

export default defineConfig({
  test: {
    testTimeout: 300_000,
    hookTimeout: 300_000,
    pool: "forks",
    // Every processor: by default one is left to the terminal.
    maxWorkers: "100%",
    reporters: results === undefined ? ["default"] : ["default", ["json", { outputFile: results }]],
    projects: [
      {
        extends: true,
        test: {
          name: "computing",
          include: COMPUTING,
          isolate: false,
          setupFiles: ["src/verifier/testing-setup.ts"],
        },
      },
      {
        extends: true,
        test: { name: "other", include: ["{src,properties}/**/*.test.ts"], exclude: COMPUTING },
      },
    ],
  },
});
