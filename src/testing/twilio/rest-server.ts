import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import type { RestRequest, RestResponse } from "./rest-response.js";

/** Answers a request; `undefined` breaks its connection. The signal aborts when the client has left. */
export type RestHandler = (request: RestRequest, left: AbortSignal) => Promise<RestResponse | undefined>;

/** The REST API on a free port of the loopback interface. */
export class RestServer implements AsyncDisposable {
  readonly #server: Server;

  private constructor(server: Server) {
    this.#server = server;
  }

  static async start(handle: RestHandler): Promise<RestServer> {
    const server = createServer((request, response) => void answer(request, response, handle));
    await new Promise<void>((resolve, reject) => {
      server.once("error", reject);
      server.listen(0, "127.0.0.1", resolve);
    });
    return new RestServer(server);
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const closed = new Promise((resolve) => {
      this.#server.close(resolve);
    });
    this.#server.closeAllConnections();
    await closed;
  }
}

async function answer(incoming: IncomingMessage, outgoing: ServerResponse, handle: RestHandler): Promise<void> {
  const left = new AbortController();
  outgoing.once("close", () => left.abort());
  const parts: Buffer[] = [];
  try {
    for await (const part of incoming as AsyncIterable<Buffer>) parts.push(part);
  } catch {
    // Its connection broke: there is nobody to answer.
    return;
  }
  const headers = Object.fromEntries(Object.entries(incoming.headers).map(([name, value]) => [name, String(value)]));
  const request = {
    method: incoming.method ?? "",
    path: incoming.url ?? "",
    headers,
    body: Buffer.concat(parts).toString("utf8"),
  };
  const response = await handle(request, left.signal);
  if (response === undefined) {
    outgoing.destroy();
    return;
  }
  const { type, bytes } = encodeBody(response);
  outgoing.writeHead(response.status, { "content-type": type, ...response.headers });
  outgoing.end(bytes);
}

/** A response's body as it is sent. */
export function encodeBody({ body }: RestResponse): { readonly type: string; readonly bytes: Uint8Array } {
  if (body instanceof Uint8Array) return { type: "application/octet-stream", bytes: body };
  return { type: "application/json", bytes: Buffer.from(body === undefined ? "" : JSON.stringify(body)) };
}
