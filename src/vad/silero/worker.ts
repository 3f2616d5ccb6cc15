import { Resampler } from "../../audio/resample.js";
import type { VadEvent } from "../../core/vad.js";
import { requireModel } from "../../provider-kit/model-files.js";
import { requireLoadable } from "../../provider-kit/own-model.js";
import { loadSherpaOnnx, type SherpaVad, sileroConfig, VAD_SAMPLE_RATE, VAD_WINDOW } from "../../provider-kit/sherpa-onnx.js";
import {
  type Emitter,
  serveModel,
  type ThreadModel,
  type ThreadStream,
  uninterrupted,
} from "../../provider-kit/worker-model-thread.js";
import { SpeechEdges } from "./edges.js";

/** What the worker is started with. */
export interface SileroWorkerData {
  /** Where the speech files are kept. */
  readonly folder: string;
  /** The user's own model file. */
  readonly ownModel: string | undefined;
  readonly threshold: number;
  /** Hz of the samples that come in. */
  readonly sampleRate: number;
  readonly startWindows: number;
  readonly endWindows: number;
}

type Model = ThreadModel<undefined, Int16Array, VadEvent>;

/** The detector keeps the audio of speech; speech without a pause is cut in its memory this often, in windows. */
const FLUSH_WINDOWS = 600;
const BUFFER_SECONDS = 30;
/** A detector takes 35 ms and 10 MB to make: this many stay ready for the next calls. */
const MAX_IDLE = 8;

serveModel(load);

async function load(data: SileroWorkerData): Promise<Model> {
  const sherpa = await loadSherpaOnnx("SileroVAD");
  const config = sileroConfig(await modelFile(data), data.threshold);
  if (data.ownModel !== undefined) {
    await requireLoadable({ usedBy: "SileroVAD", path: data.ownModel, model: { kind: "vad", config }, folder: data.folder });
  }
  const create = (): SherpaVad => uninterrupted(() => new sherpa.Vad(config, BUFFER_SECONDS));
  const idle = [create()];
  return {
    open(_, emitter) {
      const detector = idle.pop() ?? create();
      return new Detection(data, detector, emitter, () => {
        detector.reset();
        if (idle.length < MAX_IDLE) idle.push(detector);
      });
    },
  };
}

async function modelFile(data: SileroWorkerData): Promise<string> {
  if (data.ownModel !== undefined) return data.ownModel;
  const folder = await requireModel("silero-vad", { folder: data.folder, usedBy: "SileroVAD" });
  return `${folder}/silero_vad_v6.onnx`;
}

/** One call's detection. */
class Detection implements ThreadStream<Int16Array> {
  readonly #detector: SherpaVad;
  readonly #emitter: Emitter<VadEvent>;
  readonly #release: () => void;
  readonly #resampler: Resampler;
  readonly #edges: SpeechEdges;
  readonly #window = new Int16Array(VAD_WINDOW);
  readonly #floats = new Float32Array(VAD_WINDOW);
  #filled = 0;
  #voiceWindows = 0;

  constructor(data: SileroWorkerData, detector: SherpaVad, emitter: Emitter<VadEvent>, release: () => void) {
    this.#detector = detector;
    this.#emitter = emitter;
    this.#release = release;
    this.#resampler = new Resampler(data.sampleRate, VAD_SAMPLE_RATE);
    const { startWindows, endWindows } = data;
    this.#edges = new SpeechEdges({ sampleRate: VAD_SAMPLE_RATE, startWindows, endWindows });
  }

  receive(message: Int16Array): void {
    const samples = this.#resampler.process(message);
    for (let from = 0; from < samples.length; ) {
      const part = samples.subarray(from, from + VAD_WINDOW - this.#filled);
      this.#window.set(part, this.#filled);
      this.#filled += part.length;
      from += part.length;
      if (this.#filled === VAD_WINDOW) this.#detect();
    }
  }

  close(): void {
    this.#release();
  }

  #detect(): void {
    this.#filled = 0;
    for (let i = 0; i < VAD_WINDOW; i++) this.#floats[i] = (this.#window[i] as number) / 32_768;
    const hasVoice = uninterrupted(() => this.#hasVoice(this.#detector));
    const event = this.#edges.push(this.#window, hasVoice);
    if (event !== undefined) this.#emitter.emit(event);
  }

  #hasVoice(detector: SherpaVad): boolean {
    detector.acceptWaveform(this.#floats);
    const hasVoice = detector.isDetected();
    this.#voiceWindows = hasVoice ? this.#voiceWindows + 1 : 0;
    if (this.#voiceWindows % FLUSH_WINDOWS === FLUSH_WINDOWS - 1) detector.flush();
    while (!detector.isEmpty()) detector.pop();
    return hasVoice;
  }
}
