import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { createSecureServer, constants, type Http2ServerRequest, Http2ServerResponse } from "node:http2";
import type { AddressInfo, Socket } from "node:net";
import { CERTIFICATE } from "./certificate.js";
import type { IncomingRequest, ResponseSink } from "./exchange.js";

/** A body beyond this is not kept, only seen to be too long. */
const MAX_KEPT_BYTES = 33 * 1024 * 1024;

export interface HttpServerOptions {
  /** TLS, with the client's choice of HTTP/2 and HTTP/1.1; else plain HTTP/1.1. */
  readonly http2: boolean;
  /** Answers a request. */
  readonly handle: (request: IncomingRequest, sink: ResponseSink) => void;
}

/** The handler on a free port of the loopback interface. */
export class HttpServer implements AsyncDisposable {
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  readonly #scheme: string;
  #connections = 0;

  private constructor(server: Server, scheme: string) {
    this.#server = server;
    this.#scheme = scheme;
    server.on(scheme === "https" ? "secureConnection" : "connection", (socket: Socket) => {
      this.#connections++;
      this.#sockets.add(socket);
      socket.on("close", () => this.#sockets.delete(socket));
      // A client that breaks its connection is no fault of the server's.
      socket.on("error", () => {});
    });
  }

  static async start({ http2, handle }: HttpServerOptions): Promise<HttpServer> {
    const onRequest = (request: IncomingMessage | Http2ServerRequest, response: ServerResponse | Http2ServerResponse): void => {
      void readBody(request).then((bodyText) => {
        if (bodyText !== undefined) handle(incoming(request, bodyText), new HttpSink(response));
      });
    };
    // The two servers differ in types only: both are a TCP server with the same events.
    const server = (
      http2
        ? createSecureServer({ ...CERTIFICATE, allowHTTP1: true }, onRequest)
        : createServer({ keepAliveTimeout: 0 }, onRequest)
    ) as Server;
    const started = new HttpServer(server, http2 ? "https" : "http");
    await new Promise<void>((resolve, reject) => {
      server.on("error", reject);
      server.listen(0, "127.0.0.1", resolve);
    });
    return started;
  }

  get url(): string {
    return `${this.#scheme}://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  /** Connections accepted so far. */
  get connections(): number {
    return this.#connections;
  }

  /** Breaks every open connection. */
  dropConnections(): void {
    for (const socket of this.#sockets) socket.destroy();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const closed = new Promise<void>((resolve) => {
      this.#server.close(() => resolve());
    });
    this.dropConnections();
    await closed;
  }
}

function incoming(request: IncomingMessage | Http2ServerRequest, bodyText: string): IncomingRequest {
  const headers: Record<string, string> = {};
  for (const [name, value] of Object.entries(request.headers)) {
    if (value !== undefined && !name.startsWith(":")) headers[name] = Array.isArray(value) ? value.join(", ") : value;
  }
  const protocol = request.httpVersionMajor === 2 ? "HTTP/2" : "HTTP/1.1";
  return { method: request.method ?? "", path: request.url ?? "", headers, bodyText, protocol };
}

/** The whole body, or undefined when the client leaves before its end. */
async function readBody(request: IncomingMessage | Http2ServerRequest): Promise<string | undefined> {
  const parts: Buffer[] = [];
  let bytes = 0;
  try {
    for await (const part of request as AsyncIterable<Buffer>) {
      bytes += part.length;
      if (bytes <= MAX_KEPT_BYTES) parts.push(part);
    }
  } catch {
    // Its connection broke: there is nobody to answer.
    return undefined;
  }
  return Buffer.concat(parts).toString("utf8");
}

class HttpSink implements ResponseSink {
  readonly #response: ServerResponse | Http2ServerResponse;
  readonly #left = new AbortController();
  #isEnded = false;

  constructor(response: ServerResponse | Http2ServerResponse) {
    this.#response = response;
    response.on("close", () => {
      if (!this.#isEnded) this.#left.abort();
    });
    response.on("error", () => this.#left.abort());
  }

  get left(): AbortSignal {
    return this.#left.signal;
  }

  head(status: number, headers: Readonly<Record<string, string>>): void {
    // The two kinds of response differ in the signature of this method only.
    (this.#response as ServerResponse).writeHead(status, { ...headers });
    (this.#response as ServerResponse).flushHeaders();
  }

  write(text: string): void {
    (this.#response as ServerResponse).write(text);
  }

  end(): void {
    this.#isEnded = true;
    this.#response.end();
  }

  reset(): void {
    if (this.#response instanceof Http2ServerResponse) this.#response.stream.close(constants.NGHTTP2_INTERNAL_ERROR);
    else this.#response.socket?.resetAndDestroy();
  }
}
