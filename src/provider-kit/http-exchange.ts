import { type Clock, systemClock } from "../core/clock.js";
import { type ProviderError, ProviderTimeoutError } from "../core/errors.js";
import { onAbort } from "../core/signals.js";
import type { HttpRequest, HttpResponse } from "./http.js";
import { connectionError, type ProviderIdentity } from "./http-errors.js";
import type { Lease } from "./http-origin.js";
import { Patience } from "./patience.js";

/** How long the connection may take, the wait for another exchange that opens it included. */
const CONNECT_TIMEOUT_MS = 3000;
/** How long the rest of a body may take to arrive after its reader has seen enough. */
const DISCARD_MS = 500;
/** Bytes kept for a reader that takes its time; above it the sender is paused. */
const MAX_UNREAD_BYTES = 1_048_576;

/** What carries an exchange: told what to do with it. */
export interface Transfer {
  cancel(reason: Error): void;
  pause(): void;
  resume(): void;
}

interface Waiter {
  readonly resolve: (bytes: Uint8Array | undefined) => void;
  readonly reject: (reason: unknown) => void;
}

/**
 * One request and its response: the one place where its deadlines, its abort and its bytes meet.
 * What carries it reports here; its reader waits here.
 */
export class Exchange implements HttpResponse {
  readonly #identity: ProviderIdentity;
  readonly #origin: string;
  readonly #clock: Clock;
  readonly #headersTimeoutMs: number;
  readonly #patience: Patience;
  readonly #abortLink: Disposable | undefined;
  readonly #startedMs: number;
  readonly #onEnd: (exchange: Exchange) => void;
  #isConnecting = false;
  #connectedMs: number | undefined;
  #headersMs: number | undefined;
  #lease: Lease | undefined;
  #transfer: Transfer | undefined;
  #status = 0;
  #header: (name: string) => string | undefined = () => undefined;
  readonly #unread: Uint8Array[] = [];
  #unreadBytes = 0;
  #isPaused = false;
  /** What had come over the connection when the last deadline was set. */
  #arrivalsBefore = 0;
  #isOver = false;
  #failure: { readonly reason: unknown } | undefined;
  #waiter: Waiter | undefined;
  /** Set while the rest of the body is read away: when that is given up. */
  #discardDeadline: Disposable | undefined;

  constructor(identity: ProviderIdentity, origin: string, request: HttpRequest, onEnd: (exchange: Exchange) => void) {
    this.#onEnd = onEnd;
    this.#identity = identity;
    this.#origin = origin;
    this.#clock = request.clock ?? systemClock;
    this.#headersTimeoutMs = request.headersTimeoutMs;
    this.#startedMs = this.#clock.now();
    this.#patience = new Patience(this.#clock, () => this.#timeOut());
    this.expectProgress(request.headersTimeoutMs);
    const { signal } = request;
    if (signal !== undefined) this.#abortLink = onAbort(signal, () => this.fail(signal.reason));
  }

  get isOver(): boolean {
    return this.#isOver;
  }

  get isSent(): boolean {
    return this.#transfer !== undefined;
  }

  get status(): number {
    return this.#status;
  }

  get timing(): HttpResponse["timing"] {
    const headersMs = (this.#headersMs ?? this.#clock.now()) - (this.#connectedMs ?? this.#startedMs);
    return this.#connectedMs === undefined ? { headersMs } : { connectMs: this.#connectedMs - this.#startedMs, headersMs };
  }

  header(name: string): string | undefined {
    return this.#header(name);
  }

  /** Resolves when the headers have come. */
  async headers(): Promise<HttpResponse> {
    if (this.#headersMs === undefined) await this.#wait();
    return this;
  }

  read(): Promise<Uint8Array | undefined> {
    const bytes = this.#unread.shift();
    if (bytes === undefined) return this.#wait();
    this.#unreadBytes -= bytes.length;
    if (this.#isPaused && this.#unread.length === 0) {
      this.#isPaused = false;
      this.#transfer?.resume();
    }
    return Promise.resolve(bytes);
  }

  expectProgress(timeoutMs: number): void {
    this.#arrivalsBefore = this.#lease?.arrivals ?? 0;
    this.#patience.renew(timeoutMs);
  }

  discard(): void {
    if (this.#isOver || this.#discardDeadline !== undefined) return;
    this.#patience[Symbol.dispose]();
    this.#drop();
    this.#discardDeadline = this.#clock.setTimer(DISCARD_MS, () => this.abort());
    this.#transfer?.resume();
  }

  abort(): void {
    if (!this.#isOver) this.fail(new DOMException("The exchange was dropped.", "AbortError"));
  }

  /** The exchange will be sent over a connection of its own; called before `hold`. */
  connecting(): void {
    this.#isConnecting = true;
    this.#patience.renew(Math.min(CONNECT_TIMEOUT_MS, this.#headersTimeoutMs));
  }

  /** Keeps a place on a connection until the exchange ends; gives it back at once when it has ended already. */
  hold(lease: Lease): void {
    if (this.#isOver) return lease.release();
    this.#lease = lease;
    this.#arrivalsBefore = lease.arrivals;
    lease.whenOpen(() => {
      this.#isConnecting = false;
      this.#connectedMs = this.#clock.now();
      if (this.#headersMs === undefined) this.#patience.renew(this.#headersTimeoutMs - (this.#connectedMs - this.#startedMs));
    });
  }

  /** The request is being sent. */
  sending(transfer: Transfer): void {
    if (this.#isOver) transfer.cancel(new Error("The exchange has ended."));
    else this.#transfer = transfer;
  }

  respond(status: number, header: (name: string) => string | undefined): void {
    if (this.#isOver) return;
    this.#status = status;
    this.#header = header;
    this.#headersMs = this.#clock.now();
    this.#lease?.arrived();
    this.#takeWaiter()?.resolve(undefined);
  }

  receive(bytes: Uint8Array): void {
    this.#lease?.arrived();
    if (this.#isOver || this.#discardDeadline !== undefined) return;
    const waiter = this.#takeWaiter();
    if (waiter !== undefined) return waiter.resolve(bytes);
    this.#unread.push(bytes);
    this.#unreadBytes += bytes.length;
    if (this.#unreadBytes <= MAX_UNREAD_BYTES || this.#isPaused) return;
    this.#isPaused = true;
    this.#transfer?.pause();
  }

  /** The whole body has come. */
  complete(): void {
    if (this.#isOver) return;
    this.#end();
    this.#takeWaiter()?.resolve(undefined);
  }

  /** What carries the exchange has failed. Bytes that came before are still read. */
  break(error: unknown): void {
    if (this.#isOver) return;
    this.#failure = { reason: connectionError(this.#identity, this.#origin, error) };
    this.#end();
    this.#takeWaiter()?.reject(this.#failure.reason);
  }

  /** Ends the exchange from this side. */
  fail(reason: unknown): void {
    if (this.#isOver) return;
    this.#failure = { reason };
    this.#drop();
    this.#end();
    this.#transfer?.cancel(new Error("The exchange was dropped."));
    this.#takeWaiter()?.reject(reason);
  }

  #wait(): Promise<Uint8Array | undefined> {
    if (this.#failure !== undefined) return Promise.reject(this.#failure.reason);
    if (this.#isOver) return Promise.resolve(undefined);
    return new Promise((resolve, reject) => {
      this.#waiter = { resolve, reject };
      this.#patience.begin();
    });
  }

  #takeWaiter(): Waiter | undefined {
    const waiter = this.#waiter;
    if (waiter === undefined) return undefined;
    this.#waiter = undefined;
    this.#patience.end();
    return waiter;
  }

  #timeOut(): void {
    // A connection that carried something meanwhile, if for another exchange, is alive: only the answer is late.
    if (this.#lease?.arrivals === this.#arrivalsBefore) this.#lease.retire();
    this.fail(this.#late());
  }

  #late(): ProviderError {
    const { className, provider } = this.#identity;
    const within = `within ${Math.round(this.#patience.totalMs)} ms. Try again, or fall back to another model.`;
    if (this.#headersMs !== undefined) {
      return new ProviderTimeoutError(`${className} received nothing more of the answer from ${this.#origin} ${within}`, {
        provider,
      });
    }
    if (this.#isConnecting) {
      return new ProviderTimeoutError(`${className} got no connection to ${this.#origin} ${within}`, { provider });
    }
    return new ProviderTimeoutError(`${className} heard nothing from ${this.#origin} ${within}`, { provider });
  }

  #drop(): void {
    this.#unread.length = 0;
    this.#unreadBytes = 0;
  }

  #end(): void {
    this.#isOver = true;
    this.#patience[Symbol.dispose]();
    this.#discardDeadline?.[Symbol.dispose]();
    this.#abortLink?.[Symbol.dispose]();
    this.#lease?.release();
    this.#onEnd(this);
  }
}
