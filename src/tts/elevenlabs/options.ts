import type { AudioFormat } from "../../core/audio-frame.js";
import { ConfigError } from "../../core/errors.js";
import { checkOptionNames } from "../../core/option-names.js";

/** How a voice speaks; what is left out is as the voice's own settings say. The vendor's spelling is accepted as well. */
export interface ElevenLabsVoiceSettings {
  /** 0 (lively) to 1 (even). */
  readonly stability?: number;
  /** How close to the original voice, 0 to 1. */
  readonly similarityBoost?: number;
  /** How much the original's style is exaggerated, 0 to 1. Above 0 it takes longer. */
  readonly style?: number;
  readonly useSpeakerBoost?: boolean;
  /** 0.7 to 1.2. */
  readonly speed?: number;
  readonly similarity_boost?: number;
  readonly use_speaker_boost?: boolean;
}

/** The vendor's names of the formats that can be played in a call. */
export type ElevenLabsOutputFormat =
  | "pcm_8000"
  | "pcm_16000"
  | "pcm_22050"
  | "pcm_24000"
  | "pcm_32000"
  | "pcm_44100"
  | "pcm_48000"
  | "ulaw_8000"
  | "alaw_8000";

/** Options of `ElevenLabsTTS`. */
export interface ElevenLabsTTSOptions {
  /** Default: the environment variable `ELEVENLABS_API_KEY`. */
  readonly apiKey?: string;
  /** A voice's id, or its name: one of the vendor's default voices, or one of the account's. Default `EXAVITQu4vr4xnSDxMaL`, Sarah. */
  readonly voiceId?: string;
  /** Default `eleven_flash_v2_5`. */
  readonly modelId?: string;
  /** Default: the call's own format, so that nothing is converted, and `pcm_16000` where there is none for it. */
  readonly outputFormat?: ElevenLabsOutputFormat;
  /**
   * Such as `it`; of `pt-BR` the vendor knows the first part only. For models that take one. Default: the agent's language with `eleven_flash_v2_5`,
   * `eleven_turbo_v2_5` and `eleven_v3`, unless it is English; otherwise the model hears the language from the text.
   */
  readonly languageCode?: string;
  readonly voiceSettings?: ElevenLabsVoiceSettings;
  /** Default `https://api.elevenlabs.io`. The vendor's other regions have hosts of their own. */
  readonly baseUrl?: string;
  /** Used in place of the built-in HTTP client. */
  readonly fetch?: typeof fetch;
}

/** Options of `ElevenLabsWebSocketTTS`. */
export interface ElevenLabsWebSocketTTSOptions extends ElevenLabsTTSOptions {
  /** Speaks every sentence at once, without waiting for more text to come. Default true, unless there is a `chunkLengthSchedule`. */
  readonly autoMode?: boolean;
  /** How many characters must have come before the first, second … piece is spoken, each 50 to 500. Every sentence's end is spoken at once anyhow. */
  readonly chunkLengthSchedule?: readonly number[];
  /** After how many seconds without text the vendor closes a context, 1 to 180. Default 180. */
  readonly inactivityTimeout?: number;
  /** Used in place of the built-in HTTP client, which looks voices up; speech comes over the socket. */
  readonly fetch?: typeof fetch;
}

export const DEFAULT_MODEL = "eleven_flash_v2_5";
export const DEFAULT_BASE_URL = "https://api.elevenlabs.io";

const NAMES = ["apiKey", "voiceId", "modelId", "outputFormat", "languageCode", "voiceSettings", "baseUrl", "fetch"];
const SOCKET_NAMES = [...NAMES, "autoMode", "chunkLengthSchedule", "inactivityTimeout"];
const NOT_BUILT = ["chunkSize"];
/** They enforce a language; others answer one with an error. */
const LANGUAGE_MODELS = ["eleven_flash_v2_5", "eleven_turbo_v2_5", "eleven_v3"];
const SETTINGS: Readonly<Record<string, { readonly wire: string; readonly range?: readonly [number, number] }>> = {
  stability: { wire: "stability", range: [0, 1] },
  similarityBoost: { wire: "similarity_boost", range: [0, 1] },
  similarity_boost: { wire: "similarity_boost", range: [0, 1] },
  style: { wire: "style", range: [0, 1] },
  useSpeakerBoost: { wire: "use_speaker_boost" },
  use_speaker_boost: { wire: "use_speaker_boost" },
  speed: { wire: "speed", range: [0.7, 1.2] },
};

const FORMATS: Readonly<Record<ElevenLabsOutputFormat, AudioFormat>> = {
  pcm_16000: { encoding: "pcm16", sampleRate: 16_000 },
  ulaw_8000: { encoding: "mulaw", sampleRate: 8000 },
  alaw_8000: { encoding: "alaw", sampleRate: 8000 },
  pcm_24000: { encoding: "pcm16", sampleRate: 24_000 },
  pcm_22050: { encoding: "pcm16", sampleRate: 22_050 },
  pcm_8000: { encoding: "pcm16", sampleRate: 8000 },
  pcm_32000: { encoding: "pcm16", sampleRate: 32_000 },
  pcm_44100: { encoding: "pcm16", sampleRate: 44_100 },
  pcm_48000: { encoding: "pcm16", sampleRate: 48_000 },
};
/** From here on the vendor wants a larger plan; only made when asked for by name. */
const LARGEST_PLAIN_RATE = 24_000;

/** @throws ConfigError for an option that there is not, and for one out of its range. */
export function checkOptions(className: string, options: ElevenLabsTTSOptions): void {
  checkOptionNames(options, { where: className, known: NAMES, notBuilt: NOT_BUILT });
  checkValues(className, options);
}

/** @throws ConfigError for an option that there is not, for one out of its range, and for a model that no socket speaks. */
export function checkSocketOptions(className: string, options: ElevenLabsWebSocketTTSOptions): void {
  checkOptionNames(options, { where: className, known: SOCKET_NAMES, notBuilt: NOT_BUILT });
  checkValues(className, options);
  const { modelId = DEFAULT_MODEL, autoMode, chunkLengthSchedule: schedule, inactivityTimeout } = options;
  if (modelId.startsWith("eleven_v3"))
    throw new ConfigError(
      `${className} cannot speak with ${modelId}, which ElevenLabs offers over HTTP only: use ElevenLabsTTS.`,
    );
  if (schedule !== undefined && (schedule.length === 0 || !schedule.every((count) => within(count, [50, 500]))))
    throw new ConfigError(`${className} takes a chunkLengthSchedule of numbers from 50 to 500, not ${JSON.stringify(schedule)}.`);
  if (schedule !== undefined && autoMode === true)
    throw new ConfigError(
      `${className} takes either autoMode or a chunkLengthSchedule: in auto mode the vendor ignores the schedule.`,
    );
  if (inactivityTimeout !== undefined && !(Number.isInteger(inactivityTimeout) && within(inactivityTimeout, [1, 180])))
    throw new ConfigError(`${className} takes an inactivityTimeout from 1 to 180 seconds, not ${inactivityTimeout}.`);
}

function checkValues(className: string, { outputFormat, voiceId, voiceSettings = {} }: ElevenLabsTTSOptions): void {
  if (outputFormat !== undefined && FORMATS[outputFormat] === undefined)
    throw new ConfigError(
      `${className} cannot play ${JSON.stringify(outputFormat)} in a call: use one of ${Object.keys(FORMATS).join(", ")}.`,
    );
  if (voiceId?.trim() === "")
    throw new ConfigError(`${className} has a blank voiceId: pass a voice's id or name, or leave it out.`);
  for (const [name, value] of Object.entries(voiceSettings)) {
    const setting = SETTINGS[name];
    if (setting === undefined)
      throw new ConfigError(
        `There is no ${className} voice setting "${name}": it takes stability, similarityBoost, style, useSpeakerBoost and speed.`,
      );
    const { range } = setting;
    const fits = range === undefined ? typeof value === "boolean" : within(value, range);
    if (value === undefined || fits) continue;
    const wanted = range === undefined ? "true or false" : `a number from ${range[0]} to ${range[1]}`;
    throw new ConfigError(`${className} takes a voice setting ${name} that is ${wanted}, not ${JSON.stringify(value)}.`);
  }
}

/** The formats to offer to calls, best first. */
export function outputFormats({ outputFormat }: ElevenLabsTTSOptions): readonly AudioFormat[] {
  if (outputFormat !== undefined) return [FORMATS[outputFormat]];
  return Object.values(FORMATS).filter(({ sampleRate }) => sampleRate <= LARGEST_PLAIN_RATE);
}

/** The vendor's name of a format. */
export function formatName({ encoding, sampleRate }: AudioFormat): string {
  const prefix = { pcm16: "pcm", mulaw: "ulaw", alaw: "alaw" }[encoding];
  return `${prefix}_${sampleRate}`;
}

/** The language to enforce, if any, in a call whose agent speaks `language`. */
export function languageCode(
  { languageCode: code, modelId = DEFAULT_MODEL }: ElevenLabsTTSOptions,
  language: string,
): string | undefined {
  if (code !== undefined) return primaryOf(code);
  const agent = primaryOf(language);
  // English is what an agent speaks when nobody has said so; its caller may still be answered in another language.
  const isChosen = /^[a-z]{2,3}$/.test(agent) && agent !== "en";
  return isChosen && LANGUAGE_MODELS.includes(modelId) ? agent : undefined;
}

/** The `pt` of `pt-BR`. */
function primaryOf(language: string): string {
  return language.trim().toLowerCase().replace(/-.*$/, "");
}

/** The voice settings as the vendor spells them; `undefined` without any. */
export function wireVoiceSettings({ voiceSettings = {} }: ElevenLabsTTSOptions): Readonly<Record<string, unknown>> | undefined {
  const entries = Object.entries(voiceSettings).filter(([, value]) => value !== undefined);
  if (entries.length === 0) return undefined;
  return Object.fromEntries(entries.map(([name, value]) => [SETTINGS[name]?.wire ?? name, value]));
}

function within(value: unknown, [least, most]: readonly [number, number]): boolean {
  return typeof value === "number" && value >= least && value <= most;
}
