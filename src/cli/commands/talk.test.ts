import { mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { PassThrough } from "node:stream";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { writeWav } from "../../audio/wav.js";
import { PCM16_16K } from "../../core/audio-frame.js";
import { Output } from "../output.js";
import { talkCommand } from "./talk.js";

let folder: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "getpatter-talk-"));
  await writeFile(join(folder, "caller.wav"), writeWav(PCM16_16K, [new Uint8Array(320)]));
});

afterEach(() => rm(folder, { recursive: true }));

/** Runs the command with an agent file that does not exist. */
function talk(out: string): Promise<unknown> {
  const context = { out: new Output(new PassThrough()), err: new Output(new PassThrough()), env: {}, cwd: folder };
  return talkCommand.run(["missing.mjs", "--wav", "caller.wav", "--out", out], context);
}

describe("the file to write a call to", () => {
  it("is refused before anything else is done when it cannot be written", async () => {
    await expect(talk("no-folder/call.wav")).rejects.toThrow(
      `${join(folder, "no-folder", "call.wav")} cannot be written: there is no such file or folder.`,
    );
    await expect(talk(".")).rejects.toThrow(`${folder} cannot be written: it is a folder.`);
  });

  it("is not there when no call was made", async () => {
    await expect(talk("call.wav")).rejects.toThrow("missing.mjs");
    expect(await readdir(folder)).toEqual(["caller.wav"]);
  });
});
