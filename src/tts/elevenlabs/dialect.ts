import type { Clock } from "../../core/clock.js";
import { ProtocolError, ProviderError } from "../../core/errors.js";
import type { TtsOpenOptions } from "../../core/tts.js";
import { type ProviderIdentity, parseMessage, type VendorFailure } from "../../provider-kit/http-errors.js";
import type { Refusal, SocketClose } from "../../provider-kit/websocket.js";
import type { ContextDialect, ContextMessage } from "../../provider-kit/websocket-tts.js";
import type { Account } from "./account.js";
import { DEFAULT_MODEL, type ElevenLabsWebSocketTTSOptions, formatName, languageCode, wireVoiceSettings } from "./options.js";
import { audioBytes, explained, readFailure, socketError, socketTimes } from "./wire.js";

/** The vendor closes the whole socket at the sixth. */
const MAX_CONTEXTS = 4;
const LONGEST_INACTIVITY_S = 180;
const MAX_KEEP_ALIVE_MS = 10_000;

/** The multi-context socket. What is sent has names in snake case, what comes in camel case. */
export class ElevenLabsDialect implements ContextDialect {
  readonly identity: ProviderIdentity;
  readonly maxContexts = MAX_CONTEXTS;
  readonly keepAliveMs: number;
  readonly sendsPieces: boolean;
  readonly #account: Account;
  readonly #query: string;
  readonly #settings: Readonly<Record<string, unknown>>;

  constructor(account: Account, options: ElevenLabsWebSocketTTSOptions, call: TtsOpenOptions) {
    this.identity = account.identity;
    const { modelId = DEFAULT_MODEL, chunkLengthSchedule, inactivityTimeout = LONGEST_INACTIVITY_S } = options;
    const autoMode = options.autoMode ?? chunkLengthSchedule === undefined;
    const code = languageCode(options, call.language);
    const voiceSettings = wireVoiceSettings(options);
    this.#account = account;
    this.#query = new URLSearchParams({
      model_id: modelId,
      output_format: formatName(call.format),
      inactivity_timeout: String(inactivityTimeout),
      auto_mode: String(autoMode),
      // Without it only some of the messages tell when their characters are spoken.
      sync_alignment: "true",
      ...(code !== undefined && { language_code: code }),
    }).toString();
    this.#settings = {
      ...(voiceSettings !== undefined && { voice_settings: voiceSettings }),
      ...(chunkLengthSchedule !== undefined && { generation_config: { chunk_length_schedule: chunkLengthSchedule } }),
    };
    this.keepAliveMs = Math.min(MAX_KEEP_ALIVE_MS, inactivityTimeout * 500);
    // In auto mode every message is spoken at once, so that it has to be a whole sentence.
    this.sendsPieces = !autoMode;
  }

  async connect(
    signal: AbortSignal,
    clock: Clock,
  ): Promise<{ readonly url: string; readonly headers: Readonly<Record<string, string>> }> {
    const { baseUrl, headers, voice } = this.#account;
    const id = await voice.id(signal, clock);
    return { url: `${baseUrl.replace(/^http/, "ws")}/v1/text-to-speech/${id}/multi-stream-input?${this.#query}`, headers };
  }

  readRefusal({ body }: Refusal): Omit<VendorFailure, "status"> {
    return readFailure(body);
  }

  explain(error: ProviderError): ProviderError {
    return explained(error);
  }

  begin(context: string): string {
    return JSON.stringify({ text: " ", context_id: context, ...this.#settings });
  }

  write(context: string, text: string, flushes: boolean): string {
    // The vendor wants a space at the end, and takes an empty text for a sign of life.
    const spaced = this.sendsPieces && !flushes ? text : `${text.trim()} `;
    return JSON.stringify({ text: spaced, context_id: context, ...(flushes && { flush: true }) });
  }

  keepAlive(context: string): string {
    return JSON.stringify({ text: "", context_id: context });
  }

  end(context: string): string {
    return JSON.stringify({ context_id: context, close_context: true });
  }

  cancel(context: string): string {
    return this.end(context);
  }

  decode(message: string | Uint8Array): ContextMessage {
    if (typeof message !== "string")
      throw new ProtocolError(`${this.identity.className} received bytes in place of a message. Check { baseUrl }.`, {
        provider: this.identity.provider,
      });
    const parsed = parseMessage(this.identity, message);
    const { contextId, error, message: text } = parsed;
    const context = typeof contextId === "string" ? contextId : undefined;
    if (typeof error === "string")
      return {
        type: "error",
        ...(context !== undefined && { context }),
        error: socketError(this.identity, error, typeof text === "string" ? text : ""),
      };
    if (context === undefined) return { type: "other" };
    if (parsed["isFinal"] === true || parsed["is_final"] === true) return { type: "final", context };
    const bytes = audioBytes(parsed["audio"]);
    return { type: "speech", context, times: socketTimes(parsed), ...(bytes !== undefined && { bytes }) };
  }

  closed(close: SocketClose | undefined): ProviderError {
    const how = close === undefined ? "" : ` with ${close.code}${close.reason === "" ? "" : ` (${close.reason})`}`;
    return new ProviderError(`${this.identity.className} lost its socket: ElevenLabs closed it${how}. Try again.`, {
      provider: this.identity.provider,
      retryable: true,
    });
  }
}
