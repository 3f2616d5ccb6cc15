import type { Clock } from "../core/clock.js";
import type { ProviderError } from "../core/errors.js";
import { ChildController } from "../core/signals.js";
import type { TtsConnection, TtsOpenOptions, TtsStream } from "../core/tts.js";
import type { ProviderIdentity } from "./http-errors.js";
import type { CharacterTimes } from "./spoken-text.js";
import { connectSocket, type Refusal, type SocketClose, type VendorSocketOptions } from "./websocket.js";
import { type ContextReceiver, TtsLine } from "./websocket-tts-line.js";
import { ContextStream } from "./websocket-tts-stream.js";

/** How long a reply waits for a place among the contexts before it is given a socket of its own. */
const ROOM_MS = 300;
/** So many sockets are looked at for a place. */
const LINES_TRIED = 3;
/** A socket that the vendor closed sooner than this is not opened again until somebody speaks. */
const SHORTEST_LIFE_MS = 5000;

/** What a message of the vendor means. */
export type ContextMessage =
  | {
      readonly type: "speech";
      readonly context: string;
      readonly bytes?: Uint8Array;
      /** When characters are spoken, since the message's first sample; the same stretch told in several ways, best first. */
      readonly times?: readonly CharacterTimes[];
    }
  /** Nothing more comes of this context. */
  | { readonly type: "final"; readonly context: string }
  /** Of one context, or of the whole socket, which is then closed. */
  | { readonly type: "error"; readonly context?: string; readonly error: ProviderError }
  | { readonly type: "other" };

/** How a vendor speaks several texts over one socket, each in a context of its own. */
export interface ContextDialect {
  readonly identity: ProviderIdentity;
  /** How many contexts may be open at once, those included that only finish speaking. */
  readonly maxContexts: number;
  /** How often an idle context must be kept alive, in ms. */
  readonly keepAliveMs: number;
  /** Whether text is sent as it is written, and not only when it is flushed. */
  readonly sendsPieces: boolean;
  connect(signal: AbortSignal, clock: Clock): Promise<Pick<VendorSocketOptions, "url" | "headers">>;
  /** What a refused handshake says. */
  readRefusal: NonNullable<VendorSocketOptions["readRefusal"]>;
  /** Says more about the error of a refused handshake. */
  explain(error: ProviderError): ProviderError;
  begin(context: string): string;
  write(context: string, text: string, flushes: boolean): string;
  keepAlive(context: string): string;
  /** No more text will come; what was flushed is still spoken. */
  end(context: string): string;
  /** Nothing more of it is wanted. */
  cancel(context: string): string;
  /** @throws ProtocolError for what is none of the vendor's messages. */
  decode(message: string | Uint8Array): ContextMessage;
  /** The error for a socket that the vendor closed without naming one. */
  closed(close: SocketClose | undefined): ProviderError;
}

/**
 * One call's socket for several replies, one after another and the next while the last one is still finishing.
 *
 * The socket is opened with the connection, and the next reply's context right after the last one, so that a reply's first
 * text is the first message it waits for; both are kept alive. A reply that is aborted closes its context at once. A context
 * counts until the vendor has said that it is over. When all places are taken for 300 ms, the socket is replaced.
 *
 * A socket that breaks between two replies is opened again; one that breaks in a reply before its audio is replaced and the
 * text sent again, once; after that the reply fails with a `ProviderError`, its audio and words so far stay with the caller,
 * and the next reply gets a new socket. A reply that owes audio and is sent none for 4 s fails with a `ProviderTimeoutError`.
 */
export class WebSocketTtsConnection implements TtsConnection {
  readonly #dialect: ContextDialect;
  readonly #options: TtsOpenOptions;
  readonly #controller: ChildController;
  readonly #lines = new Set<TtsLine>();
  #opening: Promise<TtsLine> | undefined;
  #line: TtsLine | undefined;

  constructor(dialect: ContextDialect, options: TtsOpenOptions) {
    this.#dialect = dialect;
    this.#options = options;
    this.#controller = new ChildController(options.signal);
    this.#warm();
  }

  /** Contexts that are open now, on all sockets, those that only finish speaking included. */
  get liveContexts(): number {
    return [...this.#lines].reduce((sum, line) => sum + line.liveContexts, 0);
  }

  speak({ signal }: { readonly signal: AbortSignal }): TtsStream {
    const { format, clock } = this.#options;
    return new ContextStream({
      dialect: this.#dialect,
      format,
      clock,
      signals: [this.#controller.signal, signal],
      take: (receiver) => this.#take(receiver),
      retire: (line) => this.#retire(line),
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    // An abort empties the set at once; the sockets are closed a moment later.
    const lines = [...this.#lines];
    this.#controller.abort(new DOMException("The connection was closed.", "AbortError"));
    await this.#opening?.catch(() => {});
    await Promise.all(lines.map((line) => line[Symbol.asyncDispose]()));
  }

  /** Gives a reply a context. Rejects with a `ProviderError` when there is no socket to be had. */
  async #take(receiver: ContextReceiver): Promise<{ readonly line: TtsLine; readonly context: string }> {
    for (let tried = 0; tried < LINES_TRIED; tried++) {
      const line = await this.#open();
      // Another reply may have taken the place that came free.
      if (!line.hasRoom) await line.room(ROOM_MS);
      if (line.hasRoom) return { line, context: line.take(receiver) };
      if (!line.isOver) this.#retire(line);
    }
    throw this.#dialect.closed(undefined);
  }

  async #open(): Promise<TtsLine> {
    this.#controller.signal.throwIfAborted();
    if (this.#line !== undefined) return this.#line;
    this.#opening ??= this.#connect().finally(() => {
      this.#opening = undefined;
    });
    return await this.#opening;
  }

  async #connect(): Promise<TtsLine> {
    const dialect = this.#dialect;
    const { clock } = this.#options;
    const { signal } = this.#controller;
    const { url, headers } = await dialect.connect(signal, clock);
    const readRefusal = (refusal: Refusal) => dialect.readRefusal(refusal);
    const socket = await connectSocket({ identity: dialect.identity, url, headers, clock, signal, readRefusal });
    const openedMs = clock.now();
    const line = new TtsLine({ dialect, socket, clock, onOver: () => this.#over(line, openedMs) });
    this.#line = line;
    this.#lines.add(line);
    return line;
  }

  /** Opens the socket before it is needed. What fails is found again by the reply that needs it. */
  #warm(): void {
    this.#open().catch(() => {});
  }

  #over(line: TtsLine, openedMs: number): void {
    this.#lines.delete(line);
    if (this.#line !== line) return;
    this.#line = undefined;
    const livedMs = this.#options.clock.now() - openedMs;
    if (livedMs >= SHORTEST_LIFE_MS && !this.#controller.signal.aborted) this.#warm();
  }

  /** Gives no more replies to this socket. */
  #retire(line: TtsLine): void {
    if (this.#line === line) this.#line = undefined;
    line.retire();
  }
}
