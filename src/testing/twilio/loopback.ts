import { Agent, request as httpRequest } from "node:http";
import type { WebSocket } from "ws";
import { AsyncQueue } from "../../core/queue.js";
import { onAbort } from "../../core/signals.js";
import {
  type TwilioHttpRequest,
  type TwilioHttpResponse,
  type TwilioNetwork,
  type TwilioSocket,
  TwilioUpgradeError,
} from "./network.js";

/** What a tunnel or proxy tells the program behind it of the caller: an address reserved for documentation. */
const PROXIED_FOR = "203.0.113.1";

/** Real sockets to programs on this machine, and to no other. Public addresses lead where their route says. */
export class LoopbackNetwork implements TwilioNetwork {
  readonly #agent = new Agent({ keepAlive: true });
  readonly #sockets = new Set<WebSocket>();
  readonly #routes = new Map<string, string>();

  /** Leads every request for a public origin to a local one, as a tunnel does. */
  route(publicUrl: string, localUrl: string): void {
    this.#routes.set(new URL(publicUrl).host, new URL(localUrl).host);
  }

  request(request: TwilioHttpRequest, signal: AbortSignal): Promise<TwilioHttpResponse> {
    return new Promise((resolve, reject) => {
      const { local, headers } = this.#locate(request.url);
      const sent = httpRequest(
        local,
        { method: request.method, agent: this.#agent, signal, headers: { ...request.headers, ...headers } },
        (response) => {
          const parts: Buffer[] = [];
          response.on("data", (part: Buffer) => parts.push(part));
          response.on("error", reject);
          response.on("end", () =>
            resolve({
              status: response.statusCode ?? 0,
              contentType: response.headers["content-type"] ?? "",
              body: Buffer.concat(parts).toString("utf8"),
            }),
          );
        },
      );
      sent.on("error", reject);
      sent.end(request.body);
    });
  }

  async connect(url: string, headers: Readonly<Record<string, string>>, signal: AbortSignal): Promise<TwilioSocket> {
    const { WebSocket } = await import("ws");
    const { local, headers: proxied } = this.#locate(url.replace(/^ws/, "http"));
    signal.throwIfAborted();
    const socket = new WebSocket(local.replace(/^http/, "ws"), {
      headers: { ...headers, ...proxied },
      perMessageDeflate: false,
    });
    this.#sockets.add(socket);
    socket.once("close", () => this.#sockets.delete(socket));
    const opened = twilioSocket(socket);
    const abort = onAbort(signal, () => socket.terminate());
    try {
      await new Promise<void>((resolve, reject) => {
        socket.once("open", resolve);
        socket.on("error", reject);
        socket.once("unexpected-response", (_request, response) => {
          response.resume();
          reject(new TwilioUpgradeError(response.statusCode ?? 0, response.statusMessage ?? ""));
          socket.terminate();
        });
      });
    } finally {
      abort[Symbol.dispose]();
    }
    return opened;
  }

  /** Breaks whatever is still open. */
  close(): void {
    for (const socket of this.#sockets) socket.terminate();
    this.#agent.destroy();
  }

  #locate(publicUrl: string): { readonly local: string; readonly headers: Record<string, string> } {
    const url = new URL(publicUrl);
    const { host, hostname, protocol } = url;
    const routed = this.#routes.get(host);
    if (routed !== undefined) {
      url.protocol = "http:";
      url.host = routed;
      const headers = {
        host,
        "x-forwarded-host": host,
        "x-forwarded-proto": protocol.slice(0, -1),
        "x-forwarded-for": PROXIED_FOR,
      };
      return { local: url.href, headers };
    }
    if (["127.0.0.1", "localhost", "[::1]"].includes(hostname)) {
      // TwiML names a media socket by wss:// even where nothing in front of the program ends TLS.
      url.protocol = "http:";
      return { local: url.href, headers: {} };
    }
    throw new Error(
      `TwilioEmulator reaches this machine only, not ${url.origin}: call emulator.route("${url.origin}", localUrl).`,
    );
  }
}

function twilioSocket(socket: WebSocket): TwilioSocket {
  const messages = new AsyncQueue<string | Uint8Array>();
  socket.on("message", (data: Buffer, isBinary: boolean) => messages.push(isBinary ? data : data.toString("utf8")));
  socket.on("close", () => messages.end());
  return {
    messages,
    get bufferedBytes() {
      return socket.bufferedAmount;
    },
    send(message) {
      if (socket.readyState === socket.OPEN) socket.send(message);
    },
    close(code, reason) {
      // A stalled socket would never read the other half of the closing handshake.
      socket.resume();
      socket.close(code, reason);
    },
    stall(isStalled) {
      if (isStalled) socket.pause();
      else socket.resume();
    },
    drop: () => socket.terminate(),
  };
}
