import { systemClock } from "../../core/clock.js";
import {
  loadSherpaOnnx,
  type SherpaOfflineConfig,
  type SherpaOfflineRecognizer,
  type SherpaOnlineConfig,
  type SherpaOnlineRecognizer,
  type SherpaStream,
} from "../../provider-kit/sherpa-onnx.js";
import { uninterrupted } from "../../provider-kit/worker-model-thread.js";
import { EMPTY_SEGMENT, type RecognitionModel, type RecognizedSegment, type Recognizer } from "./recognizer.js";

const SAMPLE_RATE = 16_000;

/** Loads a streaming model: a Zipformer transducer. */
export async function loadOnline(config: SherpaOnlineConfig): Promise<RecognitionModel> {
  const sherpa = await loadSherpaOnnx("LocalSTT");
  const model = uninterrupted(() => new sherpa.OnlineRecognizer(config));
  return { open: async () => new OnlineRecognizer(model), dispose: () => {} };
}

/** Loads a model that hears whole utterances: Moonshine or Whisper. */
export async function loadOffline(config: SherpaOfflineConfig): Promise<RecognitionModel> {
  const sherpa = await loadSherpaOnnx("LocalSTT");
  const model = uninterrupted(() => new sherpa.OfflineRecognizer(config));
  return { open: async () => new OfflineRecognizer(model), dispose: () => {} };
}

/** Its models place tokens, not words: there are no word times. */
class OnlineRecognizer implements Recognizer {
  /** The chunk of the usual models, and their look-ahead. */
  readonly tailMs = 640;
  readonly #model: SherpaOnlineRecognizer;
  readonly #stream: SherpaStream;

  constructor(model: SherpaOnlineRecognizer) {
    this.#model = model;
    this.#stream = model.createStream();
  }

  async accept(samples: Int16Array): ReturnType<Recognizer["accept"]> {
    this.#stream.acceptWaveform({ samples: toFloats([samples]), sampleRate: SAMPLE_RATE });
    uninterrupted(() => {
      while (this.#model.isReady(this.#stream)) this.#model.decode(this.#stream);
    });
    if (this.#model.isEndpoint(this.#stream)) return { partial: "", segment: await this.finish() };
    return { partial: toTranscript(this.#model.getResult(this.#stream).text) };
  }

  async finish(): Promise<RecognizedSegment> {
    const transcript = toTranscript(this.#model.getResult(this.#stream).text);
    this.#model.reset(this.#stream);
    return { transcript, words: [] };
  }

  // The library frees a stream when it is collected.
  free(): void {}
}

/** Whisper hears 30 s at once; the other models slow down with length. */
const LONGEST_SAMPLES = 28 * SAMPLE_RATE;
/** Kept from before the first sound of an utterance. */
const LEAD_SAMPLES = 0.3 * SAMPLE_RATE;
/** A piece whose loudest sample is below this is silence. */
const SOUND_LEVEL = 300;

/** Hears an utterance as a whole; now and then also its beginning, for partials. */
class OfflineRecognizer implements Recognizer {
  readonly tailMs = 0;
  readonly #model: SherpaOfflineRecognizer;
  #pieces: Int16Array[] = [];
  #samples = 0;
  #hasSound = false;
  #partial = "";
  /** When there is so much audio, the beginning is decoded. */
  #nextPartialSamples = SAMPLE_RATE;

  constructor(model: SherpaOfflineRecognizer) {
    this.#model = model;
  }

  async accept(samples: Int16Array): ReturnType<Recognizer["accept"]> {
    this.#pieces.push(samples);
    this.#samples += samples.length;
    this.#hasSound ||= samples.some((sample) => Math.abs(sample) > SOUND_LEVEL);
    while (!this.#hasSound && this.#samples - (this.#pieces[0]?.length ?? 0) >= LEAD_SAMPLES) {
      this.#samples -= (this.#pieces.shift() as Int16Array).length;
    }
    if (this.#samples >= LONGEST_SAMPLES) return { partial: "", segment: await this.finish() };
    if (this.#hasSound && this.#samples >= this.#nextPartialSamples) this.#decodePartial();
    return { partial: this.#partial };
  }

  async finish(): Promise<RecognizedSegment> {
    const segment = this.#hasSound ? { transcript: this.#decode(), words: [] } : EMPTY_SEGMENT;
    this.#pieces = [];
    this.#samples = 0;
    this.#hasSound = false;
    this.#partial = "";
    this.#nextPartialSamples = SAMPLE_RATE;
    return segment;
  }

  free(): void {}

  /** No more often than every second of audio, and so that it takes half of the time at most. */
  #decodePartial(): void {
    const startedMs = systemClock.now();
    this.#partial = this.#decode();
    const tookMs = systemClock.now() - startedMs;
    this.#nextPartialSamples = this.#samples + Math.max(SAMPLE_RATE, (2 * tookMs * SAMPLE_RATE) / 1000);
  }

  #decode(): string {
    const stream = this.#model.createStream();
    stream.acceptWaveform({ samples: toFloats(this.#pieces), sampleRate: SAMPLE_RATE });
    uninterrupted(() => this.#model.decode(stream));
    return toTranscript(this.#model.getResult(stream).text);
  }
}

function toTranscript(text: string): string {
  return text.replace(/\s+/g, " ").trim();
}

function toFloats(pieces: readonly Int16Array[]): Float32Array {
  const floats = new Float32Array(pieces.reduce((sum, piece) => sum + piece.length, 0));
  let to = 0;
  for (const piece of pieces) for (const sample of piece) floats[to++] = sample / 32_768;
  return floats;
}
