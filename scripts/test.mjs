// `npm test`: everything that CI runs, on a fresh clone too. Arguments go on to vitest: npm test -- src/core
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { checkNames, runChecks } from "./check.mjs";
import { Failure, require, runNode } from "./project.mjs";
import { installInner, setUp } from "./setup.mjs";
import { addCounts, summary, withOtherFailures } from "./summary.mjs";
import { requireSystemTools } from "./system-tools.mjs";

/** Checks that are vitest files, which the full run includes. */
const IN_VITEST = ["project"];

let counts = { passed: 0, failed: 0, skipped: 0 };
try {
  await setUp();
  await installInner("conformance");
  await requireSystemTools();
  await fetchModels();
  counts = await runChecks(checkNames().filter((name) => !IN_VITEST.includes(name)));
  counts = addCounts(counts, await runVitest(process.argv.slice(2)));
} catch (error) {
  console.error(error instanceof Failure ? `\n${error.message}` : error);
  counts = addCounts(counts, { passed: 0, failed: 1, skipped: 0 });
}
console.log(summary(counts));
process.exitCode = counts.failed > 0 ? 1 : 0;

async function fetchModels() {
  const fetching = runNode("dist/cli/main.js", ["models", "fetch"]);
  await require(fetching, "The speech files that tests need could not be fetched: the message is above.");
}

async function runVitest(arguments_) {
  const folder = mkdtempSync(join(tmpdir(), "getpatter-test-"));
  const file = join(folder, "counts.json");
  const env = { ...process.env, GETPATTER_TEST_COUNTS: file };
  try {
    const { code } = await runNode("node_modules/vitest/vitest.mjs", ["run", ...arguments_], { env });
    const none = { passed: 0, failed: 0, skipped: 0 };
    return withOtherFailures(existsSync(file) ? JSON.parse(readFileSync(file, "utf8")) : none, code);
  } finally {
    rmSync(folder, { recursive: true });
  }
}
