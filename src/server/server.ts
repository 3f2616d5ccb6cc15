import type { IncomingMessage, Server as HttpServer } from "node:http";
import type { AddressInfo } from "node:net";
import type { Duplex } from "node:stream";
import type { WebSocketServer } from "ws";
import type { CarrierLine, Dialling, DialRequest, SocketDecision } from "../core/carrier.js";
import type { Clock } from "../core/clock.js";
import { ConfigError } from "../core/errors.js";
import type { Logger } from "../core/logger.js";
import { type App, type AppOptions, createApp } from "./app.js";
import { MAX_MESSAGE_BYTES, mediaSocket } from "./media-socket.js";

export interface ServerOptions extends Omit<AppOptions, "publicUrl"> {
  /** Default 8000; 0 takes a free one. */
  readonly port?: number;
  /** The address to listen on. Default `127.0.0.1`: reachable from this machine only. */
  readonly host?: string;
  /** Where carriers and browsers reach the server, when that is not its own address: a tunnel, a proxy. */
  readonly publicUrl?: string;
  /** Ends the start, while the carriers are made ready. */
  readonly signal?: AbortSignal;
}

/** A listening server. */
export interface Server extends AsyncDisposable {
  readonly port: number;
  /** Its own address, such as `http://127.0.0.1:8000`; no trailing slash. */
  readonly url: string;
  /** Places a call. @throws ConfigError when no carrier can, and what the carrier throws. */
  dial(request: DialRequest): Promise<Dialling>;
  /** Resolves when every call that a carrier has answered was handed over, or has come to nothing. */
  settled(): Promise<void>;
  /** Refuses new connections, closes the sockets of running calls and resolves when all are gone. */
  close(): Promise<void>;
}

const DEFAULT_PORT = 8000;
const DEFAULT_HOST = "127.0.0.1";
/** How long peers have for their half of a closing handshake, in ms. */
const CLOSE_GRACE_MS = 1000;
/** A request's headers and its whole must have arrived by then, in ms. */
const HEADERS_TIMEOUT_MS = 10_000;
const REQUEST_TIMEOUT_MS = 30_000;

/**
 * Serves carriers over HTTP and WebSockets. Resolves when it listens and every carrier is ready for calls.
 * Throws `ConfigError` when the port or host cannot be listened on, and what a carrier throws that cannot be made ready.
 */
export async function startServer(options: ServerOptions): Promise<Server> {
  const host = options.host ?? DEFAULT_HOST;
  const port = checkedPort(options.port ?? DEFAULT_PORT);
  const [{ createServer }, { getRequestListener }, { WebSocketServer: SocketServer }] = await Promise.all([
    import("node:http"),
    import("@hono/node-server"),
    import("ws"),
  ]);

  const http = createServer({ headersTimeout: HEADERS_TIMEOUT_MS, requestTimeout: REQUEST_TIMEOUT_MS });
  const address = (): AddressInfo => http.address() as AddressInfo;
  const ownUrl = (): string => `http://${urlHost(host)}:${address().port}`;
  const publicUrl = options.publicUrl?.replace(/\/+$/, "");
  const app = await createApp({ ...options, publicUrl: () => publicUrl ?? ownUrl() });
  const sockets = new SocketServer({
    noServer: true,
    maxPayload: MAX_MESSAGE_BYTES,
    perMessageDeflate: false,
  });

  // Without `false` the adapter would replace the global Request and Response of the whole process.
  const answer = getRequestListener(app.fetch, { overrideGlobalObjects: false });
  http.on("request", (request, response) => void answer(request, response));
  http.on("upgrade", (request, socket, head) => acceptUpgrade({ request, socket, head, app, sockets, options }));
  await listen(http, port, host);

  const bound = { port: address().port, url: ownUrl() };
  const closeHttp = (): Promise<void> => closeServer(http, sockets, options.clock);
  const carriers = await openCarriers(app, options.signal, closeHttp);
  let closing: Promise<void> | undefined;
  const close = (): Promise<void> => (closing ??= closeHttp().then(() => carriers[Symbol.asyncDispose]()));
  return {
    ...bound,
    dial: (request) => app.dial(request),
    settled: () => carriers.settled(),
    close,
    [Symbol.asyncDispose]: close,
  };
}

/** Has the carriers made ready; where one cannot be, nothing goes on listening. */
async function openCarriers(
  app: App,
  signal: AbortSignal | undefined,
  close: () => Promise<void>,
): Promise<Required<CarrierLine>> {
  try {
    return await app.open(signal ?? new AbortController().signal);
  } catch (error) {
    await close();
    throw error;
  }
}

interface Upgrade {
  readonly request: IncomingMessage;
  readonly socket: Duplex;
  readonly head: Buffer;
  readonly app: App;
  readonly sockets: WebSocketServer;
  readonly options: ServerOptions;
}

/** Lets the carriers decide on an upgrade, and only then answers 101. */
function acceptUpgrade({ request, socket, head, app, sockets, options }: Upgrade): void {
  socket.on("error", (error) => options.logger.debug({ err: error }, "connection failed"));
  const parsed = upgradeRequest(request);
  if (parsed === undefined) {
    refuse(socket, 400, "not a WebSocket request");
    return;
  }
  const decision = decide(app, parsed, options.logger);
  if (!decision.accepted) {
    options.logger.warn({ status: decision.status, reason: decision.reason }, "socket refused");
    refuse(socket, decision.status, decision.reason);
    return;
  }
  sockets.handleUpgrade(request, socket, head, (webSocket) => {
    try {
      decision.run(mediaSocket(webSocket, options));
    } catch (error) {
      options.logger.error({ err: error }, "call not started");
      webSocket.close(1011, "the server failed");
    }
  });
}

function decide(app: App, request: Request, logger: Logger): SocketDecision {
  try {
    return app.upgrade(request) ?? { accepted: false, status: 404, reason: "no calls are taken at this path" };
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

function refuse(socket: Duplex, status: number, reason: string): void {
  const body = JSON.stringify({ error: "socket_refused", message: reason });
  socket.once("finish", () => socket.destroy());
  socket.end(
    `HTTP/1.1 ${status} Refused\r\nContent-Type: application/json\r\nContent-Length: ${Buffer.byteLength(body)}\r\nConnection: close\r\n\r\n${body}`,
  );
}

function checkedPort(port: number): number {
  if (Number.isInteger(port) && port >= 0 && port <= 65_535) return port;
  throw new ConfigError(`A port must be a whole number from 0 to 65535, not ${port}; 0 takes a free one.`);
}

function listen(http: HttpServer, port: number, host: string): Promise<void> {
  return new Promise((resolve, reject) => {
    const onError = (error: NodeJS.ErrnoException): void => reject(listenError(error, port, host));
    http.once("error", onError);
    http.listen(port, host, () => {
      http.off("error", onError);
      resolve();
    });
  });
}

function listenError(error: NodeJS.ErrnoException, port: number, host: string): Error {
  switch (error.code) {
    case "EADDRINUSE":
      return new ConfigError(
        `Port ${port} on ${host} is in use by another program: stop that program, or choose another port, such as ${port + 1}; 0 takes a free one.`,
        { cause: error },
      );
    case "EACCES":
      return new ConfigError(`No permission to listen on port ${port} of ${host}: choose a port above 1023.`, { cause: error });
    case "EADDRNOTAVAIL":
    case "ENOTFOUND":
      return new ConfigError(`This machine has no address ${host}: listen on 127.0.0.1, or on 0.0.0.0 for every address.`, {
        cause: error,
      });
    default:
      return error;
  }
}

/**
 * How the listening address is written in a URL; a wildcard becomes the loopback address.
 * Not `localhost`: that may mean `::1`, where another program can have the same port.
 */
function urlHost(host: string): string {
  if (host === "0.0.0.0") return "127.0.0.1";
  if (host === "::") return "[::1]";
  return host.includes(":") ? `[${host}]` : host;
}

async function closeServer(http: HttpServer, sockets: WebSocketServer, clock: Clock): Promise<void> {
  const closed = Promise.all([
    new Promise<void>((resolve) => {
      http.close(() => resolve());
    }),
    new Promise<void>((resolve) => {
      sockets.close(() => resolve());
    }),
  ]);
  for (const webSocket of sockets.clients) {
    webSocket.resume();
    webSocket.close(1001, "the server stopped");
  }
  http.closeIdleConnections();
  const grace = clock.setTimer(CLOSE_GRACE_MS, () => {
    for (const webSocket of sockets.clients) webSocket.terminate();
    http.closeAllConnections();
  });
  await closed;
  grace[Symbol.dispose]();
}
