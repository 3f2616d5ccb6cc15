import { defineConfig } from "vitest/config";
import { isolateEnvironment } from "./scripts/test-environment.mjs";

isolateEnvironment(process.env);

export default defineConfig({
  test: {
    reporters: ["default", "./scripts/summary-reporter.mjs"],
    setupFiles: ["./test/fixed-seed.ts"],
    // Native speech libraries live in processes of their own: one that aborts fails its file, not the run.
    pool: "forks",
    maxWorkers: 2,
    projects: [
      {
        extends: true,
        test: { name: "unit", include: ["{src,dashboard,examples}/**/*.test.{ts,tsx}"], testTimeout: 20_000 },
      },
      {
        extends: true,
        test: {
          name: "project",
          include: ["test/**/*.test.ts"],
          exclude: ["test/end-to-end/**"],
          testTimeout: 60_000,
          globalSetup: "scripts/build-for-tests.mjs",
        },
      },
      {
        extends: true,
        // Real audio in real time: one file at a time, after everything else.
        test: {
          name: "end-to-end",
          include: ["test/end-to-end/**/*.test.ts"],
          testTimeout: 120_000,
          hookTimeout: 120_000,
          maxWorkers: 1,
          globalSetup: "scripts/build-for-tests.mjs",
          sequence: { groupOrder: 1 },
        },
      },
    ],
  },
});
