import { describe, expect, test } from "vitest";
import { VirtualClock } from "../core/clock.js";
import type { SttEvent } from "../core/stt.js";
import type { SpokenWord, TtsEvent } from "../core/tts.js";
import type { VadEvent } from "../core/vad.js";
import { SpokenWords } from "./spoken-words.js";
import { TestSTT, TestTTS, type TestTTSOptions, TestVAD } from "./test-speech.js";

const FRAME_BYTES = 640;

/** Writes audio in frames of 20 ms, each when it would have been spoken. */
async function write(
  clock: VirtualClock,
  audio: Uint8Array,
  ...ears: readonly { write(frame: { format: SpokenWords["format"]; bytes: Uint8Array }): void }[]
): Promise<void> {
  for (let offset = 0; offset < audio.length; offset += FRAME_BYTES) {
    await clock.advance(20);
    for (const ear of ears) ear.write({ format: new SpokenWords().format, bytes: audio.subarray(offset, offset + FRAME_BYTES) });
  }
  await clock.advance(0);
}

function silence(durationMs: number): Uint8Array {
  return new Uint8Array(durationMs * 32);
}

/** Reads a stream beside the test. */
function collect<T>(stream: AsyncIterable<T>): { readonly items: T[]; readonly ended: Promise<void> } {
  const items: T[] = [];
  const ended = (async () => {
    for await (const item of stream) items.push(item);
  })();
  return { items, ended };
}

describe("TestSTT", () => {
  function open(options: { readonly turnEndMs?: number } = {}) {
    const clock = new VirtualClock();
    const spoken = new SpokenWords();
    const controller = new AbortController();
    const stt = new TestSTT({ spoken, ...options });
    const stream = stt.open({ language: "en", format: spoken.format, signal: controller.signal, clock });
    return { clock, spoken, controller, stt, stream, ...collect<SttEvent>(stream) };
  }

  test("gives a partial with every word, and a final when it is asked", async () => {
    const { clock, spoken, stream, items } = open();
    await write(clock, spoken.encode("a table"), stream);
    stream.finalize();
    await clock.advance(50);
    stream.finalize();
    await clock.advance(50);
    expect(items).toEqual([
      { type: "partial", transcript: "a" },
      { type: "partial", transcript: "a table" },
      { type: "final", transcript: "a table", finalized: true },
      { type: "final", transcript: "", finalized: true },
    ]);
  });

  test("says itself that the turn is over, if it is told to", async () => {
    const { clock, spoken, stream, items } = open({ turnEndMs: 300 });
    await write(clock, new Uint8Array([...spoken.encode("hello"), ...silence(600)]), stream);
    expect(items).toEqual([
      { type: "partial", transcript: "hello" },
      { type: "final", transcript: "hello" },
      { type: "turn_end", reason: "test" },
    ]);
  });

  test("ends with its signal, without a timer left", async () => {
    const { clock, controller, stt, stream, ended } = open();
    expect(stt.openStreams).toBe(1);
    stream.finalize();
    controller.abort();
    await ended;
    expect(stt.openStreams).toBe(0);
    await stream[Symbol.asyncDispose]();
    expect(stt.openStreams).toBe(0);
    stream.finalize();
    expect(clock.pendingTimers).toBe(0);
  });
});

describe("TestVAD", () => {
  test("tells where speech began and ended, a little later", async () => {
    const clock = new VirtualClock();
    const spoken = new SpokenWords();
    const stream = new TestVAD({ spoken }).open({ signal: new AbortController().signal, clock });
    const { items, ended } = collect<VadEvent>(stream);
    const audio = new Uint8Array([
      ...silence(100),
      ...spoken.encode("hello"),
      ...silence(100),
      ...spoken.encode("there"),
      ...silence(400),
    ]);
    await write(clock, audio, stream);
    expect(items).toEqual([
      { type: "speech_start", audioMs: 100 },
      { type: "speech_end", audioMs: 600 },
    ]);
    await stream[Symbol.asyncDispose]();
    await ended;
  });
});

describe("TestTTS", () => {
  function speak(options: Partial<TestTTSOptions> = {}) {
    const clock = new VirtualClock();
    const spoken = new SpokenWords();
    const controller = new AbortController();
    const tts = new TestTTS({ spoken, ...options });
    const connection = tts.open({ format: spoken.format, language: "en", signal: new AbortController().signal, clock });
    const stream = connection.speak({ signal: controller.signal });
    return { clock, spoken, controller, tts, connection, stream, ...collect<TtsEvent>(stream) };
  }

  test("speaks each flushed text, with the time and place of every word", async () => {
    const { clock, spoken, tts, stream, items, ended } = speak();
    stream.write("Good ");
    stream.write("day.");
    stream.flush();
    stream.write(" Bye.");
    stream.end();
    await clock.runUntil(ended);
    expect(tts.synthesised).toEqual(["Good day.", "Bye."]);
    const words = items.flatMap((item): readonly SpokenWord[] => (item.type === "words" ? item.words : []));
    expect(words).toEqual([
      { textStart: 0, textEnd: 4, startMs: 0, endMs: 160 },
      { textStart: 5, textEnd: 9, startMs: 160, endMs: 320 },
      { textStart: 10, textEnd: 14, startMs: 320, endMs: 480 },
    ]);
    const audio = items.flatMap((item) => (item.type === "audio" ? [...item.frame.bytes] : []));
    expect(new Uint8Array(audio)).toEqual(spoken.encode("Good day. Bye."));
    expect(items.filter(({ type }) => type === "flushed")).toEqual([
      { type: "flushed", textEnd: 9 },
      { type: "flushed", textEnd: 14 },
    ]);
  });

  test("takes its time, one text after the other", async () => {
    const { clock, stream, items, ended } = speak({ latencyMs: 300, wordTimes: false });
    stream.write("One.");
    stream.flush();
    stream.write(" Two.");
    stream.flush();
    await clock.advance(299);
    expect(items).toEqual([]);
    stream.end();
    await clock.runUntil(ended);
    expect(clock.now()).toBe(600);
    expect(items.map(({ type }) => type)).toEqual(["audio", "flushed", "usage", "audio", "flushed", "usage"]);
  });

  test("stops with its signal, without a timer left", async () => {
    const { clock, controller, stream, items, ended } = speak({ latencyMs: 300 });
    stream.write("One.");
    stream.flush();
    await clock.advance(100);
    controller.abort();
    await ended;
    expect(items).toEqual([]);
    expect(clock.pendingTimers).toBe(0);
  });

  test("fails where it is told to", async () => {
    const { stream, ended } = speak({ fails: (text) => (text === "Two." ? new Error("no voice") : undefined) });
    const failed = expect(ended).rejects.toThrow("no voice");
    stream.write("One.");
    stream.flush();
    stream.write(" Two.");
    stream.flush();
    await failed;
  });

  test("counts its open connections", async () => {
    const { tts, connection } = speak();
    expect(tts.openConnections).toBe(1);
    await connection[Symbol.asyncDispose]();
    await connection[Symbol.asyncDispose]();
    expect(tts.openConnections).toBe(0);
  });
});
