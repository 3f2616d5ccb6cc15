/**
 * Telephone calls at the same time: what an agent adds to each turn, how fast it falls silent, what a call costs. Beside it
 * a bare relay against the same servers. Prints Markdown.
 *
 *   npm run bench:calls [-- --calls 20] [--quick]
 */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { CERTIFICATE } from "../../src/testing/anthropic/certificate.js";
import { conversation } from "./conversation.js";
import { report } from "./report.js";
import { type Run, run, type SubjectName } from "./run.js";

const { values } = parseArgs({
  options: { calls: { type: "string", default: "20" }, quick: { type: "boolean", default: false } },
});
const calls = Number(values.calls);
if (!Number.isInteger(calls) || calls < 1) throw new RangeError(`--calls is ${values.calls}: pass a whole number above 0.`);
/** In turns, so that neither has the machine at a better time. */
const order: readonly SubjectName[] = values.quick ? ["relay", "agent"] : ["relay", "agent", "agent", "relay"];
const folder = mkdtempSync(join(tmpdir(), "getpatter-bench-"));
try {
  const certificateFile = join(folder, "certificate.pem");
  writeFileSync(certificateFile, CERTIFICATE.cert);
  const runs: Record<SubjectName, Run[]> = { agent: [], relay: [] };
  for (const subject of order) runs[subject].push(await run({ subject, calls, conversation: conversation(1), certificateFile }));
  console.log(report(calls, runs));
} finally {
  rmSync(folder, { recursive: true });
}
