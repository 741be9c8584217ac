import { defineConfig } from "vitest/config";

const results = process.env["SOUNDCHECK_TEST_RESULTS"];

export default defineConfig({
  test: {
    include: ["src/**/*.test.ts", "properties/**/*.test.ts"],
    testTimeout: 300_000,
    hookTimeout: 300_000,
    pool: "forks",
    // Every processor: by default one is left to the terminal.
    maxWorkers: "100%",
    reporters: results === undefined ? ["default"] : ["default", ["json", { outputFile: results }]],
  },
});
