import { importOptional } from "./optional-package.js";

/** The part of `sherpa-onnx-node` that is used here; the package has no types of its own. */
export interface SherpaOnnx {
  readonly Vad: new (config: SherpaVadConfig, bufferSeconds: number) => SherpaVad;
  readonly OnlineRecognizer: new (config: SherpaOnlineConfig) => SherpaOnlineRecognizer;
  readonly OfflineRecognizer: new (config: SherpaOfflineConfig) => SherpaOfflineRecognizer;
  readonly OfflineTts: { createAsync(config: SherpaTtsConfig): Promise<SherpaTts> };
}

/** Durations in seconds. */
export interface SherpaVadConfig {
  readonly sileroVad: {
    readonly model: string;
    readonly threshold: number;
    readonly minSpeechDuration: number;
    readonly minSilenceDuration: number;
    readonly windowSize: number;
  };
  readonly sampleRate: number;
  readonly numThreads: number;
  readonly debug: boolean;
}

export interface SherpaVad {
  acceptWaveform(samples: Float32Array): void;
  isDetected(): boolean;
  isEmpty(): boolean;
  pop(): void;
  flush(): void;
  reset(): void;
}

interface SherpaModelConfig {
  readonly tokens: string;
  readonly numThreads: number;
  readonly debug: boolean;
  readonly provider: "cpu";
}

export interface SherpaOnlineConfig {
  readonly featConfig: { readonly sampleRate: number; readonly featureDim: number };
  readonly modelConfig: SherpaModelConfig & {
    readonly transducer: { readonly encoder: string; readonly decoder: string; readonly joiner: string };
  };
  readonly decodingMethod: "greedy_search";
  readonly enableEndpoint: boolean;
}

export interface SherpaOfflineConfig {
  readonly featConfig: { readonly sampleRate: number; readonly featureDim: number };
  readonly modelConfig: SherpaModelConfig & {
    readonly whisper?: {
      readonly encoder: string;
      readonly decoder: string;
      readonly language: string;
      readonly task: "transcribe";
    };
    readonly moonshine?: {
      readonly preprocessor: string;
      readonly encoder: string;
      readonly uncachedDecoder: string;
      readonly cachedDecoder: string;
    };
  };
}

export interface SherpaTtsConfig {
  readonly model: {
    readonly vits?: { readonly model: string; readonly tokens: string; readonly dataDir: string; readonly lengthScale: number };
    readonly kokoro?: {
      readonly model: string;
      readonly voices: string;
      readonly tokens: string;
      readonly dataDir: string;
      readonly lexicon: string;
      readonly lengthScale: number;
    };
    readonly numThreads: number;
    readonly debug: boolean;
    readonly provider: "cpu";
  };
  readonly maxNumSentences: number;
}

export interface SherpaWaveform {
  /** From -1 to 1. */
  readonly samples: Float32Array;
  readonly sampleRate: number;
}

export interface SherpaStream {
  acceptWaveform(wave: SherpaWaveform): void;
}

/** Times in seconds since the stream began or was reset. */
export interface SherpaResult {
  readonly text: string;
  readonly tokens?: readonly string[];
  readonly timestamps?: readonly number[];
}

export interface SherpaOnlineRecognizer {
  createStream(): SherpaStream;
  isReady(stream: SherpaStream): boolean;
  decode(stream: SherpaStream): void;
  isEndpoint(stream: SherpaStream): boolean;
  reset(stream: SherpaStream): void;
  getResult(stream: SherpaStream): SherpaResult;
}

export interface SherpaOfflineRecognizer {
  createStream(): SherpaStream;
  decode(stream: SherpaStream): void;
  getResult(stream: SherpaStream): SherpaResult;
}

export interface SherpaTts {
  readonly numSpeakers: number;
  readonly sampleRate: number;
  generateAsync(request: {
    readonly text: string;
    readonly sid: number;
    readonly speed: number;
    readonly enableExternalBuffer: boolean;
  }): Promise<SherpaWaveform>;
}

/** Loads the package. Throws `ConfigError` with the install command when it is missing. */
export async function loadSherpaOnnx(usedBy: string): Promise<SherpaOnnx> {
  return await importOptional(usedBy, "sherpa-onnx-node", async () => {
    // @ts-expect-error: the package has no types.
    const module = (await import("sherpa-onnx-node")) as { readonly default: SherpaOnnx };
    return module.default;
  });
}

/** The only rate and window at which sherpa-onnx runs Silero 5 and later: with others it ends the process. */
export const VAD_SAMPLE_RATE = 16_000;
export const VAD_WINDOW = 512;

/** How far below its threshold the voice must fall to end; fixed in sherpa-onnx. */
export const VAD_HYSTERESIS = 0.15;

/** Voice or not, window by window: durations so short that the detector adds no patience of its own. */
export function sileroConfig(model: string, threshold: number): SherpaVadConfig {
  return {
    sileroVad: { model, threshold, minSpeechDuration: 0.001, minSilenceDuration: 0.001, windowSize: VAD_WINDOW },
    sampleRate: VAD_SAMPLE_RATE,
    numThreads: 1,
    debug: false,
  };
}
