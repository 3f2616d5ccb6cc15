/** The last line of every run: `12 passed, 0 failed`, and how many were skipped if any were. */
export function summary({ passed, failed, skipped }) {
  return `${passed} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ""}`;
}

/** The sum of several counts. */
export function addCounts(...all) {
  const sum = (key) => all.reduce((total, counts) => total + counts[key], 0);
  return { passed: sum("passed"), failed: sum("failed"), skipped: sum("skipped") };
}

/** The counts of a run that ended with `code`: it may have failed for a reason that is no test's, such as finding none. */
export function withOtherFailures(counts, code) {
  return code !== 0 && counts.failed === 0 ? { ...counts, failed: 1 } : counts;
}
