import { readFileSync } from "node:fs";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { peakDbfs } from "../../src/audio/level.js";
import { readWav } from "../../src/audio/wav.js";
import type { TalkReport } from "../../src/cli/talk-report.js";
import { MULAW_8K } from "../../src/core/audio-frame.js";
import { getpatter } from "./command-line.js";
import { callerWav } from "./recordings.js";

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "talk-"));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

describe("getpatter talk", () => {
  it("lets a recorded person call the restaurant on local speech, and measures its answers", async () => {
    const turns = [
      { beforeMs: 300, say: ["digits/2"] },
      { beforeMs: 1500, say: ["digits/tomorrow"] },
    ];
    await writeFile(join(folder, "caller.wav"), callerWav(turns, 300));
    await writeFile(join(folder, "said.txt"), "two tomorrow");
    const args = ["talk", "--wav", "caller.wav", "--out", "call.wav", "--reference", "said.txt", "--json"];
    const { code, stdout, stderr } = await getpatter(args, { cwd: folder, env: { XDG_DATA_HOME: folder } });
    expect(stderr).toBe("");
    expect(code).toBe(0);

    const report = JSON.parse(stdout) as TalkReport;
    expect(report).toMatchObject({ isMeasurement: true, endReason: "caller_hung_up", callerTurns: 2, errors: [] });
    expect(report.transcript[0]).toMatchObject({ role: "assistant", text: expect.stringContaining("how many people") });
    expect(report.turns).toHaveLength(2);
    for (const { answerMs, endpointingMs } of report.turns) {
      // Silence, then the first clause of the answer: sooner would be an answer to something else.
      expect(answerMs).toBeGreaterThan(endpointingMs ?? Number.NaN);
    }
    expect(report.wordErrors?.words).toBe(2);

    const call = readWav(readFileSync(join(folder, "call.wav")));
    expect(call.channels).toBe(2);
    expect(call.format).toEqual({ encoding: "pcm16", sampleRate: MULAW_8K.sampleRate });
    for (const channel of [0, 1]) expect(peakDbfs(call.samples(channel))).toBeGreaterThan(-20);
  });
});
