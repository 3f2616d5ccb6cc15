import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { type WebSocket, WebSocketServer } from "ws";
import type { Carrier, CarrierHost, MediaSocket } from "../../src/core/carrier.js";
import { AsyncQueue } from "../../src/core/queue.js";

/** A carrier behind a plain server of Node's on a free port, which believes what a proxy says of the public address. */
export async function serve(
  carrier: Carrier,
): Promise<AsyncDisposable & { readonly url: string; readonly sockets: Set<WebSocket> }> {
  const host = {} as CarrierHost;
  const sockets = new WebSocketServer({ noServer: true });
  const server = createServer((incoming, outgoing) => {
    const respond = async (): Promise<void> => {
      const parts: Buffer[] = [];
      for await (const part of incoming as AsyncIterable<Buffer>) parts.push(part);
      const body = incoming.method === "POST" ? { body: Buffer.concat(parts) } : {};
      const request = new Request(publicUrl(incoming.headers, incoming.url), {
        method: incoming.method ?? "GET",
        headers: incoming.headers as Record<string, string>,
        ...body,
      });
      const response = await carrier.handle(request, host);
      outgoing.writeHead(response?.status ?? 404, Object.fromEntries(response?.headers ?? []));
      outgoing.end(await response?.text());
    };
    void respond();
  });
  server.on("upgrade", (incoming, socket, head) => {
    const headers = incoming.headers as Record<string, string>;
    const decision = carrier.upgrade(new Request(publicUrl(headers, incoming.url), { headers }), host);
    if (decision?.accepted !== true) {
      socket.end(`HTTP/1.1 ${decision?.status ?? 404} ${decision?.reason ?? "Not Found"}\r\nconnection: close\r\n\r\n`);
      return;
    }
    sockets.handleUpgrade(incoming, socket, head, (webSocket) => decision.run(mediaSocket(webSocket)));
  });
  await new Promise<void>((resolve) => {
    server.listen(0, "127.0.0.1", resolve);
  });
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    sockets: sockets.clients,
    async [Symbol.asyncDispose]() {
      for (const client of sockets.clients) client.terminate();
      server.closeAllConnections();
      await new Promise((resolve) => {
        server.close(resolve);
      });
    },
  };
}

function publicUrl(headers: Readonly<Record<string, string | string[] | undefined>>, path = "/"): string {
  return `${String(headers["x-forwarded-proto"] ?? "http")}://${String(headers["host"])}${path}`;
}

function mediaSocket(socket: WebSocket): MediaSocket {
  const messages = new AsyncQueue<string | Uint8Array>();
  socket.on("message", (data: Buffer, isBinary: boolean) => messages.push(isBinary ? data : data.toString("utf8")));
  socket.on("close", () => messages.end());
  return {
    messages,
    get bufferedBytes() {
      return socket.bufferedAmount;
    },
    send: (message) => socket.send(message),
    close: (code, reason) => socket.close(code, reason),
  };
}
