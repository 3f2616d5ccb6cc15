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
        test: {
          name: "unit",
          include: ["{src,dashboard}/**/*.test.{ts,tsx}", "test/page/**/*.test.ts"],
          testTimeout: 20_000,
        },
      },
      {
        extends: true,
        // What holds for the project as a whole: layers, public API, package, documents, and tests that users would write.
        test: {
          name: "project",
          include: ["test/{architecture,docs,package,public-api}/**/*.test.ts", "examples/**/*.test.ts"],
          globalSetup: "scripts/build-for-tests.mjs",
          testTimeout: 60_000,
        },
      },
      {
        extends: true,
        // The vendors' own SDKs against the test servers.
        test: {
          name: "conformance",
          include: ["conformance/*.test.ts"],
          globalSetup: "conformance/setup.mjs",
          testTimeout: 20_000,
        },
      },
      {
        extends: true,
        // Real audio in real time: one file at a time, after everything else.
        test: {
          name: "end-to-end",
          include: ["test/{end-to-end,speech}/**/*.test.ts"],
          globalSetup: "scripts/build-for-tests.mjs",
          testTimeout: 120_000,
          hookTimeout: 120_000,
          maxWorkers: 1,
          sequence: { groupOrder: 1 },
        },
      },
    ],
  },
});
