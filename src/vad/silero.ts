import { samplesOf } from "../audio/pcm.js";
import type { AudioFormat, AudioFrame } from "../core/audio-frame.js";
import type { Clock } from "../core/clock.js";
import { ConfigError } from "../core/errors.js";
import { onAbort } from "../core/signals.js";
import type { VAD, VadEvent, VadStream } from "../core/vad.js";
import { modelsFolder } from "../provider-kit/credentials.js";
import { VAD_HYSTERESIS } from "../provider-kit/sherpa-onnx.js";
import { WorkerModel, workerFile } from "../provider-kit/worker-model.js";
import type { SileroWorkerData } from "./silero/worker.js";

/** Durations are in seconds. */
export interface SileroVADOptions {
  /** The probability of voice at which speech begins, from 0.2 to 0.95. Default 0.4. */
  readonly activationThreshold?: number;
  /** The probability below which speech ends. It is always 0.15 below `activationThreshold`; no other value is accepted. */
  readonly deactivationThreshold?: number;
  /** Voice shorter than this is no speech. Counted in windows of 32 ms, at least one. Default 0.03. */
  readonly minSpeechDuration?: number;
  /** How long a silence ends speech, on top of the 0.1 s that the model takes to be sure. In windows of 32 ms. Default 0.25: less splits words at their quiet consonants. */
  readonly minSilenceDuration?: number;
  /** How much audio from before the speech recognition must hear. It hears all of the call, so any value is met. */
  readonly prefixPaddingDuration?: number;
  /** Hz of the audio it wants: 16000, the default, or 8000, which its worker thread then converts. */
  readonly sampleRate?: 8000 | 16_000;
  /** Another Silero model, of version 5 or later. Default: version 6, from the speech files. */
  readonly onnxFilePath?: string;
  /** Where the speech files are kept. Default: `GETPATTER_HOME`/models, or the user's cache folder. */
  readonly modelsFolder?: string;
}

/** Of the model's window, in ms. */
const WINDOW_MS = 32;

/**
 * Voice activity detection on this machine, by the Silero model.
 *
 * `speech_start` comes about 100 ms after the first sample of a voice, `speech_end` about 280 ms after the
 * last one; their `audioMs` are read from the audio's energy, to some 20 ms. One instance serves all calls:
 * one worker thread, apart from that of recognition, at 0.2 ms per 32 ms of each call.
 *
 * Needs the optional package `sherpa-onnx-node` and the speech files (`npx getpatter models fetch`); without
 * them `prepare` and the streams fail with `ConfigError`. A model of your own is first loaded in a child
 * process, because a damaged one ends the process that loads it.
 */
export class SileroVAD implements VAD, AsyncDisposable {
  readonly provider = "silero";
  readonly inputFormat: AudioFormat;
  readonly #model: WorkerModel<undefined, Int16Array, VadEvent>;

  /** Throws `ConfigError` for an option out of its range. */
  constructor(options: SileroVADOptions = {}) {
    const { sampleRate = 16_000, onnxFilePath } = options;
    if (![8000, 16_000].includes(sampleRate))
      throw new ConfigError(`SileroVAD takes a sampleRate of 8000 or 16000 Hz, not ${sampleRate}.`);
    this.inputFormat = { encoding: "pcm16", sampleRate };
    const data: SileroWorkerData = {
      folder: options.modelsFolder ?? modelsFolder(),
      ownModel: onnxFilePath,
      threshold: checkedThreshold(options),
      sampleRate,
      startWindows: windowsOf("minSpeechDuration", options.minSpeechDuration ?? 0.03),
      endWindows: windowsOf("minSilenceDuration", options.minSilenceDuration ?? 0.25),
    };
    windowsOf("prefixPaddingDuration", options.prefixPaddingDuration ?? 0);
    this.#model = new WorkerModel({ provider: this.provider, file: workerFile("./silero/worker.js", import.meta.url), data });
  }

  /** Makes a detector and loads its model, which `prepare` would do later. */
  static async load(options: SileroVADOptions = {}): Promise<SileroVAD> {
    const vad = new SileroVAD(options);
    await vad.prepare({ signal: new AbortController().signal });
    return vad;
  }

  async prepare({ signal }: { readonly signal: AbortSignal }): Promise<void> {
    await this.#model.load(signal);
  }

  open({ signal }: { readonly signal: AbortSignal; readonly clock: Clock }): VadStream {
    const stream = this.#model.open(undefined);
    const close = (): void => stream[Symbol.dispose]();
    const link = onAbort(signal, close);
    return {
      // A copy of its own, or the whole memory that the frame is a view of would be sent.
      write: (frame: AudioFrame) => stream.send(samplesOf(frame.bytes.slice())),
      [Symbol.asyncIterator]: () => stream[Symbol.asyncIterator](),
      [Symbol.asyncDispose]: async () => {
        link[Symbol.dispose]();
        close();
      },
    };
  }

  /** Stops the worker thread; open streams end. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#model[Symbol.asyncDispose]();
  }
}

function checkedThreshold({ activationThreshold = 0.4, deactivationThreshold }: SileroVADOptions): number {
  if (!(activationThreshold >= 0.2 && activationThreshold <= 0.95)) {
    throw new ConfigError(`SileroVAD takes an activationThreshold from 0.2 to 0.95, not ${activationThreshold}.`);
  }
  const ends = activationThreshold - VAD_HYSTERESIS;
  if (deactivationThreshold !== undefined && Math.abs(deactivationThreshold - ends) > 0.01) {
    throw new ConfigError(
      `SileroVAD ends speech ${VAD_HYSTERESIS} below its activationThreshold, here at ${ends.toFixed(2)}: leave out deactivationThreshold, or choose an activationThreshold of ${(deactivationThreshold + VAD_HYSTERESIS).toFixed(2)}.`,
    );
  }
  return activationThreshold;
}

function windowsOf(option: string, seconds: number): number {
  if (seconds >= 0 && seconds <= 10) return Math.max(1, Math.round((seconds * 1000) / WINDOW_MS));
  throw new ConfigError(`SileroVAD takes a ${option} from 0 to 10 seconds, not ${seconds}.`);
}
