import { type Clock, systemClock } from "../../core/clock.js";
import { errorMessage } from "../../core/errors.js";
import { checkOptionNames } from "../../core/option-names.js";
import { onAbort } from "../../core/signals.js";
import type { LoopbackServer } from "../loopback-server.js";
import { CERTIFICATE } from "./certificate.js";
import { errorBody, problem } from "./errors.js";
import { Exchange, type IncomingRequest, type ResponseSink } from "./exchange.js";
import { startHttpServer } from "./http.js";
import { checkReply } from "./check-reply.js";
import { inProcessFetch } from "./in-process.js";
import type { AnthropicLatency, AnthropicReply } from "./replies.js";
import type { AnthropicRequest } from "./request.js";
import { Responder } from "./responder.js";

export interface AnthropicServerOptions {
  /** TLS with HTTP/2 and HTTP/1.1 as the client chooses, instead of plain HTTP/1.1; clients must trust `certificate`. Default false. */
  readonly http2?: boolean;
  /** Latencies and the lifetimes of the prompt cache run on it. Default real time. */
  readonly clock?: Clock;
  /** The only key that is accepted. Default: any that is not empty. */
  readonly apiKey?: string;
  /** The first replies, in order. */
  readonly replies?: readonly AnthropicReply[];
  /** What every request is answered that finds no reply waiting. Default: a short text. */
  readonly defaultReply?: AnthropicReply;
  /** Of every reply that does not give its own. Default 0. */
  readonly latency?: AnthropicLatency;
}

const OPTION_NAMES = ["http2", "clock", "apiKey", "replies", "defaultReply", "latency"];

/**
 * Anthropic's Messages API on this machine, for tests: it refuses what the API refuses, caches prompts and counts tokens
 * as the API does, and answers as it is told to.
 *
 * ```ts
 * await using server = await AnthropicServer.start({ replies: ["We open at nine."] });
 * const llm = new AnthropicLLM({ apiKey: "test", baseUrl: server.url });
 * for await (const chunk of llm.stream([{ role: "user", content: "When do you open?" }])) console.log(chunk);
 * console.log(server.requests[0]?.body.messages, server.requests[0]?.usage);
 * server.reply({ status: 529 }, { text: "Sorry about that.", firstTokenMs: 300 });
 * ```
 *
 * A warm-up (`max_tokens` of 0 or 1) takes no reply from the queue, and neither does a request that is refused. A silence
 * lasts until the client leaves. Disposing the server breaks every open connection. Tokens are counted as one for each four
 * characters; everything else follows the API's documentation of November 2026.
 */
export class AnthropicServer implements AsyncDisposable {
  readonly #clock: Clock;
  readonly #responder: Responder;
  readonly #http: LoopbackServer;
  readonly #requests: Exchange[] = [];
  readonly #closing = new AbortController();
  /** The same API without a socket, whatever the URL's origin: whole calls can so run on a virtual clock. */
  readonly fetch: typeof fetch;
  /** PEM of the certificate for `localhost` and 127.0.0.1 that an HTTP/2 server shows. */
  readonly certificate: string = CERTIFICATE.cert;

  private constructor(clock: Clock, responder: Responder, http: LoopbackServer) {
    this.#clock = clock;
    this.#responder = responder;
    this.#http = http;
    this.fetch = inProcessFetch((request, sink) => this.#handle(request, sink));
  }

  /** Starts a server on a free port of the loopback interface. @throws ConfigError for an option or a reply that it does not know. */
  static async start(options: AnthropicServerOptions = {}): Promise<AnthropicServer> {
    checkOptionNames(options, { where: "AnthropicServer.start()", known: OPTION_NAMES });
    const { http2 = false, clock = systemClock, replies = [], latency = {}, defaultReply = "Certainly." } = options;
    checkReply(defaultReply);
    const responder = new Responder({ clock, apiKey: options.apiKey, latency, defaultReply });
    const http = await startHttpServer({ http2, handle: (request, sink) => server.#handle(request, sink) });
    const server = new AnthropicServer(clock, responder, http);
    server.reply(...replies);
    return server;
  }

  /** Such as `http://127.0.0.1:40123`. */
  get url(): string {
    return this.#http.url;
  }

  /** Every request so far, refused ones included. */
  get requests(): readonly AnthropicRequest[] {
    return this.#requests;
  }

  /** Connections accepted so far; `fetch` needs none. */
  get connections(): number {
    return this.#http.connections;
  }

  /** Adds replies to the queue. A warm-up takes none of them. @throws ConfigError for a reply with a field that there is not. */
  reply(...replies: readonly AnthropicReply[]): void {
    this.replyTo(isTurn, ...replies);
  }

  /** Adds replies for the requests that a condition holds for, of any path: the first reply that fits is taken. */
  replyTo(isFor: (request: AnthropicRequest) => boolean, ...replies: readonly AnthropicReply[]): void {
    for (const reply of replies) {
      checkReply(reply);
      this.#responder.add({ reply, isFor });
    }
  }

  /** Breaks every open connection, as a restarting proxy does. */
  dropConnections(): void {
    this.#http.dropConnections();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#closing.abort();
    await this.#http[Symbol.asyncDispose]();
  }

  #handle(incoming: IncomingRequest, sink: ResponseSink): void {
    const id = `req_${String(this.#requests.length + 1).padStart(6, "0")}`;
    const exchange = new Exchange(incoming, id, this.#clock, sink);
    this.#requests.push(exchange);
    const closing = onAbort(this.#closing.signal, () => sink.reset());
    void this.#answer(exchange, sink).finally(() => closing[Symbol.dispose]());
  }

  async #answer(exchange: Exchange, sink: ResponseSink): Promise<void> {
    try {
      await this.#responder.answer(exchange);
    } catch (error) {
      if (sink.left.aborted) {
        exchange.abandon();
        return;
      }
      if (exchange.status !== undefined) {
        exchange.reset();
        return;
      }
      // A reply function that throws, or a reply that does not fit: the test sees it as the response.
      exchange.respond(500, errorBody(problem(500, `AnthropicServer: ${errorMessage(error)}`), exchange.id));
    }
  }
}

/** A request for an answer, and no warm-up. */
function isTurn({ method, path, body }: AnthropicRequest): boolean {
  return method === "POST" && /^\/v1\/messages\/?(\?|$)/.test(path) && (body.max_tokens ?? 0) > 1;
}
