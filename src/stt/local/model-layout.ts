import { readdirSync } from "node:fs";
import { join } from "node:path";
import { ConfigError } from "../../core/errors.js";
import type { SherpaOfflineConfig, SherpaOnlineConfig } from "../../provider-kit/sherpa-onnx.js";

/** What a folder holds, and how it is loaded. */
export type SpeechModelLayout =
  | { readonly kind: "vosk" }
  | { readonly kind: "online"; readonly config: SherpaOnlineConfig }
  | { readonly kind: "offline"; readonly config: SherpaOfflineConfig };

const FEATURES = { sampleRate: 16_000, featureDim: 80 };

/**
 * Recognises a model by the names of its files, as they are published: Vosk, and for sherpa-onnx streaming
 * Zipformer transducers, Moonshine and Whisper. `language` is what Whisper is told.
 * Throws `ConfigError` when there is none of them. No weights of the sherpa-onnx kinds were at hand when
 * this was written: their configurations are checked against the library's, not against running models.
 */
export function speechModelLayout(folder: string, language: string): SpeechModelLayout {
  const names = filesOf(folder);
  if (names.includes("am") && names.includes("conf")) return { kind: "vosk" };
  const find = (part: RegExp, wanted: "small" | "exact" = "small"): string | undefined => {
    const found = names.filter((name) => name.endsWith(".onnx") && part.test(name)).toSorted();
    const small = found.find((name) => name.includes(".int8."));
    const exact = found.find((name) => !name.includes(".int8."));
    const name = wanted === "small" ? (small ?? exact) : (exact ?? small);
    return name === undefined ? undefined : join(folder, name);
  };
  const tokens = names.find((name) => /(^|-)tokens\.txt$/.test(name));
  const [joiner, encoder, decoder] = [find(/^joiner/), find(/(^|-)encoder/), find(/(^|-)decoder/, "exact")];
  const [preprocessor, encode, uncached, cached] = [
    find(/^preprocess/),
    find(/^encode/),
    find(/^uncached_decode/),
    find(/^cached_decode/),
  ];
  if (tokens !== undefined) {
    const common = { tokens: join(folder, tokens), numThreads: 1, debug: false, provider: "cpu" } as const;
    if (joiner !== undefined && encoder !== undefined && decoder !== undefined) {
      const modelConfig = { ...common, transducer: { encoder, decoder, joiner } };
      return {
        kind: "online",
        config: { featConfig: FEATURES, modelConfig, decodingMethod: "greedy_search", enableEndpoint: true },
      };
    }
    if (preprocessor !== undefined && encode !== undefined && uncached !== undefined && cached !== undefined) {
      const moonshine = { preprocessor, encoder: encode, uncachedDecoder: uncached, cachedDecoder: cached };
      return { kind: "offline", config: { featConfig: FEATURES, modelConfig: { ...common, moonshine } } };
    }
    if (encoder !== undefined && decoder !== undefined) {
      const whisper = { encoder, decoder, language: language.split("-", 1)[0] as string, task: "transcribe" } as const;
      return { kind: "offline", config: { featConfig: FEATURES, modelConfig: { ...common, whisper } } };
    }
  }
  throw new ConfigError(
    `LocalSTT found no model it knows in ${folder}. It looks for the files of a Vosk model (am, conf), a streaming Zipformer (encoder, decoder, joiner, tokens.txt), Moonshine (preprocess, encode, uncached_decode, cached_decode, tokens.txt) or Whisper (-encoder, -decoder, -tokens.txt); there are ${names.slice(0, 10).join(", ") || "none"}.`,
  );
}

function filesOf(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch (error) {
    throw new ConfigError(`LocalSTT cannot read the model folder ${folder}: pass the path of an unpacked model.`, {
      cause: error,
    });
  }
}
