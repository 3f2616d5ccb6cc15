import type { Server as HttpServer } from "node:http";
import type { AddressInfo } from "node:net";
import type { Clock } from "../core/clock.js";
import { ConfigError } from "../core/errors.js";
import { CLOSE_GRACE_MS, Endpoint, type EndpointOptions, refuseSocket } from "./endpoint.js";

export interface ServerOptions extends Omit<EndpointOptions, "publicUrl"> {
  /** Default 8000; 0 takes a free one. */
  readonly port?: number;
  /** The address to listen on. Default `127.0.0.1`: reachable from this machine only. */
  readonly host?: string;
  /** Where carriers and browsers reach the server, when that is not its own address: a tunnel, a proxy. */
  readonly publicUrl?: string;
}

/** A listening server. */
export interface Server extends AsyncDisposable {
  readonly port: number;
  /** Its own address, such as `http://127.0.0.1:8000`; no trailing slash. */
  readonly url: string;
  /** Its routes and sockets. */
  readonly endpoint: Endpoint;
  /** Refuses new connections, closes the sockets of running calls and resolves when all are gone. */
  close(): Promise<void>;
}

const DEFAULT_PORT = 8000;
const DEFAULT_HOST = "127.0.0.1";
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
  const [{ createServer }, { getRequestListener }] = await Promise.all([import("node:http"), import("@hono/node-server")]);
  const http = createServer({ headersTimeout: HEADERS_TIMEOUT_MS, requestTimeout: REQUEST_TIMEOUT_MS });
  const address = (): AddressInfo => http.address() as AddressInfo;
  const ownUrl = (): string => `http://${urlHost(host)}:${address().port}`;
  const publicUrl = options.publicUrl?.replace(/\/+$/, "");
  const endpoint = await Endpoint.create({ ...options, publicUrl: () => publicUrl ?? ownUrl() });

  // Without `false` the adapter would replace the global Request and Response of the whole process.
  const answer = getRequestListener((request) => endpoint.fetch(request), { overrideGlobalObjects: false });
  http.on("request", (request, response) => void answer(request, response));
  http.on("upgrade", (request, socket, head) => {
    if (!endpoint.handleUpgrade(request, socket, head)) refuseSocket(socket, NO_CALLS);
  });
  await listen(http, port, host);

  const bound = { port: address().port, url: ownUrl() };
  let closing: Promise<void> | undefined;
  const close = (): Promise<void> => (closing ??= closeServer(http, endpoint, options.clock));
  try {
    await endpoint.open();
  } catch (error) {
    await close();
    throw error;
  }
  return { ...bound, endpoint, close, [Symbol.asyncDispose]: close };
}

const NO_CALLS = { status: 404, reason: "no calls are taken at this path" };

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

async function closeServer(http: HttpServer, endpoint: Endpoint, clock: Clock): Promise<void> {
  const closed = new Promise<void>((resolve) => {
    http.close(() => resolve());
  });
  const ended = endpoint.close();
  http.closeIdleConnections();
  const grace = clock.setTimer(CLOSE_GRACE_MS, () => http.closeAllConnections());
  await Promise.all([closed, ended]);
  grace[Symbol.dispose]();
}
