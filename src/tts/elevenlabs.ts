import type { AudioFormat } from "../core/audio-frame.js";
import type { TTS, TtsConnection, TtsOpenOptions } from "../core/tts.js";
import { type ProviderIdentity, parseMessage, readText, vendorError } from "../provider-kit/http-errors.js";
import { HttpTtsConnection, type SpeechDecoder, type SpeechPart } from "../provider-kit/http-tts.js";
import { type Account, openAccount } from "./elevenlabs/account.js";
import {
  checkOptions,
  DEFAULT_MODEL,
  type ElevenLabsTTSOptions,
  formatName,
  languageCode,
  outputFormats,
  wireVoiceSettings,
} from "./elevenlabs/options.js";
import { audioBytes, explained, httpTimes, readFailure } from "./elevenlabs/wire.js";

export type {
  ElevenLabsOutputFormat,
  ElevenLabsTTSOptions,
  ElevenLabsVoiceSettings,
  ElevenLabsWebSocketTTSOptions,
} from "./elevenlabs/options.js";
export { ElevenLabsWebSocketTTS } from "./elevenlabs/websocket.js";

const IDENTITY: ProviderIdentity = { provider: "elevenlabs", className: "ElevenLabsTTS" };
const MAX_ERROR_BYTES = 65_536;
/** As much of what was said before as helps the model to go on in the same tone, in characters. */
const MAX_PREVIOUS_CHARACTERS = 500;
/** The only models that take no text beside their own. */
const WITHOUT_CONTEXT = /^eleven_v3/;

/**
 * ElevenLabs' voices over streamed HTTP: a request for each sentence, with the time of every character. It speaks in the
 * call's own format, mu-law on a telephone, so that nothing is converted.
 *
 * Failures and deadlines: see `HttpTtsConnection`. A spent quota is a `ProviderError` with the `vendorCode`
 * `quota_exceeded`, a voice that is not there one with `voice_not_found`.
 */
export class ElevenLabsTTS implements TTS, AsyncDisposable {
  readonly provider = IDENTITY.provider;
  readonly model: string;
  readonly outputFormats: readonly AudioFormat[];
  readonly #options: ElevenLabsTTSOptions;
  readonly #account: Account;

  /** @throws ConfigError without a credential, for an option that is not known, and for one out of its range. */
  constructor(options: ElevenLabsTTSOptions = {}) {
    checkOptions(IDENTITY.className, options);
    this.#options = options;
    this.#account = openAccount(IDENTITY, options);
    this.model = options.modelId ?? DEFAULT_MODEL;
    this.outputFormats = outputFormats(options);
  }

  /** Speaks mu-law at 8 kHz and nothing else. */
  static forTwilio(options?: Omit<ElevenLabsTTSOptions, "outputFormat">): ElevenLabsTTS;
  static forTwilio(apiKey: string, options?: Omit<ElevenLabsTTSOptions, "outputFormat">): ElevenLabsTTS;
  static forTwilio(first: string | ElevenLabsTTSOptions = {}, second: ElevenLabsTTSOptions = {}): ElevenLabsTTS {
    const options = typeof first === "string" ? { apiKey: first, ...second } : first;
    return new ElevenLabsTTS({ ...options, outputFormat: "ulaw_8000" });
  }

  /** Speaks in the format of each call's leg, which on Telnyx is not always the same. */
  static forTelnyx(options?: Omit<ElevenLabsTTSOptions, "outputFormat">): ElevenLabsTTS;
  static forTelnyx(apiKey: string, options?: Omit<ElevenLabsTTSOptions, "outputFormat">): ElevenLabsTTS;
  static forTelnyx(first: string | ElevenLabsTTSOptions = {}, second: ElevenLabsTTSOptions = {}): ElevenLabsTTS {
    return new ElevenLabsTTS(typeof first === "string" ? { apiKey: first, ...second } : first);
  }

  /** Loads the HTTP client, and looks a voice's name up in the account. @throws ConfigError for a name that is none of its voices. */
  async prepare({ signal }: { readonly signal: AbortSignal }): Promise<void> {
    await import("undici");
    await this.#account.voice.id(signal);
  }

  open(options: TtsOpenOptions): TtsConnection {
    const { format, language, clock } = options;
    const { baseUrl, headers, http, voice } = this.#account;
    const code = languageCode(this.#options, language);
    const settings = wireVoiceSettings(this.#options);
    return new HttpTtsConnection(
      {
        identity: IDENTITY,
        http,
        request: async (text, spokenText, signal) => {
          const id = await voice.id(signal, clock);
          const previous = WITHOUT_CONTEXT.test(this.model) ? "" : spokenText.slice(-MAX_PREVIOUS_CHARACTERS);
          return {
            url: `${baseUrl}/v1/text-to-speech/${id}/stream/with-timestamps?output_format=${formatName(format)}`,
            headers: { ...headers, "content-type": "application/json" },
            body: JSON.stringify({
              text,
              model_id: this.model,
              ...(code !== undefined && { language_code: code }),
              ...(settings !== undefined && { voice_settings: settings }),
              ...(previous !== "" && { previous_text: previous }),
            }),
          };
        },
        decoder: () => new LineDecoder(),
        failure: async (response) => {
          const failure = readFailure(await readText(response, MAX_ERROR_BYTES));
          const requestId = response.header("request-id");
          return explained(vendorError(IDENTITY, { status: response.status, requestId, ...failure }));
        },
      },
      options,
    );
  }

  /** Closes the connections; replies in flight fail. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#account.http[Symbol.asyncDispose]();
  }
}

/** A line of JSON for each piece of audio. */
class LineDecoder implements SpeechDecoder {
  readonly #text = new TextDecoder();
  #rest = "";

  push(bytes: Uint8Array): readonly SpeechPart[] {
    const lines = (this.#rest + this.#text.decode(bytes, { stream: true })).split("\n");
    this.#rest = lines.pop() ?? "";
    return partsOf(lines);
  }

  end(): readonly SpeechPart[] {
    return partsOf([this.#rest]);
  }
}

function partsOf(lines: readonly string[]): readonly SpeechPart[] {
  return lines
    .filter((line) => line.trim() !== "")
    .map((line) => {
      const message = parseMessage(IDENTITY, line);
      const bytes = audioBytes(message["audio_base64"]);
      return { times: httpTimes(message), ...(bytes !== undefined && { bytes }) };
    });
}

export { ElevenLabsTTS as TTS };
