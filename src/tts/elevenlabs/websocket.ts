import type { AudioFormat } from "../../core/audio-frame.js";
import type { TTS, TtsConnection, TtsOpenOptions } from "../../core/tts.js";
import type { ProviderIdentity } from "../../provider-kit/http-errors.js";
import { WebSocketTtsConnection } from "../../provider-kit/websocket-tts.js";
import { type Account, openAccount } from "./account.js";
import { ElevenLabsDialect } from "./dialect.js";
import { checkSocketOptions, DEFAULT_MODEL, type ElevenLabsWebSocketTTSOptions, outputFormats } from "./options.js";

const IDENTITY: ProviderIdentity = { provider: "elevenlabs", className: "ElevenLabsWebSocketTTS" };

type CarrierOptions = Omit<ElevenLabsWebSocketTTSOptions, "outputFormat">;

/**
 * ElevenLabs' voices over one socket a call, which speaks each reply in a context of its own, with the time of every
 * character. The socket is warm before the first reply; a barge-in closes the reply's context at once.
 *
 * Compared with `ElevenLabsTTS` it saves a request for each sentence, and keeps the tone within a reply; it needs a socket
 * for each call. Failures and deadlines: see `WebSocketTtsConnection`.
 */
export class ElevenLabsWebSocketTTS implements TTS, AsyncDisposable {
  readonly provider = IDENTITY.provider;
  readonly model: string;
  readonly outputFormats: readonly AudioFormat[];
  readonly #options: ElevenLabsWebSocketTTSOptions;
  readonly #account: Account;

  /** @throws ConfigError without a credential, for an option that is not known, one out of its range, and `eleven_v3`. */
  constructor(options: ElevenLabsWebSocketTTSOptions = {}) {
    checkSocketOptions(IDENTITY.className, options);
    this.#options = options;
    this.#account = openAccount(IDENTITY, options);
    this.model = options.modelId ?? DEFAULT_MODEL;
    this.outputFormats = outputFormats(options);
  }

  /** Speaks mu-law at 8 kHz and nothing else. */
  static forTwilio(options?: CarrierOptions): ElevenLabsWebSocketTTS;
  static forTwilio(apiKey: string, options?: CarrierOptions): ElevenLabsWebSocketTTS;
  static forTwilio(first: string | CarrierOptions = {}, second: CarrierOptions = {}): ElevenLabsWebSocketTTS {
    const options = typeof first === "string" ? { apiKey: first, ...second } : first;
    return new ElevenLabsWebSocketTTS({ ...options, outputFormat: "ulaw_8000" });
  }

  /** Speaks in the format of each call's leg, which on Telnyx is not always the same. */
  static forTelnyx(options?: CarrierOptions): ElevenLabsWebSocketTTS;
  static forTelnyx(apiKey: string, options?: CarrierOptions): ElevenLabsWebSocketTTS;
  static forTelnyx(first: string | CarrierOptions = {}, second: CarrierOptions = {}): ElevenLabsWebSocketTTS {
    return new ElevenLabsWebSocketTTS(typeof first === "string" ? { apiKey: first, ...second } : first);
  }

  /** Loads the socket's code, and looks a voice's name up in the account. @throws ConfigError for a name that is none of its voices. */
  async prepare({ signal }: { readonly signal: AbortSignal }): Promise<void> {
    await import("ws");
    await this.#account.voice.id(signal);
  }

  open(options: TtsOpenOptions): TtsConnection {
    return new WebSocketTtsConnection(new ElevenLabsDialect(this.#account, this.#options, options), options);
  }

  /** Closes the connections that looked voices up; each call closes its own socket. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#account.http[Symbol.asyncDispose]();
  }
}
