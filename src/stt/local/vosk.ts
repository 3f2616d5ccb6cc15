import { bytesOf } from "../../audio/pcm.js";
import { ConfigError, ProviderError } from "../../core/errors.js";
import { importOptional } from "../../provider-kit/optional-package.js";
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
type AsyncCall<Arguments extends unknown[], Result> = (
  ...call: [...Arguments, (error: Error | null, result: Result) => void]
) => void;

/** The part of the library's C interface that is used; it is documented in `vosk_api.h`. */
interface VoskLibrary {
  setLogLevel(level: number): void;
  newModel(folder: string): Handle | null;
  freeModel(model: Handle): void;
  newRecognizer: { async: AsyncCall<[Handle, number], Handle | null> };
  newGrammarRecognizer: { async: AsyncCall<[Handle, number, string], Handle | null> };
  freeRecognizer(recognizer: Handle): void;
  setWords(recognizer: Handle, words: number): void;
  acceptWaveform: { async: AsyncCall<[Handle, Uint8Array, number], number> };
  partialResult(recognizer: Handle): string;
  result: { async: AsyncCall<[Handle], string> };
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
  return {
    async open(language) {
      if (own !== undefined && !new RegExp(`^${own}(-|$)`, "i").test(language)) {
        throw new ConfigError(
          `The speech model understands "${own}" and not "${language}": pass LocalSTT a { model } folder for that language.`,
        );
      }
      const recognizer =
        grammar === undefined
          ? await call(library.newRecognizer.async, model, SAMPLE_RATE)
          : await call(library.newGrammarRecognizer.async, model, SAMPLE_RATE, JSON.stringify(grammar));
      if (recognizer === null) throw new ProviderError("Vosk could not make a recogniser.", { provider: "local" });
      library.setWords(recognizer, 1);
      return new VoskRecognizer(library, recognizer);
    },
    // Recognisers that are still at work keep the model until they are freed.
    dispose: () => library.freeModel(model),
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
    const hasEnded = await call(this.#library.acceptWaveform.async, this.#handle, bytes, bytes.length);
    if (hasEnded === 0)
      return { partial: (JSON.parse(this.#library.partialResult(this.#handle)) as { partial: string }).partial };
    return { partial: "", segment: await this.finish() };
  }

  async finish(): Promise<RecognizedSegment> {
    return toSegment(await call(this.#library.result.async, this.#handle));
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
  const { default: koffi } = await importOptional("LocalSTT", "koffi", () => import("koffi"));
  const library = koffi.load(path);
  return {
    setLogLevel: library.func("void vosk_set_log_level(int level)"),
    newModel: library.func("void *vosk_model_new(const char *path)"),
    freeModel: library.func("void vosk_model_free(void *model)"),
    newRecognizer: library.func("void *vosk_recognizer_new(void *model, float rate)"),
    newGrammarRecognizer: library.func("void *vosk_recognizer_new_grm(void *model, float rate, const char *grammar)"),
    freeRecognizer: library.func("void vosk_recognizer_free(void *recognizer)"),
    setWords: library.func("void vosk_recognizer_set_words(void *recognizer, int words)"),
    acceptWaveform: library.func("int vosk_recognizer_accept_waveform(void *recognizer, const uint8_t *data, int length)"),
    partialResult: library.func("const char *vosk_recognizer_partial_result(void *recognizer)"),
    result: library.func("const char *vosk_recognizer_result(void *recognizer)"),
  };
}

/** Calls a function of the library on libuv's thread pool. */
function call<Arguments extends unknown[], Result>(run: AsyncCall<Arguments, Result>, ...arguments_: Arguments): Promise<Result> {
  return new Promise((resolve, reject) => {
    run(...arguments_, (error, result) => {
      if (error === null) resolve(result);
      else reject(error);
    });
  });
}
