import { type AudioFormat, type AudioFrame, audioDurationMs } from "../core/audio-frame.js";
import type { Clock } from "../core/clock.js";
import { AsyncQueue } from "../core/queue.js";
import { ChildController, onAbort } from "../core/signals.js";
import type { STT, SttEvent, SttOpenOptions, SttStream } from "../core/stt.js";
import type { TTS, TtsConnection, TtsEvent, TtsOpenOptions, TtsStream } from "../core/tts.js";
import type { VAD, VadEvent, VadStream } from "../core/vad.js";
import { type SpokenWords, WordReader, wordsOf } from "./spoken-words.js";

/** Recognises the words that a `TestPhone` speaks. */
export class TestSTT implements STT {
  readonly provider = "test";
  readonly model = "spoken-words";
  readonly inputFormats: readonly AudioFormat[];
  readonly #spoken: SpokenWords;
  readonly #finalMs: number;
  readonly #turnEndMs: number | undefined;
  /** Streams that are open now. */
  openStreams = 0;

  /** `finalMs`: time from `finalize()` to the final (default 50). `turnEndMs`: silence after which it says itself that the turn is over. */
  constructor(options: { readonly spoken: SpokenWords; readonly finalMs?: number; readonly turnEndMs?: number }) {
    this.#spoken = options.spoken;
    this.inputFormats = [options.spoken.format];
    this.#finalMs = options.finalMs ?? 50;
    this.#turnEndMs = options.turnEndMs;
  }

  open({ signal, clock }: SttOpenOptions): SttStream {
    this.openStreams++;
    const events = new AsyncQueue<SttEvent>();
    const reader = new WordReader(this.#spoken);
    let words: string[] = [];
    let silentMs = 0;
    const finals = new Set<Disposable>();
    const close = (): void => {
      if (events.ended) return;
      this.openStreams--;
      for (const final of finals) final[Symbol.dispose]();
      events.end();
    };
    const abort = onAbort(signal, close);
    return {
      write: (frame) => {
        const ended = reader.read(frame.bytes);
        words.push(...ended);
        if (ended.length > 0) events.push({ type: "partial", transcript: words.join(" ") });
        silentMs = isSilent(frame, this.#spoken) ? silentMs + audioDurationMs(frame.format, frame.bytes.length) : 0;
        if (words.length > 0 && silentMs === this.#turnEndMs) {
          events.push({ type: "final", transcript: words.join(" ") });
          events.push({ type: "turn_end", reason: "test" });
          words = [];
        }
      },
      finalize: () => {
        if (events.ended) return;
        const final = clock.setTimer(this.#finalMs, () => {
          finals.delete(final);
          events.push({ type: "final", transcript: words.join(" "), finalized: true });
          words = [];
        });
        finals.add(final);
      },
      [Symbol.asyncIterator]: () => events[Symbol.asyncIterator](),
      [Symbol.asyncDispose]: async () => {
        abort[Symbol.dispose]();
        close();
      },
    };
  }
}

/** Hears whether a `TestPhone` is being spoken into. */
export class TestVAD implements VAD {
  readonly provider = "test";
  readonly inputFormat: AudioFormat;
  readonly #spoken: SpokenWords;
  readonly #startMs: number;
  readonly #endMs: number;

  /** `startMs` of voice start speech (default 60), `endMs` of silence end it (default 200). */
  constructor(options: { readonly spoken: SpokenWords; readonly startMs?: number; readonly endMs?: number }) {
    this.#spoken = options.spoken;
    this.inputFormat = options.spoken.format;
    this.#startMs = options.startMs ?? 60;
    this.#endMs = options.endMs ?? 200;
  }

  open({ signal }: { readonly signal: AbortSignal; readonly clock: Clock }): VadStream {
    const events = new AsyncQueue<VadEvent>();
    let audioMs = 0;
    let runMs = 0;
    let speaking = false;
    const abort = onAbort(signal, () => events.end());
    return {
      write: (frame) => {
        const durationMs = audioDurationMs(frame.format, frame.bytes.length);
        audioMs += durationMs;
        runMs = isSilent(frame, this.#spoken) === speaking ? runMs + durationMs : 0;
        if (runMs < (speaking ? this.#endMs : this.#startMs)) return;
        events.push({ type: speaking ? "speech_end" : "speech_start", audioMs: audioMs - runMs });
        speaking = !speaking;
        runMs = 0;
      },
      [Symbol.asyncIterator]: () => events[Symbol.asyncIterator](),
      [Symbol.asyncDispose]: async () => {
        abort[Symbol.dispose]();
        events.end();
      },
    };
  }
}

export interface TestTTSOptions {
  readonly spoken: SpokenWords;
  /** From a `flush` to its audio, in ms. Default 0: at once. */
  readonly latencyMs?: number;
  /** Whether it tells when each word is spoken. Default true. */
  readonly wordTimes?: boolean;
  /** Says for which texts no audio ever comes. */
  readonly hangs?: (text: string) => boolean;
  /** Thrown instead of the audio of texts for which it returns an error. */
  readonly fails?: (text: string) => Error | undefined;
}

/** Speaks so that a `TestPhone` hears the words. */
export class TestTTS implements TTS {
  readonly provider = "test";
  readonly model = "spoken-words";
  readonly outputFormats: readonly AudioFormat[];
  readonly #options: TestTTSOptions;
  /** Every text that was synthesised, in order. */
  readonly synthesised: string[] = [];
  /** Connections that are open now. */
  openConnections = 0;

  constructor(options: TestTTSOptions) {
    this.#options = options;
    this.outputFormats = [options.spoken.format];
  }

  open({ signal: call, clock }: TtsOpenOptions): TtsConnection {
    this.openConnections++;
    let isOpen = true;
    const connection = new ChildController(call);
    return {
      speak: ({ signal }) => this.#speak(signal, connection.signal, clock),
      [Symbol.asyncDispose]: async () => {
        if (isOpen) this.openConnections--;
        isOpen = false;
        connection.abort();
      },
    };
  }

  #speak(signal: AbortSignal, connection: AbortSignal, clock: Clock): TtsStream {
    const { latencyMs = 0, hangs } = this.#options;
    const events = new AsyncQueue<TtsEvent>();
    const drop = (): void => {
      events.end();
      events.drain();
    };
    const aborts = [onAbort(signal, drop), onAbort(connection, drop)];
    const position = { text: 0, audioMs: 0 };
    let pending = "";
    let jobs = Promise.resolve();
    const synthesise = async (text: string): Promise<void> => {
      if (latencyMs > 0) await clock.sleep(latencyMs, signal);
      if (!signal.aborted) this.#synthesise(text, position, events);
    };
    const flush = (): void => {
      const text = pending;
      pending = "";
      if (hangs?.(text.trim()) === true) jobs = new Promise(() => {});
      else if (latencyMs === 0) this.#synthesise(text, position, events);
      else jobs = jobs.then(() => synthesise(text)).catch(() => {});
    };
    return {
      write: (text) => {
        pending += text;
      },
      flush,
      end: () => {
        if (pending !== "") flush();
        void jobs.then(() => {
          for (const abort of aborts) abort[Symbol.dispose]();
          events.end();
        });
      },
      [Symbol.asyncIterator]: () => events[Symbol.asyncIterator](),
    };
  }

  #synthesise(text: string, position: { text: number; audioMs: number }, events: AsyncQueue<TtsEvent>): void {
    const { spoken, wordTimes = true, fails } = this.#options;
    const error = fails?.(text.trim());
    if (error !== undefined) {
      events.fail(error);
      return;
    }
    this.synthesised.push(text.trim());
    for (const match of text.matchAll(/\S+/g)) {
      const word = match[0];
      const bytes = spoken.encode(word);
      const startMs = position.audioMs;
      position.audioMs += spoken.durationMs(word);
      const textStart = position.text + match.index;
      if (wordTimes) {
        events.push({
          type: "words",
          words: [{ textStart, textEnd: textStart + word.length, startMs, endMs: position.audioMs }],
        });
      }
      events.push({ type: "audio", frame: { format: spoken.format, bytes } });
    }
    position.text += text.length;
    events.push({ type: "flushed", textEnd: position.text });
    events.push({ type: "usage", characters: wordsOf(text).join(" ").length });
  }
}

function isSilent(frame: AudioFrame, spoken: SpokenWords): boolean {
  return spoken.decode(frame.bytes).every((block) => block.type === "silence");
}
