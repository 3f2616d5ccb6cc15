import { basename } from "node:path";
import type { AudioFormat, AudioFrame } from "../core/audio-frame.js";
import { MULAW_8K, PCM16_16K } from "../core/audio-frame.js";
import { ConfigError } from "../core/errors.js";
import { onAbort } from "../core/signals.js";
import type { STT, SttEvent, SttOpenOptions, SttStream } from "../core/stt.js";
import { modelsFolder } from "../provider-kit/credentials.js";
import { WorkerModel, workerFile } from "../provider-kit/worker-model.js";
import type { RecognitionMessage } from "./local/recognition.js";
import type { LocalSttOpen, LocalSttWorkerData } from "./local/worker.js";

export interface LocalSTTOptions {
  /**
   * The folder of a model of your own: a Vosk model, or for sherpa-onnx a streaming Zipformer transducer,
   * Moonshine or Whisper. Default: a small English Vosk model, from the speech files.
   */
  readonly model?: string;
  /** The only phrases to listen for, in lower case; other speech gives no words. For Vosk models. Default: anything. */
  readonly grammar?: readonly string[];
  /** What a Whisper model is told to expect, such as `en`. Default `en`. */
  readonly language?: string;
  /** Where the speech files are kept. Default: `GETPATTER_HOME`/models, or the user's cache folder. */
  readonly modelsFolder?: string;
}

/**
 * Speech recognition on this machine: no key, no network.
 *
 * One instance serves all calls from one worker thread, which loads the model once. It hears 16 kHz best;
 * telephone audio is given an estimate of the band it lacks, without which the English model would get most
 * words wrong. Vosk models place words in time and know how sure they are; the others give transcripts only.
 * Segments end by themselves at pauses; `finalize` is answered about 50 ms after the audio before it is done.
 *
 * `write` never blocks. When the machine cannot keep up, up to 10 s of a call's audio wait; beyond that its
 * oldest audio is dropped, so that recognition stays near the present.
 *
 * Needs the optional package `koffi` and the speech files (`npx getpatter models fetch`), or for sherpa-onnx
 * models `sherpa-onnx-node`; without them `prepare` and the streams fail with `ConfigError`. A model of your
 * own is first loaded in a child process, because a damaged one ends the process that loads it. That
 * such models' files are recognised and configured is tested; their recognition is not.
 */
export class LocalSTT implements STT, AsyncDisposable {
  readonly provider = "local";
  readonly model: string;
  readonly inputFormats: readonly AudioFormat[] = [
    PCM16_16K,
    MULAW_8K,
    { encoding: "alaw", sampleRate: 8000 },
    { encoding: "pcm16", sampleRate: 8000 },
  ];
  readonly #worker: WorkerModel<LocalSttOpen, RecognitionMessage, SttEvent>;

  /** Throws `ConfigError` for an empty grammar. */
  constructor(options: LocalSTTOptions = {}) {
    if (options.grammar?.length === 0)
      throw new ConfigError("LocalSTT needs at least one phrase in its grammar: add some, or leave it out.");
    this.model = options.model === undefined ? "vosk-en" : basename(options.model);
    const data: LocalSttWorkerData = {
      folder: options.modelsFolder ?? modelsFolder(),
      ownModel: options.model,
      grammar: options.grammar,
      language: options.language ?? "en",
    };
    this.#worker = new WorkerModel({ provider: this.provider, file: workerFile("./local/worker.js", import.meta.url), data });
  }

  async prepare({ signal }: { readonly signal: AbortSignal }): Promise<void> {
    await this.#worker.load(signal);
  }

  open({ language, format, signal }: SttOpenOptions): SttStream {
    const stream = this.#worker.open({ language, format });
    const close = (): void => stream[Symbol.dispose]();
    const link = onAbort(signal, close);
    return {
      // A copy of its own, or the whole memory that the frame is a view of would be sent.
      write: (frame: AudioFrame) => stream.send(frame.bytes.slice()),
      finalize: () => stream.send("finalize"),
      [Symbol.asyncIterator]: () => stream[Symbol.asyncIterator](),
      [Symbol.asyncDispose]: async () => {
        link[Symbol.dispose]();
        close();
      },
    };
  }

  /** Stops the worker thread and frees the model; open streams end. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#worker[Symbol.asyncDispose]();
  }
}
