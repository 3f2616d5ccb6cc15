import { BandwidthExtension, type BandwidthExtensionWeights } from "../../audio/bandwidth-extension.js";
import { silence } from "../../audio/frames.js";
import { decodeFrame } from "../../audio/pcm.js";
import { Resampler } from "../../audio/resample.js";
import { type AudioFormat, audioByteLength, audioDurationMs } from "../../core/audio-frame.js";
import type { SttEvent, SttWord } from "../../core/stt.js";
import type { Emitter, ThreadStream } from "../../provider-kit/worker-model-thread.js";
import { AudioTimeline } from "./audio-timeline.js";
import type { RecognizedSegment, Recognizer } from "./recognizer.js";
import { type Gated, SpeechGate } from "./speech-gate.js";

/** Bytes of the stream's format, or the wish for a final. */
export type RecognitionMessage = Uint8Array | "finalize";

type Skipped = Extract<Gated, { type: "skipped" }>;

export interface RecognitionOptions {
  readonly format: AudioFormat;
  readonly weights: BandwidthExtensionWeights;
  /** What the recogniser's models want. */
  readonly sampleRate: 16_000;
  /** Runs work of the recogniser when the machine has room for it. */
  run<T>(work: () => Promise<T>): Promise<T>;
}

/** Audio is given to the recogniser in pieces of at least this length, or what there is before a final. */
const CHUNK_MS = 80;
const LARGEST_CHUNK_MS = 160;
/** Audio that may wait for the recogniser. Beyond it the oldest is dropped. */
const BACKLOG_MS = 10_000;
const USAGE_EVERY_MS = 10_000;

/**
 * Recognises one call: converts its audio, feeds the recogniser in pieces, and tells what it understood.
 * Telephone audio is brought to 16 kHz and given an estimate of its missing band.
 */
export class Recognition implements ThreadStream<RecognitionMessage> {
  readonly #options: RecognitionOptions;
  readonly #emitter: Emitter<SttEvent>;
  readonly #opening: Promise<Recognizer>;
  readonly #resampler: Resampler;
  readonly #extension: BandwidthExtension | undefined;
  readonly #timeline = new AudioTimeline();
  readonly #gate: SpeechGate;
  readonly #queue: (Uint8Array | "finalize" | Skipped)[] = [];
  #queuedMs = 0;
  #isWorking = false;
  #isClosed = false;
  #partial = "";
  #unreportedMs = 0;

  constructor(options: RecognitionOptions, opening: Promise<Recognizer>, emitter: Emitter<SttEvent>) {
    this.#options = options;
    this.#opening = opening;
    this.#emitter = emitter;
    this.#gate = new SpeechGate(options.format);
    this.#resampler = new Resampler(options.format.sampleRate, options.sampleRate);
    this.#extension = options.format.sampleRate < options.sampleRate ? new BandwidthExtension(options.weights) : undefined;
    void this.#work();
  }

  receive(message: RecognitionMessage): void {
    if (message === "finalize") this.#queue.push(message);
    else for (const gated of this.#gate.push(message)) this.#enqueue(gated);
    while (this.#queuedMs > BACKLOG_MS) this.#dropOldest();
    void this.#work();
  }

  close(): void {
    this.#isClosed = true;
    void this.#work();
  }

  #enqueue(gated: Gated): void {
    if (gated.type === "skipped") {
      this.#queue.push(gated);
      return;
    }
    this.#queue.push(gated.bytes);
    this.#queuedMs += this.#durationMs(gated.bytes);
  }

  #dropOldest(): void {
    const oldest = this.#queue.findIndex((message) => message instanceof Uint8Array);
    const durationMs = this.#durationMs(this.#queue[oldest] as Uint8Array);
    this.#queue[oldest] = { type: "skipped", durationMs };
    this.#queuedMs -= durationMs;
  }

  /** Works through the queue; one at a time. */
  async #work(): Promise<void> {
    if (this.#isWorking) return;
    this.#isWorking = true;
    let recognizer: Recognizer | undefined;
    try {
      recognizer = await this.#opening;
      while (!this.#isClosed && (await this.#step(recognizer)));
    } catch (error) {
      this.#isClosed = true;
      this.#emitter.fail(error);
    }
    // A closed stream stays at work for ever, so that the recogniser is freed once.
    if (this.#isClosed) recognizer?.free();
    else this.#isWorking = false;
  }

  /** Does the next piece of work, if there is any. */
  async #step(recognizer: Recognizer): Promise<boolean> {
    const next = this.#queue[0];
    if (next !== undefined && !(next instanceof Uint8Array)) {
      this.#queue.shift();
      if (next === "finalize") await this.#finalize(recognizer);
      else this.#timeline.skip(next.durationMs);
      return true;
    }
    const audio = this.#takeAudio();
    if (audio === undefined) return false;
    const { partial, segment } = await this.#accept(recognizer, audio);
    if (this.#isClosed) return false;
    if (segment !== undefined && segment.transcript !== "") this.#emitFinal(segment);
    if (segment === undefined && partial !== this.#partial && partial !== "") {
      this.#partial = partial;
      this.#emitter.emit({ type: "partial", transcript: partial });
    }
    this.#reportUsage(USAGE_EVERY_MS);
    return true;
  }

  async #finalize(recognizer: Recognizer): Promise<void> {
    const { format } = this.#options;
    const tail = silence(format, recognizer.tailMs).bytes;
    const { segment: before } = await this.#accept(recognizer, tail);
    this.#timeline.insert(this.#durationMs(tail));
    const rest = await this.#options.run(() => recognizer.finish());
    if (this.#isClosed) return;
    this.#emitFinal(before === undefined ? rest : joined(before, rest), true);
    this.#reportUsage(0);
  }

  async #accept(recognizer: Recognizer, bytes: Uint8Array): ReturnType<Recognizer["accept"]> {
    const { format, run } = this.#options;
    this.#timeline.feed(this.#durationMs(bytes));
    const upsampled = this.#resampler.process(decodeFrame({ format, bytes }));
    const samples = this.#extension === undefined ? upsampled : this.#extension.process(upsampled);
    return await run(() => recognizer.accept(samples));
  }

  /** The next piece of audio: when there is enough of it, or when something else waits behind it. */
  #takeAudio(): Uint8Array | undefined {
    const isFollowed = this.#queue.some((message) => !(message instanceof Uint8Array));
    if (!isFollowed && this.#queuedMs < CHUNK_MS) return undefined;
    const largest = audioByteLength(this.#options.format, LARGEST_CHUNK_MS);
    const parts: Uint8Array[] = [];
    let byteLength = 0;
    for (let next = this.#queue[0]; next instanceof Uint8Array; next = this.#queue[0]) {
      if (parts.length > 0 && byteLength + next.length > largest) break;
      this.#queue.shift();
      parts.push(next);
      byteLength += next.length;
    }
    const audio = Buffer.concat(parts);
    this.#queuedMs -= this.#durationMs(audio);
    this.#unreportedMs += this.#durationMs(audio);
    return audio;
  }

  #emitFinal({ transcript, words }: RecognizedSegment, finalized = false): void {
    this.#partial = "";
    const placed = words.map((word): SttWord => ({ ...word, ...this.#timeline.place(word) }));
    const confidences = words.flatMap(({ confidence }) => confidence ?? []);
    this.#emitter.emit({
      type: "final",
      transcript,
      ...(placed.length > 0 && { words: placed }),
      ...(confidences.length > 0 && { confidence: confidences.reduce((sum, each) => sum + each, 0) / confidences.length }),
      ...(finalized && { finalized }),
    });
  }

  #reportUsage(fromMs: number): void {
    if (this.#unreportedMs <= fromMs) return;
    this.#emitter.emit({ type: "usage", audioMs: this.#unreportedMs });
    this.#unreportedMs = 0;
  }

  #durationMs(bytes: Uint8Array): number {
    return audioDurationMs(this.#options.format, bytes.length);
  }
}

function joined(first: RecognizedSegment, second: RecognizedSegment): RecognizedSegment {
  const transcript = [first.transcript, second.transcript].filter((part) => part !== "").join(" ");
  return { transcript, words: [...first.words, ...second.words] };
}
