import { bytesOf } from "../../audio/pcm.js";
import { ConfigError, ProviderError } from "../../core/errors.js";
import { importOptional } from "../../provider-kit/optional-package.js";
import { uninterrupted } from "../../provider-kit/worker-model-thread.js";
import { EMPTY_SEGMENT, type RecognitionModel, type RecognizedSegment, type Recognizer } from "./recognizer.js";

export interface VoskOptions {
  /** The library's file. */
  readonly library: string;
  /** The model's folder. */
  readonly folder: string;
  /** What it can understand; anything by default. */
  readonly grammar: readonly string[] | undefined;
  /** The only language it understands, where that is known. */
  readonly language: string | undefined;
}

/** A pointer of the library. */
type Handle = object;
/**
 * The part of the library's C interface that is used; it is documented in `vosk_api.h`. Its functions are
 * called in this thread and not on libuv's pool, where the end of the process cannot wait for them.
 */
interface VoskLibrary {
  setLogLevel(level: number): void;
  newModel(folder: string): Handle | null;
  freeModel(model: Handle): void;
  newRecognizer(model: Handle, sampleRate: number): Handle | null;
  newGrammarRecognizer(model: Handle, sampleRate: number, grammar: string): Handle | null;
  freeRecognizer(recognizer: Handle): void;
  setWords(recognizer: Handle, words: number): void;
  acceptWaveform(recognizer: Handle, samples: Uint8Array, byteLength: number): number;
  partialResult(recognizer: Handle): string;
  result(recognizer: Handle): string;
}

const SAMPLE_RATE = 16_000;
/**
 * How much silence must follow a word before it is final: the network decodes in chunks and looks ahead.
 * Asking for the result then, instead of ending the stream, keeps what the recogniser learnt about the
 * speaker: half the work, and fewer errors.
 */
const TAIL_MS = 400;

/** Loads a Vosk model. Throws `ConfigError` when it cannot be loaded. */
export async function loadVosk(options: VoskOptions): Promise<RecognitionModel> {
  const library = await loadLibrary(options.library);
  library.setLogLevel(-1);
  const model = library.newModel(options.folder);
  if (model === null)
    throw new ConfigError(`LocalSTT cannot load the model ${options.folder}: Vosk refuses it. Check that its files are whole.`);
  const { grammar, language: own } = options;
  let isDisposed = false;
  return {
    async open(language) {
      if (isDisposed) throw new ProviderError("The speech model has been disposed of.", { provider: "local" });
      if (own !== undefined && !new RegExp(`^${own}(-|$)`, "i").test(language)) {
        throw new ConfigError(
          `The speech model understands "${own}" and not "${language}": pass LocalSTT a { model } folder for that language.`,
        );
      }
      const recognizer =
        grammar === undefined
          ? library.newRecognizer(model, SAMPLE_RATE)
          : library.newGrammarRecognizer(model, SAMPLE_RATE, JSON.stringify(grammar));
      if (recognizer === null) throw new ProviderError("Vosk could not make a recogniser.", { provider: "local" });
      library.setWords(recognizer, 1);
      return new VoskRecognizer(library, recognizer);
    },
    // Recognisers that are still at work keep the model until they are freed.
    dispose() {
      isDisposed = true;
      library.freeModel(model);
    },
  };
}

class VoskRecognizer implements Recognizer {
  readonly tailMs = TAIL_MS;
  readonly #library: VoskLibrary;
  readonly #handle: Handle;
  readonly #noise = new FaintNoise();

  constructor(library: VoskLibrary, handle: Handle) {
    this.#library = library;
    this.#handle = handle;
  }

  async accept(samples: Int16Array): ReturnType<Recognizer["accept"]> {
    const bytes = bytesOf(this.#noise.addTo(samples));
    const hasEnded = this.#library.acceptWaveform(this.#handle, bytes, bytes.length);
    if (hasEnded === 0)
      return { partial: (JSON.parse(this.#library.partialResult(this.#handle)) as { partial: string }).partial };
    return { partial: "", segment: await this.finish() };
  }

  async finish(): Promise<RecognizedSegment> {
    return toSegment(this.#library.result(this.#handle));
  }

  free(): void {
    this.#library.freeRecognizer(this.#handle);
  }
}

/**
 * White noise at -66 dBFS, the same for every call. A line that sends digital silence between words is unlike
 * anything the model was trained on and costs one word error in six.
 */
class FaintNoise {
  #state = 1;

  addTo(samples: Int16Array): Int16Array {
    return samples.map((sample) => Math.max(-32_768, Math.min(32_767, sample + this.#next())));
  }

  /** From -16 to 15, by a xorshift generator. */
  #next(): number {
    this.#state ^= this.#state << 13;
    this.#state ^= this.#state >>> 17;
    this.#state ^= this.#state << 5;
    return (this.#state >>> 27) - 16;
  }
}

/** Times are in seconds. */
interface VoskResult {
  readonly text: string;
  readonly result?: readonly { readonly word: string; readonly start: number; readonly end: number; readonly conf: number }[];
}

function toSegment(json: string): RecognizedSegment {
  const { text, result } = JSON.parse(json) as VoskResult;
  // With a grammar, [unk] stands for speech that is not in it.
  const words = (result ?? []).filter(({ word }) => word !== "[unk]");
  if (words.length === 0) return EMPTY_SEGMENT;
  return {
    transcript: text.replaceAll("[unk]", " ").replace(/\s+/g, " ").trim(),
    words: words.map(({ word, start, end, conf }) => ({
      text: word,
      startMs: start * 1000,
      endMs: end * 1000,
      confidence: conf,
    })),
  };
}

async function loadLibrary(path: string): Promise<VoskLibrary> {
  const { default: koffi } = await importOptional("LocalSTT", "koffi@2", () => import("koffi"));
  const library = uninterrupted(() => koffi.load(path));
  // What a prototype says in C, the interface says in TypeScript.
  const native = (prototype: string): never => {
    const call = library.func(prototype) as (...passed: unknown[]) => unknown;
    return ((...passed: unknown[]) => uninterrupted(() => call(...passed))) as never;
  };
  return {
    setLogLevel: native("void vosk_set_log_level(int level)"),
    newModel: native("void *vosk_model_new(const char *path)"),
    freeModel: native("void vosk_model_free(void *model)"),
    newRecognizer: native("void *vosk_recognizer_new(void *model, float rate)"),
    newGrammarRecognizer: native("void *vosk_recognizer_new_grm(void *model, float rate, const char *grammar)"),
    freeRecognizer: native("void vosk_recognizer_free(void *recognizer)"),
    setWords: native("void vosk_recognizer_set_words(void *recognizer, int words)"),
    acceptWaveform: native("int vosk_recognizer_accept_waveform(void *recognizer, const uint8_t *data, int length)"),
    partialResult: native("const char *vosk_recognizer_partial_result(void *recognizer)"),
    result: native("const char *vosk_recognizer_result(void *recognizer)"),
  };
}
