import type { IncomingMessage } from "node:http";
import type { Duplex } from "node:stream";
import { type Clock, systemClock } from "../../core/clock.js";
import { ConfigError } from "../../core/errors.js";
import { checkOptionNames } from "../../core/option-names.js";
import type { LoopbackServer } from "../loopback-server.js";
import { onAbort } from "../../core/signals.js";
import type { SpokenWords } from "../spoken-words.js";
import { type ElevenLabsFailure, FailureQueue, failureBody } from "./failures.js";
import { headersOf, type IncomingSpeechRequest, inProcessFetch, type SpeechSink, startSpeechServer } from "./http.js";
import type { ElevenLabsRequest } from "./request.js";
import { Exchange } from "./routes.js";
import { type ElevenLabsSocket, SocketSession } from "./socket-session.js";
import { SpeechMaker } from "./speech.js";
import { type ElevenLabsVoice, TEST_VOICES } from "./voices.js";

export interface ElevenLabsServerOptions {
  /** Latencies and timeouts run on it. Default real time. */
  readonly clock?: Clock;
  /** The only key that is accepted. Default: any that is not empty. */
  readonly apiKey?: string;
  /** The account's voices. Default: the vendor's own of November 2026, and Rachel. */
  readonly voices?: readonly ElevenLabsVoice[];
  /** Speaks words that a `TestPhone` hears, in the format of these words only, in place of a tone for each character. */
  readonly spoken?: SpokenWords;
  /** How long each character is spoken, in ms. Default 60. Not with `spoken`. */
  readonly characterMs?: number;
  /** How much audio each message carries, in ms. Default 250. */
  readonly chunkMs?: number;
  /** Whether messages tell when characters are spoken. Default true. */
  readonly alignments?: boolean;
  /** From a request or a flush to the first audio, in ms. Default 0. */
  readonly firstByteMs?: number;
  /** Between two messages of one speech, in ms. Default 0: as fast as they can be sent. */
  readonly chunkDelayMs?: number;
}

const OPTION_NAMES = [
  "clock",
  "apiKey",
  "voices",
  "spoken",
  "characterMs",
  "chunkMs",
  "alignments",
  "firstByteMs",
  "chunkDelayMs",
];
const SOCKET_PATH = /^\/v1\/text-to-speech\/([^/]+)\/(multi-stream-input|stream-input)$/;

/**
 * ElevenLabs' text to speech on this machine, for tests: streamed HTTP with and without timestamps, the voices, and both
 * sockets. What it speaks has a known length for every character, so that times can be checked.
 *
 * ```ts
 * await using server = await ElevenLabsServer.start();
 * const tts = new ElevenLabsTTS({ apiKey: "test", baseUrl: server.url });
 * server.fail({ status: 429 }, { cutAfterMs: 500 });
 * console.log(server.requests[0]?.body, server.sockets[0]?.messages);
 * ```
 *
 * It makes `pcm_*`, `ulaw_8000` and `alaw_8000`. Everything else follows the API's documentation of November 2026; what
 * that leaves open was taken from public reports: a context that only finishes speaking still counts as one of five.
 */
export class ElevenLabsServer implements AsyncDisposable {
  readonly #options: ElevenLabsServerOptions;
  readonly #maker: SpeechMaker;
  readonly #failures = new FailureQueue();
  readonly #closing = new AbortController();
  readonly #requests: Exchange[] = [];
  readonly #sessions: SocketSession[] = [];
  #http: LoopbackServer | undefined;
  /** The HTTP routes without a socket, whatever the URL's origin: whole calls can so run on a virtual clock. */
  readonly fetch: typeof fetch;

  private constructor(options: ElevenLabsServerOptions) {
    this.#options = options;
    this.#maker = new SpeechMaker({
      clock: options.clock ?? systemClock,
      spoken: options.spoken,
      characterMs: options.characterMs ?? 60,
      chunkMs: options.chunkMs ?? 250,
      tellsTimes: options.alignments ?? true,
      firstByteMs: options.firstByteMs ?? 0,
      chunkDelayMs: options.chunkDelayMs ?? 0,
    });
    this.fetch = inProcessFetch((request, sink) => this.#handle(request, sink));
  }

  /** Starts a server on a free port of the loopback interface. @throws ConfigError for an option that it does not know. */
  static async start(options: ElevenLabsServerOptions = {}): Promise<ElevenLabsServer> {
    checkOptionNames(options, { where: "ElevenLabsServer.start()", known: OPTION_NAMES });
    if (options.spoken !== undefined && options.characterMs !== undefined)
      throw new ConfigError(
        "ElevenLabsServer takes either spoken or characterMs: words for a TestPhone have lengths of their own.",
      );
    const server = new ElevenLabsServer(options);
    const { WebSocketServer } = await import("ws");
    const sockets = new WebSocketServer({ noServer: true, autoPong: false, perMessageDeflate: false });
    server.#http = await startSpeechServer(
      (request, sink) => server.#handle(request, sink),
      (request, socket, head) => {
        const refusal = server.#refusalOf(request);
        if (refusal !== undefined) return refuseUpgrade(socket, refusal);
        sockets.handleUpgrade(request, socket, head, (accepted) => server.#accept(request, accepted));
      },
    );
    return server;
  }

  /** Such as `http://127.0.0.1:40123`; the sockets' scheme is `ws:`. */
  get url(): string {
    return this.#http?.url ?? "";
  }

  /** Every HTTP request so far, refused ones included. */
  get requests(): readonly ElevenLabsRequest[] {
    return this.#requests;
  }

  /** Every socket so far, refused ones not included. */
  get sockets(): readonly ElevenLabsSocket[] {
    return this.#sessions;
  }

  /** Connections accepted so far; `fetch` needs none. */
  get connections(): number {
    return this.#http?.connections ?? 0;
  }

  /**
   * Makes the next ones fail, in order. A `status` is taken by the next request or handshake, all else by the next speech.
   * @throws ConfigError for a failure that is none.
   */
  fail(...failures: readonly ElevenLabsFailure[]): void {
    this.#failures.add(failures);
  }

  /** Breaks every open connection. */
  dropConnections(): void {
    this.#http?.dropConnections();
  }

  /** Closes every context that is not speaking, as its inactivity timeout does. */
  closeContexts(): void {
    for (const session of this.#sessions) session.closeContexts();
  }

  /** Every socket that is open stays so and says nothing any more, also not to a ping. */
  fallSilent(): void {
    for (const session of this.#sessions) session.fallSilent();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#closing.abort();
    await this.#http?.[Symbol.asyncDispose]();
  }

  #handle(request: IncomingSpeechRequest, sink: SpeechSink): void {
    const exchange = new Exchange(request, sink, {
      maker: this.#maker,
      failures: this.#failures,
      voices: this.#voices,
      accepts: (headers) => this.#accepts(headers),
    });
    this.#requests.push(exchange);
    const closing = onAbort(this.#closing.signal, () => sink.reset());
    void exchange
      .answer()
      .catch((error: unknown) => {
        if (!sink.left.aborted) throw error;
      })
      .finally(() => closing[Symbol.dispose]());
  }

  get #voices(): readonly ElevenLabsVoice[] {
    return this.#options.voices ?? TEST_VOICES;
  }

  #accepts(headers: Readonly<Record<string, string>>): boolean {
    const key = headers["xi-api-key"] ?? "";
    return this.#options.apiKey === undefined ? key !== "" : key === this.#options.apiKey;
  }

  #refusalOf(request: IncomingMessage): { readonly status: number; readonly body: string } | undefined {
    const url = urlOf(request);
    const path = SOCKET_PATH.exec(url.pathname);
    const failure = this.#failures.forHandshake();
    const refuse = (status: number, code: string, message: string) => ({ status, body: failureBody({ status, code, message }) });
    if (failure !== undefined) return { status: failure.status, body: failureBody(failure) };
    if (path === null) return refuse(404, "not_found", "Not Found");
    const key = request.headers["xi-api-key"];
    // Without a key in the headers it may come with the first message.
    if (key !== undefined && !this.#accepts(headersOf(request))) return refuse(401, "invalid_api_key", "Invalid API key");
    const voiceId = decodeURIComponent(path[1] as string);
    if (!this.#voices.some((voice) => voice.voice_id === voiceId))
      return refuse(404, "voice_not_found", `A voice with the voice_id '${voiceId}' was not found.`);
    if (url.searchParams.get("model_id") === "eleven_v3")
      return refuse(400, "model_not_supported", "The model eleven_v3 is not available over WebSockets.");
    const formatName = url.searchParams.get("output_format") ?? "mp3_44100_128";
    if (!this.#maker.makes(formatName)) return refuse(400, "output_format_not_made", `This test server makes no ${formatName}.`);
    return undefined;
  }

  #accept(request: IncomingMessage, socket: import("ws").WebSocket): void {
    const session = new SocketSession({
      socket,
      url: urlOf(request),
      headers: headersOf(request),
      maker: this.#maker,
      failures: this.#failures,
      accepts: (headers) => this.#accepts(headers),
    });
    session.until(this.#closing.signal);
    this.#sessions.push(session);
  }
}

function urlOf(request: IncomingMessage): URL {
  return new URL(request.url ?? "/", "http://127.0.0.1");
}

function refuseUpgrade(socket: Duplex, { status, body }: { readonly status: number; readonly body: string }): void {
  const head = `HTTP/1.1 ${status} Refused\r\ncontent-type: application/json\r\ncontent-length: ${Buffer.byteLength(body)}\r\nconnection: close\r\n\r\n`;
  socket.end(head + body);
}
