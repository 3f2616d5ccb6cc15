import { describe, expect, it } from "vitest";
import { loadBandwidthExtensionWeights } from "../../audio/bandwidth-extension.js";
import { type AudioFormat, MULAW_8K, PCM16_16K } from "../../core/audio-frame.js";
import { deferred } from "../../core/signals.js";
import type { SttEvent } from "../../core/stt.js";
import { Recognition, type RecognitionMessage } from "./recognition.js";
import type { RecognizedSegment, Recognizer } from "./recognizer.js";

const weights = await loadBandwidthExtensionWeights();

/**
 * Hears one word per 100 ms of loud audio, named after where it begins in what it was given, and ends a
 * segment after half a second of silence.
 */
class SecondsRecognizer implements Recognizer {
  readonly tailMs = 200;
  heardMs = 0;
  freed = 0;
  #silentMs = 0;
  #words: { text: string; startMs: number; endMs: number; confidence: number }[] = [];

  async accept(samples: Int16Array): ReturnType<Recognizer["accept"]> {
    for (let from = 0; from < samples.length; from += 160) {
      const isLoud = Math.abs(samples[from + 80] ?? 0) > 100;
      this.#silentMs = isLoud ? 0 : this.#silentMs + 10;
      if (isLoud && this.heardMs % 100 === 0) {
        this.#words.push({ text: `w${this.heardMs}`, startMs: this.heardMs, endMs: this.heardMs + 90, confidence: 0.5 });
      }
      this.heardMs += 10;
    }
    const hasEnded = this.#silentMs >= 500 && this.#words.length > 0;
    return hasEnded ? { partial: "", segment: await this.finish() } : { partial: this.#transcript() };
  }

  async finish(): Promise<RecognizedSegment> {
    const segment = { transcript: this.#transcript(), words: this.#words };
    this.#words = [];
    return segment;
  }

  free(): void {
    this.freed++;
  }

  #transcript(): string {
    return this.#words.map(({ text }) => text).join(" ");
  }
}

describe("Recognition", () => {
  it("answers every finalize, in order, with the words since the last final", async () => {
    const { recognition, events, settle } = open();
    for (const message of [...loud(200), "finalize", "finalize", ...loud(100), "finalize"] as const) recognition.receive(message);
    await settle();
    expect(finals(events)).toEqual(["w0 w100", "", "w600"].map((transcript) => ({ transcript, finalized: true })));
  });

  it("places words in the call's audio, not counting the silence it added for the recogniser", async () => {
    const { recognition, events, settle } = open();
    for (const message of [...loud(100), "finalize", ...quiet(100), ...loud(100), "finalize"] as const)
      recognition.receive(message);
    await settle();
    const words = events.flatMap((event) => (event.type === "final" ? (event.words ?? []) : []));
    expect(words).toEqual([
      { text: "w0", startMs: 0, endMs: 90, confidence: 0.5 },
      { text: "w400", startMs: 200, endMs: 290, confidence: 0.5 },
    ]);
  });

  it("tells what it understands so far only when that has changed, and finals by themselves at pauses", async () => {
    const { recognition, events, settle } = open();
    for (const message of [...loud(160), ...quiet(640)]) recognition.receive(message);
    await settle();
    expect(events.map((event) => ("transcript" in event ? `${event.type} ${event.transcript}` : event.type))).toEqual([
      "partial w0 w100",
      "final w0 w100",
    ]);
  });

  it("drops the oldest audio beyond ten seconds, and still places the words behind it", async () => {
    const opening = deferred<Recognizer>();
    const { recognition, events, settle } = open(PCM16_16K, opening.promise);
    for (const message of [...loud(15_000), "finalize"] as const) recognition.receive(message);
    const recognizer = new SecondsRecognizer();
    opening.resolve(recognizer);
    await settle();
    expect(recognizer.heardMs).toBe(10_200);
    const words = events.flatMap((event) => (event.type === "final" ? (event.words ?? []) : []));
    expect(words).toHaveLength(100);
    expect(words[0]).toMatchObject({ text: "w0", startMs: 5000 });
    expect(words.at(-1)).toMatchObject({ text: "w9900", startMs: 14_900, endMs: 14_990 });
  });

  it("keeps long silences from the recogniser, and still places the words behind them", async () => {
    const recognizer = new SecondsRecognizer();
    const { recognition, events, settle } = open(PCM16_16K, Promise.resolve(recognizer));
    for (const message of [...loud(100), ...quiet(8000), ...loud(100), "finalize"] as const) recognition.receive(message);
    await settle();
    // 600 ms of silence after the first sound, 300 before the second, and what is added for the last words.
    expect(recognizer.heardMs).toBe(100 + 600 + 300 + 100 + 200);
    const words = events.flatMap((event) => (event.type === "final" ? (event.words ?? []) : []));
    expect(words.map(({ startMs }) => startMs)).toEqual([0, 8100]);
  });

  it("reports how much audio it recognised, without what it added or left out", async () => {
    const { recognition, events, settle } = open();
    for (const message of [...loud(6000), ...quiet(3000), "finalize", ...loud(3000), "finalize"] as const)
      recognition.receive(message);
    await settle();
    const usedMs = events.flatMap((event) => (event.type === "usage" ? [event.audioMs] : []));
    expect(usedMs).toEqual([6600, 3300]);
  });

  it("gives a recogniser the telephone's audio at 16 kHz, in full", async () => {
    const recognizer = new SecondsRecognizer();
    const { recognition, settle } = open(MULAW_8K, Promise.resolve(recognizer));
    for (let frame = 0; frame < 50; frame++) recognition.receive(new Uint8Array(160).fill(0x80));
    recognition.receive("finalize");
    await settle();
    expect(recognizer.heardMs).toBeGreaterThanOrEqual(1160);
    expect(recognizer.heardMs).toBeLessThanOrEqual(1200);
  });

  it("frees the recogniser once, whenever it is closed", async () => {
    const atWork = new SecondsRecognizer();
    const first = open(PCM16_16K, Promise.resolve(atWork));
    for (const message of loud(1000)) first.recognition.receive(message);
    first.recognition.close();
    for (const message of loud(1000)) first.recognition.receive(message);
    await first.settle();
    expect(atWork.freed).toBe(1);
    expect(first.events).toEqual([]);

    const notReady = new SecondsRecognizer();
    const opening = deferred<Recognizer>();
    const second = open(PCM16_16K, opening.promise);
    second.recognition.close();
    opening.resolve(notReady);
    await second.settle();
    expect(notReady.freed).toBe(1);
  });

  it("fails with what the recogniser throws, and frees it", async () => {
    const broken = new SecondsRecognizer();
    broken.accept = () => Promise.reject(new Error("out of memory"));
    const { recognition, failures, settle } = open(PCM16_16K, Promise.resolve(broken));
    for (const message of loud(200)) recognition.receive(message);
    await settle();
    expect(failures).toEqual([new Error("out of memory")]);
    recognition.close();
    await settle();
    expect(broken.freed).toBe(1);
  });
});

function open(format: AudioFormat = PCM16_16K, opening: Promise<Recognizer> = Promise.resolve(new SecondsRecognizer())) {
  const events: SttEvent[] = [];
  const failures: unknown[] = [];
  const recognition = new Recognition({ format, weights, sampleRate: 16_000, run: (work) => work() }, opening, {
    emit: (event) => void events.push(event),
    end: () => {},
    fail: (error) => void failures.push(error),
  });
  const settle = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
  return { recognition, events, failures, settle };
}

function loud(durationMs: number): RecognitionMessage[] {
  return pieces(durationMs, 1000);
}

function quiet(durationMs: number): RecognitionMessage[] {
  return pieces(durationMs, 0);
}

function pieces(durationMs: number, level: number): RecognitionMessage[] {
  return Array.from({ length: durationMs / 20 }, () => new Uint8Array(new Int16Array(320).fill(level).buffer));
}

function finals(events: readonly SttEvent[]): object[] {
  return events.flatMap((event) =>
    event.type === "final" ? [{ transcript: event.transcript, finalized: event.finalized }] : [],
  );
}
