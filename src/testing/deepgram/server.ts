import { createServer, type IncomingMessage } from "node:http";
import type { Duplex } from "node:stream";
import type { WebSocketServer } from "ws";
import { type Clock, systemClock } from "../../core/clock.js";
import { ConfigError } from "../../core/errors.js";
import { checkOptionNames } from "../../core/option-names.js";
import { LoopbackServer } from "../loopback-server.js";
import type { SpokenWords } from "../spoken-words.js";
import { type DeepgramUtterance, type Ear, ScriptEar, SpokenEar } from "./ear.js";
import { checkFailure, type DeepgramFailure, refusalText } from "./failures.js";
import { FluxRecogniser } from "./flux.js";
import { refusalOf } from "./handshake.js";
import { NovaRecogniser } from "./nova.js";
import { type DeepgramSocket, Session } from "./session.js";
import type { DeepgramErrorBody } from "./wire.js";

export interface DeepgramServerOptions {
  /** Latencies and the 10 s without audio run on it. Default real time. */
  readonly clock?: Clock;
  /** The only key that is accepted. Default: any that is not empty. */
  readonly apiKey?: string;
  /** Understands the words that a `TestPhone` speaks, in linear16 at 16 kHz, in place of a script. */
  readonly spoken?: SpokenWords;
  /** How much later than the audio every message comes, in ms. Default 0. */
  readonly latencyMs?: number;
}

const OPTION_NAMES = ["clock", "apiKey", "spoken", "latencyMs"];

/**
 * Deepgram's streaming speech recognition on this machine, for tests: `/v1/listen` for nova-3 and `/v2/listen` for Flux.
 *
 * ```ts
 * await using server = await DeepgramServer.start();
 * server.script([{ text: "When do you open?", startMs: 400 }]);
 * const stt = new DeepgramSTT({ apiKey: "test", baseUrl: server.url });
 * server.fail({ status: 429 }, { with: "reset", afterMs: 2000 });
 * console.log(server.sockets[0]?.query, server.sockets[0]?.messages);
 * ```
 *
 * It does not recognise sound: each socket takes a script, whose words it hears as audio of that length arrives, or it
 * understands a `TestPhone`. Silence ends segments and turns as the handshake's parameters say; what the documentation of
 * November 2026 leaves open (how sure Flux is of a turn's end, and that it closes after 10 s without audio as well) is an assumption.
 */
export class DeepgramServer implements AsyncDisposable {
  readonly #options: DeepgramServerOptions;
  readonly #http: LoopbackServer;
  readonly #sockets: Session[] = [];
  readonly #failures: DeepgramFailure[] = [];
  readonly #scripts: (readonly DeepgramUtterance[])[] = [];
  #handshakes = 0;

  private constructor(options: DeepgramServerOptions, webSockets: WebSocketServer) {
    this.#options = options;
    const http = createServer((_request, response) => response.writeHead(404).end());
    this.#http = new LoopbackServer(http);
    http.on("upgrade", (request, socket, head) => this.#upgrade(webSockets, request, socket, head));
  }

  /** Starts a server on a free port of the loopback interface. @throws ConfigError for an option that it does not know. */
  static async start(options: DeepgramServerOptions = {}): Promise<DeepgramServer> {
    checkOptionNames(options, { where: "DeepgramServer.start()", known: OPTION_NAMES });
    const { WebSocketServer } = await import("ws");
    const server = new DeepgramServer(
      options,
      new WebSocketServer({ noServer: true, autoPong: false, perMessageDeflate: false }),
    );
    await server.#http.listen();
    return server;
  }

  /** Such as `http://127.0.0.1:40123`; the sockets' scheme is `ws:`. */
  get url(): string {
    return this.#http.url;
  }

  /** Every socket so far, refused handshakes not included. */
  get sockets(): readonly DeepgramSocket[] {
    return this.#sockets;
  }

  /** Handshakes so far, refused ones included. */
  get handshakes(): number {
    return this.#handshakes;
  }

  /** Sockets that are open now. */
  get openSockets(): number {
    return this.#sockets.filter(({ closed }) => closed === undefined).length;
  }

  /** What the next sockets hear, one script each; sockets without one hear nothing. Not together with `spoken`. */
  script(...scripts: readonly (readonly DeepgramUtterance[])[]): void {
    if (this.#options.spoken !== undefined)
      throw new ConfigError("This DeepgramServer understands what is spoken: start one without { spoken } for scripts.");
    this.#scripts.push(...scripts);
  }

  /** Makes the next handshakes, or their sockets, fail: one each. @throws ConfigError for a failure that is none. */
  fail(...failures: readonly DeepgramFailure[]): void {
    for (const failure of failures) checkFailure(failure);
    this.#failures.push(...failures);
  }

  /** Breaks every open connection. */
  dropConnections(): void {
    this.#http.dropConnections();
  }

  /** Every socket that is open stays so and says nothing any more, also not to a ping. */
  fallSilent(): void {
    for (const socket of this.#sockets) socket.fallSilent();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#http[Symbol.asyncDispose]();
  }

  #upgrade(webSockets: WebSocketServer, request: IncomingMessage, socket: Duplex, head: Buffer): void {
    const requestId = `00000000-0000-4000-8000-${String(++this.#handshakes).padStart(12, "0")}`;
    const { pathname: path, searchParams: query } = new URL(request.url ?? "/", "http://localhost");
    const failure = this.#failures.shift();
    if (failure !== undefined && "handshake" in failure) {
      if (failure.handshake === "reset") socket.destroy();
      return;
    }
    if (failure !== undefined && "status" in failure) return refuse(socket, requestId, failure);
    const refused = refusalOf({ path, query, authorization: request.headers.authorization }, this.#options.apiKey);
    if (refused !== undefined) return refuse(socket, requestId, refused);
    webSockets.once("headers", (headers) => headers.push(`dg-request-id: ${requestId}`));
    webSockets.handleUpgrade(request, socket, head, (webSocket) => {
      const { clock = systemClock, latencyMs = 0 } = this.#options;
      const ear = this.#ear();
      const Recogniser = path === "/v1/listen" ? NovaRecogniser : FluxRecogniser;
      const session = new Session({
        webSocket,
        path,
        query,
        headers: request.headers,
        requestId,
        clock,
        latencyMs: failure !== undefined && "latencyMs" in failure ? failure.latencyMs : latencyMs,
        failure: failure !== undefined && "with" in failure ? failure : undefined,
        recogniser: (sink) => new Recogniser(sink, ear, query),
      });
      this.#sockets.push(session);
    });
  }

  #ear(): Ear {
    const { spoken } = this.#options;
    return spoken === undefined ? new ScriptEar(this.#scripts.shift() ?? []) : new SpokenEar(spoken);
  }
}

/** Answers a handshake as Deepgram does: the reason is in the body and in headers. */
function refuse(socket: Duplex, requestId: string, failure: Extract<DeepgramFailure, { readonly status: number }>): void {
  const [code, message] = refusalText(failure.status);
  const json: DeepgramErrorBody = {
    err_code: failure.code ?? code,
    err_msg: failure.message ?? message,
    request_id: requestId,
  };
  const body = failure.body ?? JSON.stringify(json);
  const headers: Readonly<Record<string, string>> = {
    "content-type": failure.body === undefined ? "application/json" : "text/html",
    "content-length": String(Buffer.byteLength(body)),
    "dg-error": json.err_msg,
    "dg-request-id": requestId,
    connection: "close",
    ...failure.headers,
  };
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`);
  socket.end(`HTTP/1.1 ${failure.status} Refused\r\n${lines.join("")}\r\n${body}`);
}
