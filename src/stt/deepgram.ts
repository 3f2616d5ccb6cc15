import { type AudioFormat, type AudioFrame, audioByteLength } from "../core/audio-frame.js";
import type { STT, SttOpenOptions, SttStream } from "../core/stt.js";
import type { ProviderIdentity } from "../provider-kit/http-errors.js";
import { connectSocket, prepareSockets, type VendorSocket } from "../provider-kit/websocket.js";
import { WebSocketSttStream } from "../provider-kit/websocket-stt.js";
import { endsTurn, handshakeHeaders, listenQuery, listenUrl } from "./deepgram/endpoint.js";
import { closedError, explained, readRefusal } from "./deepgram/errors.js";
import { fluxReader, novaReader } from "./deepgram/messages.js";
import { CLASS_NAME, checkOptions, DEFAULT_MODEL, type DeepgramSTTOptions, inputFormats, isFlux } from "./deepgram/options.js";

export type { DeepgramSTTOptions } from "./deepgram/options.js";

const IDENTITY: ProviderIdentity = { provider: "deepgram", className: CLASS_NAME };
/** Deepgram closes a socket that has been given nothing for 10 s. */
const KEEP_ALIVE_MS = 4000;
/** Flux' own default: silence of this length ends a turn, whatever the model thinks. */
const FLUX_TIMEOUT_MS = 5000;
/** Flux has no message that keeps a socket alive: it is given silence of this length, in ms. */
const SILENCE_MS = 80;
const SILENCE = { pcm16: 0, mulaw: 0xff, alaw: 0xd5 } as const;

/**
 * Deepgram's streaming speech recognition: Nova models, and Flux, which knows itself when a turn is over.
 *
 * Each call has a socket of its own. A socket that is lost is opened again, with the last second of audio sent once more;
 * three losses in a row that bring nothing fail the stream with the last one's error. Telephone audio passes untouched.
 */
export class DeepgramSTT implements STT {
  readonly provider = IDENTITY.provider;
  readonly model: string;
  readonly inputFormats: readonly AudioFormat[];
  readonly turnEndWithinMs?: number;
  readonly #options: DeepgramSTTOptions;
  readonly #url: string;
  readonly #headers: Readonly<Record<string, string>>;

  /** @throws ConfigError without a credential, for an option that is not known, and for one out of its range. */
  constructor(options: DeepgramSTTOptions = {}) {
    checkOptions(options);
    this.model = options.model ?? DEFAULT_MODEL;
    this.inputFormats = inputFormats(options);
    if (isFlux(this.model)) this.turnEndWithinMs = options.endOfTurnTimeoutMs ?? FLUX_TIMEOUT_MS;
    this.#options = options;
    this.#url = listenUrl(options);
    this.#headers = handshakeHeaders(options);
  }

  /** Loads what sockets need. */
  async prepare(): Promise<void> {
    await prepareSockets();
  }

  open(call: SttOpenOptions): SttStream {
    const shared = {
      connect: (signal: AbortSignal) => this.#connect(call, signal),
      closedError: closedError.bind(undefined, IDENTITY),
      closeMessage: '{"type":"CloseStream"}',
    };
    if (isFlux(this.model)) {
      const keepAlive = { afterMs: KEEP_ALIVE_MS, message: silence(call.format) };
      return new WebSocketSttStream({ ...shared, keepAlive, reader: () => fluxReader(IDENTITY) }, call);
    }
    const keepAlive = { afterMs: KEEP_ALIVE_MS, message: '{"type":"KeepAlive"}' };
    const reader = (): ReturnType<typeof novaReader> => novaReader(IDENTITY, endsTurn(this.#options));
    return new WebSocketSttStream({ ...shared, keepAlive, finalizeMessage: '{"type":"Finalize"}', reader }, call);
  }

  async #connect(call: SttOpenOptions, signal: AbortSignal): Promise<VendorSocket> {
    const url = `${this.#url}?${listenQuery(this.#options, call)}`;
    try {
      return await connectSocket({ identity: IDENTITY, url, headers: this.#headers, clock: call.clock, signal, readRefusal });
    } catch (error) {
      throw explained(error);
    }
  }
}

function silence(format: AudioFormat): AudioFrame {
  return { format, bytes: new Uint8Array(audioByteLength(format, SILENCE_MS)).fill(SILENCE[format.encoding]) };
}

export { DeepgramSTT as STT };
