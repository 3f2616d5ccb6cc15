import { spawn } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync, rmSync, truncateSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { type AudioFormat, type AudioFrame, MULAW_8K, PCM16_16K } from "../../src/core/audio-frame.js";
import { systemClock } from "../../src/core/clock.js";
import { ConfigError } from "../../src/core/errors.js";
import type { SttEvent } from "../../src/core/stt.js";
import { modelsFolder } from "../../src/provider-kit/credentials.js";
import { LocalSTT } from "../../src/stt/local.js";
import { cards, frames, goForward, prompts, type Recording, readSentences, wordErrors, words } from "./recordings.js";

const folder = mkdtempSync(join(tmpdir(), "getpatter-stt-"));
const stt = new LocalSTT();
const signal = new AbortController().signal;
const AROUND = { before: 300, after: 300 };

afterAll(async () => {
  await stt[Symbol.asyncDispose]();
  rmSync(folder, { recursive: true });
});

describe("LocalSTT", () => {
  it("understands wideband speech", async () => {
    expect(await errorRate([...cards(), goForward(), ...readSentences().slice(0, 1)], PCM16_16K)).toBeLessThan(0.3);
  });

  it("understands telephone speech", async () => {
    expect(await errorRate([...cards(), goForward(), ...prompts(40)], MULAW_8K)).toBeLessThan(0.4);
  });

  it("places words where they are said, in one utterance after another", async () => {
    const spoken = frames(goForward(), PCM16_16K);
    const finals: SttEvent[] = [];
    await using stream = open(stt, PCM16_16K);
    for (let utterance = 0; utterance < 2; utterance++) {
      for (const frame of spoken) stream.write(frame);
      stream.finalize();
      finals.push(...(await eventsToFinal(stream)).filter((event) => event.type === "final" && event.transcript !== ""));
    }
    const heard = finals.flatMap((event) => (event.type === "final" ? (event.words ?? []) : []));
    expect(heard.map((word) => word.text).join(" ")).toBe("go forward ten meters go forward ten meters");
    const durationMs = spoken.length * 20;
    for (const [index, word] of heard.entries()) {
      expect(word.endMs).toBeGreaterThan(word.startMs);
      expect(word.startMs).toBeGreaterThanOrEqual(heard[index - 1]?.endMs ?? 0);
      expect(word.confidence).toBeGreaterThan(0.2);
      expect(word.confidence).toBeLessThanOrEqual(1);
      // In the waveform "go" begins at 0.5 s and "meters" ends at 2.3 s.
      const offsetMs = index < 4 ? 0 : durationMs;
      expect(word.startMs).toBeGreaterThanOrEqual(offsetMs + 380);
      expect(word.endMs).toBeLessThanOrEqual(offsetMs + 2500);
    }
  });

  it("tells what it has understood while the caller speaks", async () => {
    await using stream = open(stt, MULAW_8K);
    for (const frame of frames(goForward(), MULAW_8K)) stream.write(frame);
    stream.finalize();
    const partials = (await eventsToFinal(stream)).flatMap((event) => (event.type === "partial" ? [event.transcript] : []));
    expect(partials.length).toBeGreaterThan(1);
    expect(new Set(partials).size).toBe(partials.length);
  });

  it("answers a finalize without speech with an empty final", async () => {
    await using stream = open(stt, MULAW_8K);
    stream.finalize();
    expect(await eventsToFinal(stream)).toEqual([{ type: "final", transcript: "", finalized: true }]);
    for (let frame = 0; frame < 50; frame++) stream.write({ format: MULAW_8K, bytes: new Uint8Array(160).fill(0xff) });
    stream.finalize();
    expect((await eventsToFinal(stream)).at(-1)).toMatchObject({ transcript: "", finalized: true });
  });

  it("keeps two calls apart", async () => {
    const [first, second] = [cards()[0], cards()[3]] as [Recording, Recording];
    const apart = [await transcribe(stt, first, MULAW_8K), await transcribe(stt, second, PCM16_16K)];
    const together = await Promise.all([transcribe(stt, first, MULAW_8K), transcribe(stt, second, PCM16_16K)]);
    for (const [index, transcript] of together.entries()) {
      const reference = words(apart[index] as string);
      expect(wordErrors(reference, words(transcript)) / reference.length).toBeLessThan(0.35);
    }
  });

  it("listens only for the phrases of a grammar", async () => {
    await using narrow = new LocalSTT({ grammar: ["go forward", "turn left", "ten meters", "stop"] });
    expect(await transcribe(narrow, goForward(), MULAW_8K)).toBe("go forward ten meters");
    expect(
      words(await transcribe(narrow, cards()[0] as Recording, MULAW_8K)).every((word) =>
        "go forward turn left ten meters stop".includes(word),
      ),
    ).toBe(true);
  });

  it("ends a stream whose signal aborts, in the middle of a word too, and serves the next", async () => {
    const controller = new AbortController();
    const stream = stt.open({ language: "en", format: PCM16_16K, signal: controller.signal, clock: systemClock });
    for (const frame of frames(readSentences()[0] as Recording)) stream.write(frame);
    controller.abort();
    const events: SttEvent[] = [];
    for await (const event of stream) events.push(event);
    expect(events).toEqual([]);
    stream.write(frames(goForward())[0] as AudioFrame);
    stream.finalize();
    expect(await transcribe(stt, goForward(), PCM16_16K)).toBe("go forward ten meters");
  });

  it.each(["process.exit(0)", "await stt[Symbol.asyncDispose]()", "throw new Error('the program failed')"])(
    "lets a program end in the middle of recognition by %s",
    async (ending) => {
      const { code, errors } = await runProgram(`
        import { setTimeout } from "node:timers/promises";
        import { LocalSTT } from "${built("stt/local.js")}";
        import { systemClock } from "${built("core/clock.js")}";
        const stt = new LocalSTT();
        const { signal } = new AbortController();
        await stt.prepare({ signal });
        const format = { encoding: "pcm16", sampleRate: 16000 };
        const stream = stt.open({ language: "en", format, signal, clock: systemClock });
        const samples = Int16Array.from({ length: 320000 }, (_, i) => 3000 * Math.sin(i * i));
        stream.write({ format, bytes: new Uint8Array(samples.buffer) });
        stream.finalize();
        await setTimeout(60);
        ${ending};
      `);
      expect(errors).not.toMatch(/FATAL ERROR|Segmentation/);
      expect(code).toBe(ending.startsWith("throw") ? 1 : 0);
    },
  );

  it("refuses a language that its model does not know", async () => {
    await using stream = stt.open({ language: "de-DE", format: PCM16_16K, signal, clock: systemClock });
    await expect(eventsToFinal(stream)).rejects.toThrow(
      'The speech model understands "en" and not "de-DE": pass LocalSTT a { model } folder',
    );
  });

  it("says what to do when a model is missing or damaged, and the process lives", async () => {
    await using missing = new LocalSTT({ modelsFolder: join(folder, "empty") });
    await expect(missing.prepare({ signal })).rejects.toThrow(
      /^LocalSTT needs the English speech recognition model.*: run npx getpatter models fetch\.$/,
    );
    const damaged = join(folder, "damaged");
    copyModels(damaged);
    truncateSync(join(damaged, "vosk-en-2.8.0", "graph", "Gr.fst"), 1_000_000);
    await using broken = new LocalSTT({ modelsFolder: damaged });
    await using stream = open(broken, MULAW_8K);
    const failure = await eventsToFinal(stream).catch((error: unknown) => error);
    expect(failure).toBeInstanceOf(ConfigError);
    expect((failure as ConfigError).message).toMatch(
      /damaged: .*Gr\.fst has 1000000 bytes and must have 23686351\. Run npx getpatter models fetch\.$/,
    );
  });

  it("tries a model of the user's own in another process first", async () => {
    const own = join(folder, "own");
    cpSync(join(modelsFolder(), "vosk-en-2.8.0"), own, { recursive: true });
    await using good = new LocalSTT({ model: own });
    expect(good.model).toBe("own");
    expect(await transcribe(good, goForward(), PCM16_16K)).toBe("go forward ten meters");
    truncateSync(join(own, "am", "final.mdl"), 100_000);
    await using bad = new LocalSTT({ model: own });
    await expect(bad.prepare({ signal })).rejects.toThrow(/^LocalSTT cannot load the model .*own: /);
  });
});

function open(recognition: LocalSTT, format: AudioFormat) {
  return recognition.open({ language: "en-US", format, signal, clock: systemClock });
}

function built(path: string): string {
  return new URL(`../../dist/${path}`, import.meta.url).href;
}

async function runProgram(program: string): Promise<{ readonly code: number | null; readonly errors: string }> {
  const child = spawn(process.execPath, ["--input-type=module", "--eval", program], { stdio: ["ignore", "ignore", "pipe"] });
  let errors = "";
  child.stderr.setEncoding("utf8").on("data", (text: string) => {
    errors += text;
  });
  const code = await new Promise<number | null>((resolve) => child.once("close", resolve));
  return { code, errors };
}

/** What is heard in a recording with a little silence around it. */
async function transcribe(recognition: LocalSTT, recording: Recording, format: AudioFormat): Promise<string> {
  await using stream = open(recognition, format);
  for (const frame of frames(recording, format, AROUND)) stream.write(frame);
  stream.finalize();
  const events = await eventsToFinal(stream);
  return events.flatMap((event) => (event.type === "final" && event.transcript !== "" ? [event.transcript] : [])).join(" ");
}

async function errorRate(recordings: readonly Recording[], format: AudioFormat): Promise<number> {
  let errors = 0;
  let total = 0;
  for (const recording of recordings) {
    const reference = words(recording.text);
    errors += wordErrors(reference, words(await transcribe(stt, recording, format)));
    total += reference.length;
  }
  return errors / total;
}

/** The events up to the answer to the next `finalize`. */
async function eventsToFinal(stream: AsyncIterable<SttEvent>): Promise<SttEvent[]> {
  const iterator = stream[Symbol.asyncIterator]();
  const events: SttEvent[] = [];
  for (;;) {
    const { value, done } = await iterator.next();
    if (done === true) throw new Error("The stream ended before the final.");
    events.push(value);
    if (value.type === "final" && value.finalized === true) return events;
  }
}

function copyModels(to: string): void {
  mkdirSync(to, { recursive: true });
  for (const model of ["vosk-0.3.39", "vosk-en-2.8.0"]) cpSync(join(modelsFolder(), model), join(to, model), { recursive: true });
}
