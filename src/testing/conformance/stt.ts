import assert from "node:assert/strict";
import { type AudioFormat, type AudioFrame, audioByteLength, audioDurationMs } from "../../core/audio-frame.js";
import { type Clock, systemClock, VirtualClock } from "../../core/clock.js";
import { PatterError } from "../../core/errors.js";
import type { STT, SttEvent, SttStream } from "../../core/stt.js";

/** A recogniser under test. */
export interface SttUnderTest extends AsyncDisposable {
  readonly stt: STT;
  /** Default real time. A `VirtualClock` is moved on while something is waited for. */
  readonly clock?: Clock;
  /** Somebody says a phrase, in `format`, for the recogniser to understand; the suite adds the silence behind it. */
  say(phrase: string, format: AudioFormat): Uint8Array | Promise<Uint8Array>;
  /** Makes the next stream fail. Left out: that is not tested. */
  failNext?(): void;
  /** What is still open once every stream has been closed, such as sockets; asked at the end of each case. */
  leftovers?(): readonly string[] | Promise<readonly string[]>;
}

export interface SttConformanceOptions {
  /** Makes a recogniser for one case. */
  start(): SttUnderTest | Promise<SttUnderTest>;
  /** Default `en`. */
  readonly language?: string;
  /** Two phrases without a word in common that it can understand. Default: English. */
  readonly phrases?: readonly [string, string];
}

/** One thing that every implementation of a contract must do. */
export interface SttConformanceCase {
  readonly name: string;
  /** Rejects with an `AssertionError` when it is not done. */
  run(): Promise<void>;
}

const PHRASES = ["good morning everyone", "please book a table"] as const;
const FRAME_MS = 20;
/** Silence behind a phrase, in ms. */
const PAUSE_MS = 600;
/** How long anything may take, in ms. */
const LIMIT_MS = 20_000;

/**
 * What the contract in `STT` asks of every recogniser, as cases for any test runner:
 *
 * ```ts
 * for (const { name, run } of sttConformance({ start })) test(name, run);
 * ```
 */
export function sttConformance(options: SttConformanceOptions): readonly SttConformanceCase[] {
  const [first, second] = options.phrases ?? PHRASES;
  const cases: Record<string, (rig: Rig) => Promise<void>> = {
    "understands what is said": async (rig) => {
      const listener = await rig.hear(first);
      listener.stream.finalize();
      await rig.until(() => listener.finalized === 1, "finalize() was not answered");
      assert.deepEqual(listener.words, wordsOf(first));
    },
    "understands every format that it offers": async (rig) => {
      for (const format of rig.stt.inputFormats) {
        const listener = await rig.hear(first, format);
        listener.stream.finalize();
        await rig.until(() => listener.finalized === 1, "finalize() was not answered");
        assert.ok(listener.words.length > 0, `no words in ${format.encoding} at ${format.sampleRate} Hz`);
        await listener.stream[Symbol.asyncDispose]();
      }
    },
    "answers each finalize() once, also without audio": async (rig) => {
      const listener = rig.open();
      for (let count = 1; count <= 3; count++) {
        listener.stream.finalize();
        await rig.until(() => listener.finalized >= count, "finalize() was not answered");
      }
      await rig.say(listener, first);
      listener.stream.finalize();
      listener.stream.finalize();
      await rig.until(() => listener.finalized >= 5, "finalize() was not answered");
      await rig.pause(1500);
      assert.equal(listener.finalized, 5);
    },
    "makes every word final once": async (rig) => {
      const listener = await rig.hear(first);
      listener.stream.finalize();
      await rig.say(listener, second);
      listener.stream.finalize();
      await rig.until(() => listener.finalized === 2, "finalize() was not answered");
      await rig.pause(1500);
      assert.deepEqual(listener.words, [...wordsOf(first), ...wordsOf(second)]);
    },
    "places words, where it does, in order and within the audio": async (rig) => {
      const listener = await rig.hear(first);
      listener.stream.finalize();
      await rig.until(() => listener.finalized === 1, "finalize() was not answered");
      let lastMs = 0;
      for (const { text, startMs, endMs } of listener.timedWords) {
        assert.ok(startMs >= lastMs - 1 && endMs >= startMs, `"${text}" from ${startMs} to ${endMs} ms, behind ${lastMs} ms`);
        lastMs = endMs;
      }
      assert.ok(lastMs <= listener.writtenMs + 1, `a word ends at ${lastMs} of ${listener.writtenMs} ms`);
    },
    "keeps two streams apart": async (rig) => {
      const left = rig.open();
      const right = rig.open();
      const [leftAudio, rightAudio] = await Promise.all([rig.audio(first), rig.audio(second)]);
      for (let index = 0; index < Math.max(leftAudio.length, rightAudio.length); index++) {
        for (const [listener, audio] of [
          [left, leftAudio],
          [right, rightAudio],
        ] as const) {
          const frame = audio[index];
          if (frame !== undefined) listener.write(frame);
        }
      }
      left.stream.finalize();
      right.stream.finalize();
      await rig.until(() => left.finalized === 1 && right.finalized === 1, "finalize() was not answered");
      assert.deepEqual(left.words, wordsOf(first));
      assert.deepEqual(right.words, wordsOf(second));
    },
    "goes on when another stream is closed": async (rig) => {
      const gone = await rig.hear(second);
      const listener = rig.open();
      await gone.stream[Symbol.asyncDispose]();
      await rig.say(listener, first);
      listener.stream.finalize();
      await rig.until(() => listener.finalized === 1, "finalize() was not answered");
      assert.deepEqual(listener.words, wordsOf(first));
    },
    "ends without an error when it is closed": async (rig) => {
      const listener = await rig.hear(first);
      await listener.stream[Symbol.asyncDispose]();
      await rig.until(() => listener.isOver, "the iteration did not end");
      assert.equal(listener.failure, undefined);
    },
    "ends without an error when its signal aborts, in the middle of a word": async (rig) => {
      const listener = rig.open();
      const audio = await rig.audio(first);
      for (const frame of audio.slice(0, audio.length / 4)) listener.write(frame);
      listener.stream.finalize();
      listener.controller.abort();
      await rig.until(() => listener.isOver, "the iteration did not end");
      assert.equal(listener.failure, undefined);
    },
    "ends without an error when its signal has aborted before": async (rig) => {
      const listener = rig.open(undefined, AbortSignal.abort());
      await rig.until(() => listener.isOver, "the iteration did not end");
      assert.equal(listener.failure, undefined);
    },
    "takes no harm from being used after its end": async (rig) => {
      const listener = await rig.hear(first);
      await listener.stream[Symbol.asyncDispose]();
      const [frame] = await rig.audio(second);
      if (frame !== undefined) listener.write(frame);
      listener.stream.finalize();
      await listener.stream[Symbol.asyncDispose]();
      await rig.pause(100);
      assert.equal(listener.failure, undefined);
    },
    "fails with a PatterError, and the next stream is none the worse": async (rig) => {
      if (rig.subject.failNext === undefined) return;
      rig.subject.failNext();
      const failing = await rig.hear(second);
      await rig.until(() => failing.isOver, "the stream did not fail");
      assert.ok(failing.failure instanceof PatterError, `threw ${String(failing.failure)}`);
      const listener = await rig.hear(first);
      listener.stream.finalize();
      await rig.until(() => listener.finalized === 1, "finalize() was not answered");
      assert.deepEqual(listener.words, wordsOf(first));
    },
  };
  return Object.entries(cases).map(([name, run]) => ({
    name,
    run: async () => {
      const subject = await options.start();
      await using rig = new Rig(subject, options.language ?? "en");
      await run(rig);
      await rig.close();
      await rig.until(async () => ((await subject.leftovers?.()) ?? []).length === 0, "something is left open");
      if (rig.clock instanceof VirtualClock) assert.equal(rig.clock.pendingTimers, 0, "a timer is left");
    },
  }));
}

/** A stream and what came of it. */
class Listening {
  readonly stream: SttStream;
  readonly controller = new AbortController();
  readonly events: SttEvent[] = [];
  writtenMs = 0;
  isOver = false;
  failure: unknown;

  constructor(open: (signal: AbortSignal) => SttStream, signal?: AbortSignal) {
    this.stream = open(signal ?? this.controller.signal);
    void this.#read();
  }

  write(frame: AudioFrame): void {
    this.stream.write(frame);
    this.writtenMs += audioDurationMs(frame.format, frame.bytes.length);
  }

  /** Answers to `finalize()`. */
  get finalized(): number {
    return this.#finals.filter(({ finalized }) => finalized === true).length;
  }

  /** The words that are final, without their writing. */
  get words(): string[] {
    return wordsOf(this.#finals.map(({ transcript }) => transcript).join(" "));
  }

  get timedWords(): readonly { readonly text: string; readonly startMs: number; readonly endMs: number }[] {
    return this.#finals.flatMap(({ words = [] }) => words);
  }

  get #finals(): (SttEvent & { readonly type: "final" })[] {
    return this.events.filter((event): event is SttEvent & { readonly type: "final" } => event.type === "final");
  }

  async #read(): Promise<void> {
    try {
      for await (const event of this.stream) this.events.push(event);
    } catch (error) {
      this.failure = error;
    }
    this.isOver = true;
  }
}

/** One case's recogniser and its streams. */
class Rig implements AsyncDisposable {
  readonly subject: SttUnderTest;
  readonly clock: Clock;
  readonly #language: string;
  readonly #listeners: Listening[] = [];

  constructor(subject: SttUnderTest, language: string) {
    this.subject = subject;
    this.clock = subject.clock ?? systemClock;
    this.#language = language;
  }

  get stt(): STT {
    return this.subject.stt;
  }

  get #format(): AudioFormat {
    const [format] = this.stt.inputFormats;
    assert.ok(format !== undefined, "it offers no format");
    return format;
  }

  open(format = this.#format, signal?: AbortSignal): Listening {
    const listener = new Listening(
      (ownSignal) => this.stt.open({ language: this.#language, format, signal: ownSignal, clock: this.clock }),
      signal,
    );
    this.#listeners.push(listener);
    return listener;
  }

  /** A phrase and the silence behind it, in frames. */
  async audio(phrase: string, format = this.#format): Promise<AudioFrame[]> {
    const speech = await this.subject.say(phrase, format);
    const silence = new Uint8Array(audioByteLength(format, PAUSE_MS)).fill(SILENCE[format.encoding]);
    const bytes = new Uint8Array([...speech, ...silence]);
    const frameBytes = audioByteLength(format, FRAME_MS);
    const count = Math.ceil(bytes.length / frameBytes);
    return Array.from({ length: count }, (_, index) => ({
      format,
      bytes: bytes.slice(index * frameBytes, (index + 1) * frameBytes),
    }));
  }

  async say(listener: Listening, phrase: string, format?: AudioFormat): Promise<void> {
    for (const frame of await this.audio(phrase, format)) listener.write(frame);
  }

  async hear(phrase: string, format?: AudioFormat): Promise<Listening> {
    const listener = this.open(format);
    await this.say(listener, phrase, format);
    return listener;
  }

  async until(isSo: () => boolean | Promise<boolean>, otherwise: string): Promise<void> {
    for (let ms = 0; ms < LIMIT_MS; ms += FRAME_MS) {
      if (await isSo()) return;
      await this.pause(FRAME_MS);
    }
    assert.fail(`${otherwise} within ${LIMIT_MS / 1000} s`);
  }

  async pause(ms: number): Promise<void> {
    if (this.clock instanceof VirtualClock) await this.clock.advance(ms);
    else await this.clock.sleep(ms);
  }

  async close(): Promise<void> {
    for (const listener of this.#listeners) await listener.stream[Symbol.asyncDispose]();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
    await this.subject[Symbol.asyncDispose]();
  }
}

const SILENCE = { pcm16: 0, mulaw: 0xff, alaw: 0xd5 } as const;

function wordsOf(text: string): string[] {
  return text.toLowerCase().match(/[\p{L}\p{N}'-]+/gu) ?? [];
}
