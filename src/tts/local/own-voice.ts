import { readdirSync } from "node:fs";
import { join } from "node:path";
import { ConfigError } from "../../core/errors.js";
import { loadSherpaOnnx, type SherpaTts, type SherpaTtsConfig } from "../../provider-kit/sherpa-onnx.js";
import type { Piece, Utterance, Voice } from "./voice.js";

/**
 * Recognises a voice for sherpa-onnx by the names of its files, as they are published: Kokoro (model,
 * voices.bin, tokens.txt) or Piper (a model and tokens.txt). Throws `ConfigError` when it is neither. The
 * configurations are checked against the library's types, not against running models.
 */
export function voiceModelConfig(folder: string): SherpaTtsConfig {
  const names = filesOf(folder);
  const path = (name: string): string => (names.includes(name) ? join(folder, name) : "");
  const models = names.filter((name) => name.endsWith(".onnx")).toSorted();
  const model = models.find((name) => !name.includes("int8")) ?? models[0];
  const [tokens, dataDir] = [path("tokens.txt"), path("espeak-ng-data")];
  if (model === undefined || tokens === "") throw unknownModel(folder, names);
  const files = { model: join(folder, model), tokens, dataDir, lengthScale: 1 };
  const lexicon = names.includes("lexicon-us-en.txt") ? path("lexicon-us-en.txt") : path("lexicon-gb-en.txt");
  const kind = names.includes("voices.bin") ? { kokoro: { ...files, voices: path("voices.bin"), lexicon } } : { vits: files };
  return { model: { ...kind, numThreads: 1, debug: false, provider: "cpu" }, maxNumSentences: 1 };
}

/** A voice run by `sherpa-onnx-node`. */
export class SherpaVoice implements Voice {
  readonly #tts: SherpaTts;
  readonly #speaker: number;
  readonly #speed: number;

  private constructor(tts: SherpaTts, speaker: number, speed: number) {
    this.#tts = tts;
    this.#speaker = speaker;
    this.#speed = speed;
  }

  /** Throws `ConfigError` when the package is missing, or the model has no such speaker. */
  static async load(
    config: SherpaTtsConfig,
    options: { readonly speaker: number; readonly speed: number },
  ): Promise<SherpaVoice> {
    const { speaker, speed } = options;
    const sherpa = await loadSherpaOnnx("LocalTTS");
    const tts = await sherpa.OfflineTts.createAsync(config);
    if (speaker < tts.numSpeakers) return new SherpaVoice(tts, speaker, speed);
    throw new ConfigError(`LocalTTS has no speaker ${speaker} in this model: choose one from 0 to ${tts.numSpeakers - 1}.`);
  }

  /** Such models read numbers and signs themselves, in their own language. */
  pieces(text: string): readonly Piece[] {
    const words = [...text.matchAll(/\S*[\p{L}\p{N}]\S*/gu)];
    return words.map((match) => ({ spoken: match[0], start: match.index, end: match.index + match[0].length }));
  }

  async synthesise(text: string): Promise<Utterance> {
    const request = { text, sid: this.#speaker, speed: this.#speed, enableExternalBuffer: false };
    const { samples, sampleRate } = await this.#tts.generateAsync(request);
    const integers = Int16Array.from(samples, (sample) => Math.max(-32_768, Math.min(32_767, Math.round(sample * 32_768))));
    return { samples: integers, sampleRate, phones: [] };
  }
}

function filesOf(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch (error) {
    throw new ConfigError(`LocalTTS cannot read the model folder ${folder}: pass the path of an unpacked model.`, {
      cause: error,
    });
  }
}

function unknownModel(folder: string, names: readonly string[]): ConfigError {
  return new ConfigError(
    `LocalTTS found no model it knows in ${folder}. It looks for the files of Kokoro (model.onnx, voices.bin, tokens.txt) or of a Piper voice for sherpa-onnx (.onnx, tokens.txt, espeak-ng-data); there are ${names.slice(0, 10).join(", ") || "none"}.`,
  );
}
