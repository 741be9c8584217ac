import { defineConfig } from "vitest/config";

const results = process.env["SOUNDCHECK_TEST_RESULTS"];

export default defineConfig({
  test: {
    include: ["src/**/*.test.ts", "properties/**/*.test.ts"],
    testTimeout: 120_000,
    hookTimeout: 120_000,
    pool: "forks",
    reporters: results === undefined ? ["default"] : ["default", ["json", { outputFile: results }]],
  },
});
