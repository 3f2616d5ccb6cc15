import type { AudioFormat } from "../../core/audio-frame.js";
import { ConfigError } from "../../core/errors.js";
import { checkOptionNames } from "../../core/option-names.js";

/** Options of `DeepgramSTT`. Those that only one family of models has are refused for the other. */
export interface DeepgramSTTOptions {
  /** Default: the environment variable `DEEPGRAM_API_KEY`. */
  readonly apiKey?: string;
  /** A Nova model, or a Flux one, which knows itself when a turn is over: `flux-general-en`, `flux-general-multi`. Default `nova-3`. */
  readonly model?: string;
  /** What is spoken: BCP 47, or `multi` for several languages with nova-3. Default: the language of the call. `flux-general-en` takes English only. */
  readonly language?: string;
  /** Names and terms to expect, up to 500 tokens of them. For nova-3 and Flux. Default none. */
  readonly keyterms?: readonly string[];
  /**
   * The only encoding to use. Default: the call's own where Deepgram takes it, else `linear16`. Telephone audio is
   * `mulaw` at 8,000 Hz and passes through untouched; an encoding of your own makes the call convert to it.
   */
  readonly encoding?: "linear16" | "mulaw" | "alaw";
  /** Hz. Default with `encoding`: 16000 for `linear16`, else 8000. */
  readonly sampleRate?: number;
  /**
   * Nova: silence after which a segment is final, in ms; `false`: only its length ends it. Default 150. From 300 on
   * that silence also ends the caller's turn; below, the call's own endpointing and `utteranceEndMs` do.
   */
  readonly endpointingMs?: number | false;
  /** Nova: time without new words that ends the caller's turn, in ms, at least 1000; `null`: never. Default 1000. Needs `interimResults`. */
  readonly utteranceEndMs?: number | null;
  /** Nova: punctuation, numbers and dates as they are written. Default true. */
  readonly smartFormat?: boolean;
  /** Nova: words while they are spoken, without which no words interrupt the agent until the caller pauses. Default true. */
  readonly interimResults?: boolean;
  /** Nova: `speech_start` as soon as a voice is heard. Default true. */
  readonly vadEvents?: boolean;
  /** Flux: how sure the model must be that a turn is over, 0.5 to 1. Default, the vendor's: 0.7. */
  readonly endOfTurnThreshold?: number;
  /** Flux: how sure it must be to say so early, 0.3 to 0.9 and not above `endOfTurnThreshold`. Unset by default: it never does. */
  readonly eagerEndOfTurnThreshold?: number;
  /** Flux: silence that ends a turn whatever the model thinks, in ms, 500 to 60,000. Default, the vendor's: 5000. */
  readonly endOfTurnTimeoutMs?: number;
  /** Another host, such as `https://api.eu.deepgram.com` or a server of your own. Default `https://api.deepgram.com`. */
  readonly baseUrl?: string;
  /** Headers for every handshake; they replace those of the same name that are sent otherwise. Default none. */
  readonly headers?: Readonly<Record<string, string>>;
}

/** The class in errors, as the user wrote it. */
export const CLASS_NAME = "DeepgramSTT";
export const DEFAULT_MODEL = "nova-3";

const NOVA_ONLY = ["endpointingMs", "utteranceEndMs", "smartFormat", "interimResults", "vadEvents"] as const;
const FLUX_ONLY = ["endOfTurnThreshold", "eagerEndOfTurnThreshold", "endOfTurnTimeoutMs"] as const;

type Check = readonly [isValid: (value: unknown) => boolean, remedy: string];

const TEXT: Check = [isText, "pass a text that is not blank"];
const FLAG: Check = [(value) => typeof value === "boolean", "pass true or false"];
const between = (least: number, most: number): Check => [
  (value) => typeof value === "number" && value >= least && value <= most,
  `pass a number from ${least} to ${most}`,
];

const CHECKS: Readonly<Record<keyof DeepgramSTTOptions, Check>> = {
  apiKey: [(value) => typeof value === "string", "pass a text"],
  model: TEXT,
  language: TEXT,
  keyterms: [(value) => Array.isArray(value) && value.every(isText), "pass a list of texts that are not blank"],
  encoding: [(value) => value === "linear16" || value === "mulaw" || value === "alaw", "pass linear16, mulaw or alaw"],
  sampleRate: [(value) => Number.isSafeInteger(value) && (value as number) >= 8000, "pass Hz, 8000 or more"],
  endpointingMs: [(value) => value === false || isCount(value), "pass a count of ms, or false"],
  utteranceEndMs: [
    (value) => value === null || (isCount(value) && (value as number) >= 1000),
    "pass a count of ms of at least 1000, or null",
  ],
  smartFormat: FLAG,
  interimResults: FLAG,
  vadEvents: FLAG,
  endOfTurnThreshold: between(0.5, 1),
  eagerEndOfTurnThreshold: between(0.3, 0.9),
  endOfTurnTimeoutMs: [(value) => isCount(value) && between(500, 60_000)[0](value), "pass a count of ms from 500 to 60000"],
  baseUrl: TEXT,
  headers: [isHeaders, "pass an object of header names and one-line texts"],
};

/** Whether a model is of the Flux family, which has an API of its own. */
export function isFlux(model: string): boolean {
  return model.startsWith("flux");
}

/** @throws ConfigError for a name that is not known, a value out of its range, and options that do not go together. */
export function checkOptions(options: DeepgramSTTOptions): void {
  const names = Object.keys(CHECKS) as (keyof DeepgramSTTOptions)[];
  checkOptionNames(options, { where: CLASS_NAME, known: names });
  for (const name of names) {
    const value: unknown = options[name];
    const [isValid, remedy] = CHECKS[name];
    if (value !== undefined && !isValid(value))
      throw new ConfigError(`${CLASS_NAME} cannot use { ${name}: ${JSON.stringify(value)} }: ${remedy}.`);
  }
  checkFamily(options);
  if (options.interimResults === false && typeof options.utteranceEndMs === "number")
    throw new ConfigError(
      `${CLASS_NAME} hears the end of an utterance in interim results: leave out interimResults or utteranceEndMs.`,
    );
  const { eagerEndOfTurnThreshold: eager = 0, endOfTurnThreshold: certain = 0.7 } = options;
  if (eager > certain)
    throw new ConfigError(
      `${CLASS_NAME} cannot be surer of an early end (${eager}) than of an end (${certain}): lower eagerEndOfTurnThreshold.`,
    );
}

function checkFamily(options: DeepgramSTTOptions): void {
  const { model = DEFAULT_MODEL } = options;
  const [others, family] = isFlux(model) ? [NOVA_ONLY, "Nova"] : [FLUX_ONLY, "Flux"];
  for (const name of others) {
    if (options[name] === undefined) continue;
    throw new ConfigError(
      `The ${CLASS_NAME} option "${name}" is for ${family} models and not for ${model}: remove it or change { model }.`,
    );
  }
  const { keyterms = [] } = options;
  if (keyterms.length > 0 && !isFlux(model) && !model.startsWith("nova-3"))
    throw new ConfigError(`${model} takes no keyterms: remove them, or use nova-3 or a Flux model.`);
}

/** The formats to offer, best first. */
export function inputFormats({ encoding, sampleRate }: DeepgramSTTOptions): readonly AudioFormat[] {
  if (encoding !== undefined || sampleRate !== undefined) {
    const chosen = encoding === undefined || encoding === "linear16" ? "pcm16" : encoding;
    return [{ encoding: chosen, sampleRate: sampleRate ?? (chosen === "pcm16" ? 16_000 : 8000) }];
  }
  return [
    { encoding: "pcm16", sampleRate: 16_000 },
    { encoding: "mulaw", sampleRate: 8000 },
    { encoding: "alaw", sampleRate: 8000 },
    { encoding: "pcm16", sampleRate: 8000 },
  ];
}

function isText(value: unknown): value is string {
  return typeof value === "string" && value.trim() !== "";
}

function isCount(value: unknown): boolean {
  return Number.isSafeInteger(value) && (value as number) >= 0;
}

function isHeaders(value: unknown): boolean {
  if (typeof value !== "object" || value === null || Array.isArray(value)) return false;
  return Object.entries(value).every(
    ([name, text]) => /^[\w!#$%&'*+.^`|~-]+$/.test(name) && typeof text === "string" && !/[\r\n\0]/.test(text),
  );
}
