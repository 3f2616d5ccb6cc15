import type { IncomingMessage } from "node:http";
import type { RawData, WebSocket } from "ws";
import type { Clock } from "../core/clock.js";
import { ProtocolError, type ProviderError, ProviderTimeoutError } from "../core/errors.js";
import { AsyncQueue } from "../core/queue.js";
import { type Deferred, deferred, onAbort } from "../core/signals.js";
import {
  connectionError,
  type ProviderIdentity,
  requestedWaitMs,
  type VendorFailure,
  vendorError,
  vendorMessage,
} from "./http-errors.js";

const CONNECT_TIMEOUT_MS = 3000;
/** Silence after which the vendor is asked whether it is there, and how long it may take to answer. */
const PING_AFTER_MS = 3000;
const PONG_TIMEOUT_MS = 2000;
/** How long the vendor may take to close its side. */
const CLOSE_TIMEOUT_MS = 1000;
/** Unsent bytes at which the vendor counts as gone: two minutes of telephone audio. */
const MAX_BUFFERED_BYTES = 1024 * 1024;
const MAX_MESSAGE_BYTES = 16 * 1024 * 1024;
const MAX_REFUSAL_BYTES = 65_536;
/** Messages waiting for their reader at which reading from the network stops, and goes on. */
const PAUSE_AT_MESSAGES = 256;
const RESUME_AT_MESSAGES = 64;

/** What a vendor's closing frame said. */
export interface SocketClose {
  readonly code: number;
  readonly reason: string;
}

/** A vendor's socket, open until either side closes it. */
export interface VendorSocket extends AsyncDisposable {
  /**
   * Text frames as strings, binary frames as bytes. Iterate it once. It ends when the socket is closed in order, and throws
   * a `ProviderError` when the connection breaks, when the vendor answers no ping, or when it takes no more data.
   */
  readonly messages: AsyncIterable<string | Uint8Array>;
  /** The vendor's closing frame, once it has come. */
  readonly closed: SocketClose | undefined;
  /** Bytes accepted by `send` that have not left the process. At 1 MiB the socket fails. */
  readonly bufferedBytes: number;
  /** Never blocks and never throws; after the end it does nothing. Bytes are copied. */
  send(message: string | Uint8Array): void;
  /** Begins to close; what the vendor still sends is received. After 1 s without its answer the connection is dropped. */
  close(code?: number, reason?: string): void;
}

/** How a vendor refused a handshake. */
export interface Refusal {
  readonly status: number;
  /** Cut at 64 KiB. */
  readonly body: string;
  /** A header's value; `name` in lower case. */
  header(name: string): string | undefined;
}

export interface VendorSocketOptions {
  readonly identity: ProviderIdentity;
  /** Begins with `wss://` or `ws://`. */
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly clock: Clock;
  /** Ends the connecting with its reason; of an open socket it ends the messages and closes it. */
  readonly signal: AbortSignal;
  /** Reads what the vendor's refusal says. Default: the error bodies that `vendorMessage` knows. */
  readonly readRefusal?: (refusal: Refusal) => Omit<VendorFailure, "status">;
}

/** Loads what sockets need, so that the first one of a call is not late. */
export async function prepareSockets(): Promise<void> {
  await import("ws");
}

/**
 * Opens a vendor's socket within 3 s. Loads `ws`.
 * @throws ProviderError of the class that the status of a refused handshake stands for; ProviderTimeoutError after 3 s.
 */
export async function connectSocket(options: VendorSocketOptions): Promise<VendorSocket> {
  const { WebSocket } = await import("ws");
  options.signal.throwIfAborted();
  const { url, headers } = options;
  const webSocket = new WebSocket(url, {
    headers: { ...headers },
    perMessageDeflate: false,
    maxPayload: MAX_MESSAGE_BYTES,
  });
  const socket = new WsSocket(webSocket, options);
  await socket.opened();
  return socket;
}

class WsSocket implements VendorSocket {
  readonly #webSocket: WebSocket;
  readonly #options: VendorSocketOptions;
  readonly #origin: string;
  readonly #queue = new AsyncQueue<string | Uint8Array>();
  readonly #opening = deferred();
  readonly #gone: Deferred<void> = deferred();
  readonly messages: AsyncIterable<string | Uint8Array>;
  #closed: SocketClose | undefined;
  #heardMs: number;
  #timer: Disposable | undefined;

  constructor(webSocket: WebSocket, options: VendorSocketOptions) {
    this.#webSocket = webSocket;
    this.#options = options;
    this.#origin = new URL(options.url).origin;
    this.#heardMs = options.clock.now();
    this.messages = this.#read();
    // All from the start: a vendor's first message can come together with its handshake.
    webSocket.on("open", () => this.#opening.resolve());
    webSocket.on("unexpected-response", (_request, response) => void this.#refuse(response));
    webSocket.on("message", (data, isBinary) => this.#receive(data, isBinary));
    webSocket.on("pong", () => this.#hear());
    webSocket.on("ping", () => this.#hear());
    webSocket.on("error", (error) => this.#fail(this.#explain(error)));
    webSocket.on("close", (code, reason) => this.#end(code, reason.toString()));
  }

  /** Resolves when messages can be sent; otherwise the connection is dropped and it rejects. */
  async opened(): Promise<void> {
    const { clock, signal, identity } = this.#options;
    const abort = onAbort(signal, () => this.#abort(signal.reason));
    void this.#gone.promise.then(() => abort[Symbol.dispose]());
    this.#timer = clock.setTimer(CONNECT_TIMEOUT_MS, () => {
      const message = `${identity.className} got no socket from ${this.#origin} within ${CONNECT_TIMEOUT_MS} ms. Check the network or { baseUrl }.`;
      this.#fail(new ProviderTimeoutError(message, { provider: identity.provider }));
    });
    await this.#opening.promise;
    // The vendor may have closed it in the same moment.
    if (this.#webSocket.readyState !== this.#webSocket.OPEN) return;
    this.#timer[Symbol.dispose]();
    this.#hear();
    this.#watch(PING_AFTER_MS);
  }

  get closed(): SocketClose | undefined {
    return this.#closed;
  }

  get bufferedBytes(): number {
    return this.#webSocket.bufferedAmount;
  }

  send(message: string | Uint8Array): void {
    if (this.#webSocket.readyState !== this.#webSocket.OPEN) return;
    if (this.#webSocket.bufferedAmount <= MAX_BUFFERED_BYTES) {
      this.#webSocket.send(message);
      return;
    }
    this.#fail(this.#timeout(`takes no more data: ${this.#webSocket.bufferedAmount} bytes are waiting`));
  }

  close(code = 1000, reason = ""): void {
    if (this.#webSocket.readyState !== this.#webSocket.OPEN) return;
    // A paused socket would never read the vendor's half of the closing handshake.
    this.#webSocket.resume();
    this.#webSocket.close(code, reason);
    this.#timer?.[Symbol.dispose]();
    this.#timer = this.#options.clock.setTimer(CLOSE_TIMEOUT_MS, () => this.#webSocket.terminate());
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#queue.end();
    this.close();
    await this.#gone.promise;
  }

  async *#read(): AsyncGenerator<string | Uint8Array> {
    try {
      for await (const message of this.#queue) {
        if (this.#webSocket.isPaused && this.#queue.size <= RESUME_AT_MESSAGES) this.#webSocket.resume();
        yield message;
      }
    } finally {
      this.#webSocket.resume();
    }
  }

  #receive(data: RawData, isBinary: boolean): void {
    this.#hear();
    // One buffer, as ws gives it unless told otherwise.
    const buffer = data as Buffer;
    this.#queue.push(isBinary ? new Uint8Array(buffer.buffer, buffer.byteOffset, buffer.byteLength) : buffer.toString("utf8"));
    if (this.#queue.size >= PAUSE_AT_MESSAGES && !this.#queue.ended) this.#webSocket.pause();
  }

  #hear(): void {
    this.#heardMs = this.#options.clock.now();
  }

  /** Asks a silent vendor whether it is there: a connection that is open at one end only reports nothing itself. */
  #watch(delayMs: number, pingedMs?: number): void {
    const { clock } = this.#options;
    this.#timer = clock.setTimer(delayMs, () => {
      // Nothing can be heard from a socket that we ourselves do not read.
      if (this.#webSocket.isPaused) this.#hear();
      const silentMs = clock.now() - this.#heardMs;
      if (silentMs < PING_AFTER_MS) this.#watch(PING_AFTER_MS - silentMs);
      else if (pingedMs === undefined || this.#heardMs > pingedMs) {
        this.#webSocket.ping();
        this.#watch(PONG_TIMEOUT_MS, clock.now());
      } else this.#fail(this.#timeout(`has been silent for ${Math.round(silentMs)} ms and answers no ping`));
    });
  }

  #timeout(what: string): ProviderTimeoutError {
    const { className, provider } = this.#options.identity;
    return new ProviderTimeoutError(`${className} dropped its socket: ${this.#origin} ${what}. Check the network.`, { provider });
  }

  #explain(error: Error & { readonly code?: unknown }): ProviderError {
    const { identity } = this.#options;
    if (typeof error.code !== "string" || !error.code.startsWith("WS_ERR")) return connectionError(identity, this.#origin, error);
    return new ProtocolError(
      `${identity.className} received from ${this.#origin} what no WebSocket may send (${error.message}). Check { baseUrl }.`,
      { provider: identity.provider, cause: error, retryable: true },
    );
  }

  async #refuse(response: IncomingMessage): Promise<void> {
    const { clock, identity, readRefusal = ({ body }) => vendorMessage(body) } = this.#options;
    const status = response.statusCode ?? 0;
    const header = (name: string): string | undefined => response.headers[name]?.toString();
    const body = await readBody(response);
    const failure = readRefusal({ status, body, header });
    this.#fail(vendorError(identity, { status, retryAfterMs: requestedWaitMs({ header }, clock), ...failure }));
  }

  /** The first failure is told to who waits; what breaks in consequence is not. */
  #fail(error: unknown): void {
    this.#opening.reject(error);
    this.#queue.fail(error);
    this.#webSocket.terminate();
  }

  #abort(reason: unknown): void {
    this.#opening.reject(reason);
    this.#queue.end();
    if (this.#webSocket.readyState === this.#webSocket.OPEN) this.close();
    else this.#webSocket.terminate();
  }

  #end(code: number, reason: string): void {
    this.#timer?.[Symbol.dispose]();
    this.#gone.resolve();
    const { identity } = this.#options;
    // 1006 stands for a connection that ended without a closing frame.
    if (code === 1006) this.#fail(connectionError(identity, this.#origin, new Error("it closed without a closing frame")));
    else this.#closed = { code, reason };
    this.#queue.end();
  }
}

/** The body's text, cut at 64 KiB, as far as it came. */
async function readBody(response: IncomingMessage): Promise<string> {
  const parts: Buffer[] = [];
  let size = 0;
  try {
    for await (const part of response as AsyncIterable<Buffer>) {
      parts.push(part);
      size += part.length;
      if (size >= MAX_REFUSAL_BYTES) break;
    }
  } catch {
    // The status alone says enough.
  }
  return Buffer.concat(parts).toString("utf8", 0, Math.min(size, MAX_REFUSAL_BYTES));
}
