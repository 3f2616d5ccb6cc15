// A vitest reporter that ends a run with `N passed, N failed`. `npm test` gives it a file for the counts instead,
// adds those of its other checks and prints the line itself.
import { writeFileSync } from "node:fs";
import { summary, withOtherFailures } from "./summary.mjs";

export default class SummaryReporter {
  onTestRunEnd(testModules, unhandledErrors) {
    const counts = { passed: 0, failed: unhandledErrors.length, skipped: 0 };
    for (const testModule of testModules) countModule(testModule, counts);
    const file = process.env.GETPATTER_TEST_COUNTS;
    if (file !== undefined) writeFileSync(file, JSON.stringify(counts));
    else process.once("exit", (code) => process.stdout.write(`${summary(withOtherFailures(counts, code))}\n`));
  }
}

function countModule(testModule, counts) {
  for (const test of testModule.children.allTests()) {
    const { state } = test.result();
    // A test that never got to run is no success.
    counts[state === "passed" || state === "skipped" ? state : "failed"]++;
  }
  // A file that did not load and a hook that threw have no failed test of their own.
  counts.failed += testModule.errors().length;
  for (const suite of testModule.children.allSuites()) counts.failed += suite.errors().length;
}
