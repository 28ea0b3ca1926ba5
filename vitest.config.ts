import { defineConfig } from "vitest/config";

// Tests run from dist/, as the command line and the worker threads do: what is tested is what runs.
const shared = { pool: "forks" as const, testTimeout: 180_000, hookTimeout: 240_000 };

export default defineConfig({
  test: {
    // By default one core stays free, which on a machine of two doubles the time.
    maxWorkers: "100%",
    reporters: ["default", "./scripts/summary-reporter.mjs"],
    projects: [
      {
        test: {
          ...shared,
          name: "fast",
          include: ["dist/tests/**/*.test.js"],
          exclude: ["dist/tests/**/*.slow.test.js"],
        },
      },
      {
        test: {
          ...shared,
          name: "slow",
          include: ["dist/tests/**/*.slow.test.js"],
          testTimeout: 900_000,
        },
      },
    ],
  },
});
