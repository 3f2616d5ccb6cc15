/**
 * `AnthropicLLM` beside the official SDK, the AI SDK and a bare loop, against servers on this machine: what each adds to a
 * turn, the connections it opens, and what the input of a call costs. Prints Markdown.
 *
 *   npm run bench:anthropic [-- --quick]
 */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { CERTIFICATE } from "../../src/testing/anthropic/certificate.js";
import { countConnections, inputCosts } from "./counts.js";
import { measureAllocation, measureEffort, type Sizes } from "./effort.js";
import { aims, connectionTable, costTable, effortTable } from "./report.js";

const WHOLE: Sizes = {
  warmUp: { single: 500, burst: 200 },
  firstTokenTurns: 150,
  pacedTurns: 15,
  burstRounds: 5,
  burstTurns: 40,
  allocationWarmUp: 30,
  allocationWindows: 3,
  allocationTurns: 4,
};
const QUICK: Sizes = {
  warmUp: { single: 400, burst: 30 },
  firstTokenTurns: 25,
  pacedTurns: 3,
  burstRounds: 3,
  burstTurns: 10,
  allocationWarmUp: 15,
  allocationWindows: 1,
  allocationTurns: 1,
};

const sizes = process.argv.includes("--quick") ? QUICK : WHOLE;
const folder = mkdtempSync(join(tmpdir(), "getpatter-bench-"));
try {
  await bench();
} finally {
  rmSync(folder, { recursive: true });
}

async function bench(): Promise<void> {
  // Clients trust the server as they would a private authority: by the environment variable NODE_EXTRA_CA_CERTS.
  const certificateFile = join(folder, "certificate.pem");
  writeFileSync(certificateFile, CERTIFICATE.cert);

  const effort = await measureEffort(sizes, certificateFile);
  const allocation = await measureAllocation(sizes, certificateFile);
  console.log(effortTable(effort, allocation));

  const connections = await countConnections(certificateFile);
  console.log(connectionTable(connections));

  const costs = await inputCosts(certificateFile);
  console.log(costTable(costs));

  console.log(aims({ effort, connections, costs }));
}
