import assert from "node:assert/strict";
import { type AudioFormat, audioDurationMs, bytesPerSample, describeFormat, sameFormat } from "../../core/audio-frame.js";
import { type Clock, systemClock, VirtualClock } from "../../core/clock.js";
import type { SpokenWord, TTS, TtsConnection, TtsEvent, TtsStream } from "../../core/tts.js";

/** A synthesiser under test. */
export interface TtsUnderTest extends AsyncDisposable {
  readonly tts: TTS;
  /** Default real time. A `VirtualClock` is moved on while something is waited for. */
  readonly clock?: Clock;
  /** What is still open once every connection has been closed, such as sockets; asked at the end of each case. */
  leftovers?(): readonly string[] | Promise<readonly string[]>;
}

export interface TtsConformanceOptions {
  /** Makes a synthesiser for one case. */
  start(): TtsUnderTest | Promise<TtsUnderTest>;
  /** Default `en`. */
  readonly language?: string;
  /** Two sentences that it can speak, each of several words. Default: English. */
  readonly sentences?: readonly [string, string];
  /** Whether it tells when words are spoken. Default true. */
  readonly tellsWords?: boolean;
}

/** One thing that every implementation of a contract must do. */
export interface TtsConformanceCase {
  readonly name: string;
  /** Rejects with an `AssertionError` when it is not done. */
  run(): Promise<void>;
}

const SENTENCES = ["Good morning to you.", "We open again at nine."] as const;

/**
 * What the contract in `TTS` asks of every synthesiser, as cases for any test runner:
 *
 * ```ts
 * for (const { name, run } of ttsConformance({ start })) test(name, run);
 * ```
 */
export function ttsConformance(options: TtsConformanceOptions): readonly TtsConformanceCase[] {
  const [first, second] = options.sentences ?? SENTENCES;
  const both = `${first} ${second}`;
  const cases: Record<string, (rig: Rig) => Promise<void>> = {
    "speaks whole samples in every format that it offers": async (rig) => {
      for (const format of rig.tts.outputFormats) {
        const speech = await rig.speakAll(rig.open(format), [first]);
        assert.ok(speech.audioMs > 0, `no audio in ${describeFormat(format)}`);
        for (const frame of speech.frames) {
          assert.ok(sameFormat(frame.format, format), `${describeFormat(frame.format)} instead of ${describeFormat(format)}`);
          assert.equal(frame.bytes.length % bytesPerSample(format.encoding), 0, "a frame ends within a sample");
        }
      }
    },
    "answers every flush, in order, with the place that it had reached": async (rig) => {
      const speech = await rig.speakAll(rig.open(), [first, ` ${second}`]);
      assert.deepEqual(speech.flushed, [first.length, both.length]);
    },
    "has yielded a text's audio when its flush is answered": async (rig) => {
      const speech = await rig.speakAll(rig.open(), [first, ` ${second}`]);
      const alone = await rig.speakAll(rig.open(), [first]);
      const [firstMs = 0] = speech.flushedAtMs;
      assert.ok(firstMs >= alone.audioMs * 0.7, `${firstMs} ms of about ${alone.audioMs} ms had come`);
      assert.ok(speech.audioMs > firstMs, "the second text has no audio behind the first one's");
    },
    "takes a text in pieces": async (rig) => {
      const stream = rig.speak(rig.open());
      for (const piece of first.split(/(?<=\s)/)) stream.write(piece);
      stream.end();
      const speech = await rig.collect(stream);
      assert.ok(speech.audioMs > 0, "no audio");
      assert.deepEqual(speech.flushed.slice(-1), [first.length]);
    },
    "ends at once when there is nothing to say": async (rig) => {
      const speech = await rig.speakAll(rig.open(), []);
      assert.equal(speech.audioMs, 0);
    },
    "answers the flush of a text without a sound": async (rig) => {
      const speech = await rig.speakAll(rig.open(), [first, " … "]);
      assert.deepEqual(speech.flushed, [first.length, first.length + 3]);
    },
    "reports the characters that it spoke": async (rig) => {
      const speech = await rig.speakAll(rig.open(), [first]);
      assert.ok(speech.characters >= wordsOf(first).join("").length, `${speech.characters} characters`);
    },
    "speaks reply after reply on one connection, each from its own beginning": async (rig) => {
      const connection = rig.open();
      const before = await rig.speakAll(connection, [first]);
      const after = await rig.speakAll(connection, [second]);
      assert.deepEqual([before.flushed, after.flushed], [[first.length], [second.length]]);
      for (const word of after.words) assert.ok(word.textEnd <= second.length, "a word lies behind the text");
    },
    "falls silent when a reply is aborted, and speaks the next one": async (rig) => {
      const connection = rig.open();
      const controller = new AbortController();
      const stream = rig.speak(connection, controller.signal);
      stream.write(both);
      stream.flush();
      const iterator = stream[Symbol.asyncIterator]();
      await rig.drive(iterator.next());
      controller.abort(new Error("barge-in"));
      const end = await rig.drive(iterator.next().catch(() => ({ done: true, value: undefined })));
      assert.equal(end.done, true, "it went on after the abort");
      const next = await rig.speakAll(connection, [second]);
      assert.deepEqual(next.flushed, [second.length]);
      assert.ok(next.audioMs > 0, "the next reply has no audio");
    },
    "keeps two calls at once apart": async (rig) => {
      const alone = await rig.speakAll(rig.open(), [first]);
      const [one, other] = await Promise.all([rig.speakAll(rig.open(), [first]), rig.speakAll(rig.open(), [both])]);
      assert.deepEqual([one.flushed, other.flushed], [[first.length], [both.length]]);
      assert.ok(Math.abs(one.audioMs - alone.audioMs) < 1, `${one.audioMs} ms beside another call, ${alone.audioMs} ms alone`);
    },
    "ends its replies when the call ends": async (rig) => {
      const controller = new AbortController();
      const stream = rig.speak(rig.open(rig.tts.outputFormats[0], controller.signal));
      stream.write(both);
      stream.flush();
      controller.abort(new Error("hung up"));
      await rig.drive(rig.collect(stream).catch(() => undefined));
    },
    "ends its replies when its connection is closed": async (rig) => {
      const connection = rig.open();
      const stream = rig.speak(connection);
      stream.write(both);
      stream.flush();
      await rig.drive(Promise.resolve(connection[Symbol.asyncDispose]()));
      await rig.drive(rig.collect(stream).catch(() => undefined));
    },
  };
  if (options.tellsWords !== false) {
    cases["tells when each word is spoken, in order, within text and audio"] = async (rig) => {
      const speech = await rig.speakAll(rig.open(), [first, ` ${second}`]);
      const told = speech.words.map(({ textStart, textEnd }) => both.slice(textStart, textEnd));
      assert.deepEqual(told, wordsOf(both));
      let beforeMs = 0;
      for (const { startMs, endMs } of speech.words) {
        assert.ok(startMs >= beforeMs - 1 && endMs >= startMs && endMs <= speech.audioMs + 100, `${startMs} to ${endMs} ms`);
        beforeMs = startMs;
      }
    };
  }
  return Object.entries(cases).map(([name, run]) => ({ name, run: () => runCase(options, run) }));
}

async function runCase(options: TtsConformanceOptions, run: (rig: Rig) => Promise<void>): Promise<void> {
  await using started = await options.start();
  const rig = new Rig(started, options.language ?? "en");
  try {
    await run(rig);
  } finally {
    await rig.close();
  }
  assert.deepEqual(await started.leftovers?.(), started.leftovers === undefined ? undefined : [], "something was left behind");
  if (started.clock instanceof VirtualClock) assert.equal(started.clock.pendingTimers, 0, "a timer was left behind");
}

interface Speech {
  readonly frames: readonly { readonly format: AudioFormat; readonly bytes: Uint8Array }[];
  readonly audioMs: number;
  readonly words: readonly SpokenWord[];
  readonly flushed: readonly number[];
  /** How much audio had come when each flush was answered, in ms. */
  readonly flushedAtMs: readonly number[];
  readonly characters: number;
}

/** The synthesiser of one case, and what was opened of it. */
class Rig {
  readonly tts: TTS;
  readonly #clock: Clock;
  readonly #language: string;
  readonly #connections: TtsConnection[] = [];

  constructor(started: TtsUnderTest, language: string) {
    this.tts = started.tts;
    this.#clock = started.clock ?? systemClock;
    this.#language = language;
  }

  open(format: AudioFormat | undefined = this.tts.outputFormats[0], signal = new AbortController().signal): TtsConnection {
    assert.ok(format !== undefined, "it offers no format");
    const connection = this.tts.open({ format, language: this.#language, signal, clock: this.#clock });
    this.#connections.push(connection);
    return connection;
  }

  speak(connection: TtsConnection, signal = new AbortController().signal): TtsStream {
    return connection.speak({ signal });
  }

  /** Speaks texts, each with a flush, to the end. */
  async speakAll(connection: TtsConnection, texts: readonly string[]): Promise<Speech> {
    const stream = this.speak(connection);
    for (const text of texts) {
      stream.write(text);
      stream.flush();
    }
    stream.end();
    return await this.collect(stream);
  }

  async collect(stream: TtsStream): Promise<Speech> {
    return await this.drive(speechOf(stream));
  }

  /** Waits; on virtual time time goes on meanwhile. */
  async drive<T>(promise: Promise<T>): Promise<T> {
    return this.#clock instanceof VirtualClock ? await this.#clock.runUntil(promise) : await promise;
  }

  async close(): Promise<void> {
    for (const connection of this.#connections) await this.drive(Promise.resolve(connection[Symbol.asyncDispose]()));
  }
}

async function speechOf(stream: TtsStream): Promise<Speech> {
  const frames: { format: AudioFormat; bytes: Uint8Array }[] = [];
  const words: SpokenWord[] = [];
  const flushed: number[] = [];
  const flushedAtMs: number[] = [];
  let audioMs = 0;
  let characters = 0;
  for await (const event of stream as AsyncIterable<TtsEvent>) {
    switch (event.type) {
      case "audio":
        frames.push(event.frame);
        audioMs += audioDurationMs(event.frame.format, event.frame.bytes.length);
        break;
      case "words":
        words.push(...event.words);
        break;
      case "flushed":
        flushed.push(event.textEnd);
        flushedAtMs.push(audioMs);
        break;
      case "usage":
        characters += event.characters;
        break;
    }
  }
  return { frames, audioMs, words, flushed, flushedAtMs, characters };
}

function wordsOf(text: string): readonly string[] {
  return text.match(/\S+/g) ?? [];
}
