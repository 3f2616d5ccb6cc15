import { type AudioFormat, chooseFormat } from "../core/audio-frame.js";
import type { Clock } from "../core/clock.js";
import type { TTS, TtsConnection, TtsStream } from "../core/tts.js";

export interface SpeechOutputOptions {
  readonly tts: TTS;
  readonly format: AudioFormat;
  readonly language: string;
  readonly clock: Clock;
  readonly signal: AbortSignal;
}

/** The call's voice: one warm connection, opened again after it has failed. */
export class SpeechOutput implements AsyncDisposable {
  readonly #options: SpeechOutputOptions;
  /** What the synthesiser yields: the transport's format where it can. */
  readonly format: AudioFormat;
  #connection: TtsConnection | undefined;

  constructor(options: SpeechOutputOptions) {
    this.#options = options;
    this.format = chooseFormat(options.tts.outputFormats, options.format);
    this.#connection = this.#open();
  }

  get provider(): string {
    return this.#options.tts.provider;
  }

  get model(): string {
    return this.#options.tts.model;
  }

  speak(signal: AbortSignal): TtsStream {
    this.#connection ??= this.#open();
    return this.#connection.speak({ signal });
  }

  /** Drops the connection; the next reply opens another. */
  async failed(): Promise<void> {
    const connection = this.#connection;
    this.#connection = undefined;
    await connection?.[Symbol.asyncDispose]();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.failed();
  }

  #open(): TtsConnection {
    const { tts, language, clock, signal } = this.#options;
    return tts.open({ format: this.format, language, clock, signal });
  }
}
