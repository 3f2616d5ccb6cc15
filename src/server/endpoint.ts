import type { IncomingMessage } from "node:http";
import type { Duplex } from "node:stream";
import type { WebSocketServer } from "ws";
import type { CarrierLine, Dialling, DialRequest, SocketDecision } from "../core/carrier.js";
import type { Logger } from "../core/logger.js";
import { type App, type AppOptions, createApp } from "./app.js";
import { MAX_MESSAGE_BYTES, mediaSocket } from "./media-socket.js";

/** How long peers have for their half of a closing handshake, in ms. */
export const CLOSE_GRACE_MS = 1000;

export interface EndpointOptions extends AppOptions {
  /** Ends the opening of the carriers. */
  readonly signal?: AbortSignal;
}

/** Carriers' routes and sockets, to be reached through any HTTP server. */
export class Endpoint {
  readonly #options: EndpointOptions;
  readonly #app: App;
  readonly #sockets: WebSocketServer;
  #carriers: Required<CarrierLine> | undefined;

  private constructor(options: EndpointOptions, app: App, sockets: WebSocketServer) {
    this.#options = options;
    this.#app = app;
    this.#sockets = sockets;
  }

  /** Loads what it needs. `open` is to be called once requests reach it. */
  static async create(options: EndpointOptions): Promise<Endpoint> {
    const [app, { WebSocketServer: SocketServer }] = await Promise.all([createApp(options), import("ws")]);
    return new Endpoint(
      options,
      app,
      new SocketServer({ noServer: true, maxPayload: MAX_MESSAGE_BYTES, perMessageDeflate: false }),
    );
  }

  /** Has every carrier made ready for calls. Throws what a carrier throws that cannot be. */
  async open(): Promise<void> {
    this.#carriers = await this.#app.open(this.#options.signal ?? new AbortController().signal);
  }

  /** Answers a request. */
  fetch(request: Request): Promise<Response> {
    return this.#app.fetch(request);
  }

  /** Lets the carriers decide on an upgrade, and only then answers 101. `false`: none knows the path, and nothing was done. */
  handleUpgrade(request: IncomingMessage, socket: Duplex, head: Buffer): boolean {
    const { logger } = this.#options;
    const parsed = upgradeRequest(request);
    const decision = parsed === undefined ? NO_WEBSOCKET : decide(this.#app, parsed, logger);
    if (decision === undefined) return false;
    socket.on("error", (error) => logger.debug({ err: error }, "connection failed"));
    if (!decision.accepted) {
      logger.warn({ status: decision.status, reason: decision.reason }, "socket refused");
      refuseSocket(socket, decision);
      return true;
    }
    this.#sockets.handleUpgrade(request, socket, head, (webSocket) => {
      try {
        decision.run(mediaSocket(webSocket, this.#options));
      } catch (error) {
        logger.error({ err: error }, "call not started");
        webSocket.close(1011, "the server failed");
      }
    });
    return true;
  }

  /** Places a call. @throws ConfigError when no carrier can, and what the carrier throws. */
  dial(request: DialRequest): Promise<Dialling> {
    return this.#app.dial(request);
  }

  /** Resolves when every call that a carrier has answered was handed over, or has come to nothing. */
  async settled(): Promise<void> {
    await this.#carriers?.settled();
  }

  /** Closes the sockets of running calls and lets go of the carriers. Resolves when all are gone. */
  async close(): Promise<void> {
    const closed = new Promise<void>((resolve) => {
      this.#sockets.close(() => resolve());
    });
    for (const webSocket of this.#sockets.clients) {
      webSocket.resume();
      webSocket.close(1001, "the server stopped");
    }
    const grace = this.#options.clock.setTimer(CLOSE_GRACE_MS, () => {
      for (const webSocket of this.#sockets.clients) webSocket.terminate();
    });
    await closed;
    grace[Symbol.dispose]();
    await this.#carriers?.[Symbol.asyncDispose]();
  }
}

const NO_WEBSOCKET: SocketDecision = { accepted: false, status: 400, reason: "not a WebSocket request" };

/** Answers an upgrade with an error and closes its connection. */
export function refuseSocket(socket: Duplex, { status, reason }: { readonly status: number; readonly reason: string }): void {
  const body = JSON.stringify({ error: "socket_refused", message: reason });
  // The peer may be gone before it has read the answer.
  socket.on("error", () => socket.destroy());
  socket.once("finish", () => socket.destroy());
  socket.end(
    `HTTP/1.1 ${status} Refused\r\nContent-Type: application/json\r\nContent-Length: ${Buffer.byteLength(body)}\r\nConnection: close\r\n\r\n${body}`,
  );
}

function decide(app: App, request: Request, logger: Logger): SocketDecision | undefined {
  try {
    return app.upgrade(request);
  } catch (error) {
    logger.error({ err: error, path: new URL(request.url).pathname }, "upgrade failed");
    return { accepted: false, status: 500, reason: "the server failed to answer; its log says why" };
  }
}

function upgradeRequest(incoming: IncomingMessage): Request | undefined {
  const { host, upgrade } = incoming.headers;
  if (host === undefined || upgrade?.toLowerCase() !== "websocket" || incoming.url?.startsWith("/") !== true) return undefined;
  const headers = new Headers();
  for (let i = 0; i + 1 < incoming.rawHeaders.length; i += 2) {
    headers.append(incoming.rawHeaders[i] as string, incoming.rawHeaders[i + 1] as string);
  }
  try {
    return new Request(`http://${host}${incoming.url}`, { headers });
  } catch {
    // A Host header that makes no URL.
    return undefined;
  }
}
