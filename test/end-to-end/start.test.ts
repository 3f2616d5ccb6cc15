import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, it } from "vitest";

it.skipIf(process.platform === "win32")("npm start ends with what started it, though a shell stands between them", async () => {
  const data = await mkdtemp(join(tmpdir(), "start-"));
  const env = { ...process.env, npm_lifecycle_event: "start", GETPATTER_PROBE_LOCAL_MODELS: "0" };
  // Behind the `;` a shell stays, as npm's does, and passes no signal on. The typist outlives it.
  const typist = "sleep 60 2> /dev/null";
  const shell = spawn("sh", ["-c", `${typist} | "${process.execPath}" scripts/start.mjs --typed --data "${data}"; true`], {
    env,
  });
  try {
    let output = "";
    shell.stdout.on("data", (chunk: Buffer) => {
      output += chunk.toString();
    });
    while (!output.includes("agent  Hello")) await once(shell.stdout, "data");
    shell.kill("SIGTERM");
    // Its output is closed once the program has ended too.
    await once(shell, "close");
    expect(shell.signalCode).toBe("SIGTERM");
  } finally {
    await rm(data, { recursive: true, force: true });
  }
});
