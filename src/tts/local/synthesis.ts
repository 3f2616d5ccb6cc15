import { FrameCutter, silence } from "../../audio/frames.js";
import { bytesOf } from "../../audio/pcm.js";
import { Transcoder } from "../../audio/transcode.js";
import { type AudioFormat, type AudioFrame, audioDurationMs } from "../../core/audio-frame.js";
import type { TtsEvent } from "../../core/tts.js";
import type { Emitter, ThreadStream } from "../../provider-kit/worker-model-thread.js";
import { type Clause, clauses } from "./clauses.js";
import type { FairQueue } from "./fair-queue.js";
import { levelled, spokenRange } from "./shape.js";
import type { Piece, Utterance, Voice } from "./voice.js";
import { wordTimes } from "./word-times.js";

/** What a reply asks of its synthesis: the audio of a text, or to end behind what was asked for. */
export type SynthesisMessage = { readonly type: "speak"; readonly text: string } | { readonly type: "end" };

export interface SynthesisOptions {
  readonly voice: Voice;
  /** What the voice's samples are multiplied with. */
  readonly gain: number;
  readonly format: AudioFormat;
  readonly queue: FairQueue<Synthesis>;
}

const FRAME_MS = 100;

/** The synthesis of one reply, clause by clause. */
export class Synthesis implements ThreadStream<SynthesisMessage> {
  readonly #options: SynthesisOptions;
  readonly #emitter: Emitter<TtsEvent>;
  /** Characters of all texts so far. */
  #written = 0;
  #audioMs = 0;
  /** The silence before what is said next. */
  #pauseMs = 0;

  constructor(options: SynthesisOptions, emitter: Emitter<TtsEvent>) {
    this.#options = options;
    this.#emitter = emitter;
  }

  receive(message: SynthesisMessage): void {
    if (message.type === "end") {
      this.#queue(async () => this.#emitter.end());
      return;
    }
    const { text } = message;
    const textStart = this.#written;
    const textEnd = textStart + text.length;
    this.#written = textEnd;
    const hasWords = text.trim() !== "";
    for (const clause of hasWords ? clauses(text) : []) {
      this.#queue(() => this.#speak(text.slice(clause.start, clause.end), textStart + clause.start, clause));
    }
    this.#queue(async () => {
      this.#emitter.emit({ type: "flushed", textEnd });
      if (hasWords) this.#emitter.emit({ type: "usage", characters: text.length });
    });
  }

  close(): void {
    this.#options.queue.remove(this);
  }

  #queue(job: () => Promise<void>): void {
    this.#options.queue.add(this, () => job().catch((error: unknown) => this.#emitter.fail(error)));
  }

  async #speak(text: string, textStart: number, { pauseMs }: Clause): Promise<void> {
    const { voice, gain } = this.#options;
    const pieces = voice.pieces(text);
    if (pieces.length === 0) return;
    const utterance = await voice.synthesise(pieces.map(({ spoken }) => spoken).join(" "));
    const { samples, sampleRate } = utterance;
    const { start, end } = spokenRange(utterance);
    if (start === end) return;
    this.#emitPause();
    const startMs = this.#audioMs;
    this.#emitAudio(levelled(samples.subarray(start, end), sampleRate, gain), sampleRate);
    this.#pauseMs = pauseMs;
    await this.#emitWords(pieces, utterance, textStart, startMs - (start * 1000) / sampleRate);
  }

  #emitPause(): void {
    if (this.#pauseMs > 0) this.#emitFrame(silence(this.#options.format, this.#pauseMs));
  }

  #emitAudio(samples: Int16Array, sampleRate: number): void {
    const { format } = this.#options;
    const from: AudioFormat = { encoding: "pcm16", sampleRate };
    const transcoder = new Transcoder(from, format);
    const cutter = new FrameCutter(format, FRAME_MS);
    const converted = [transcoder.process({ format: from, bytes: bytesOf(samples) }), transcoder.flush()];
    const frames = converted.flatMap((frame) => (frame === undefined ? [] : cutter.push(frame.bytes)));
    for (const frame of [...frames, cutter.flush(false)]) if (frame !== undefined) this.#emitFrame(frame);
  }

  #emitFrame(frame: AudioFrame): void {
    this.#audioMs += audioDurationMs(frame.format, frame.bytes.length);
    this.#emitter.emit({ type: "audio", frame }, [frame.bytes.buffer as ArrayBuffer]);
  }

  /** `utteranceMs`: where in the reply's audio the utterance would have begun, its silence included. */
  async #emitWords(pieces: readonly Piece[], utterance: Utterance, textStart: number, utteranceMs: number): Promise<void> {
    const pronounced = await this.#options.voice.pronounce?.(pieces.map(({ spoken }) => spoken));
    if (pronounced === undefined) return;
    const times = wordTimes(pronounced, utterance.phones);
    const words = pieces.flatMap((piece, index) => {
      const time = times[index];
      if (time === undefined) return [];
      return {
        textStart: textStart + piece.start,
        textEnd: textStart + piece.end,
        startMs: Math.max(0, utteranceMs + time.startMs),
        endMs: Math.min(this.#audioMs, utteranceMs + time.endMs),
      };
    });
    this.#emitter.emit({ type: "words", words });
  }
}
