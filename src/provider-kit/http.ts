import { systemClock, type Clock } from "../core/clock.js";
import { ConfigError, ProviderTimeoutError } from "../core/errors.js";
import { abortable, ChildController, onAbort } from "../core/signals.js";
import { connectionError, type ProviderIdentity } from "./http-errors.js";
import { HttpOrigin, type Lease } from "./http-origin.js";

/** How long the rest of a body may take to arrive after its reader has seen enough. */
const DISCARD_MS = 500;

/** What a provider sends. */
export interface HttpRequest {
  readonly method: "GET" | "POST";
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: string;
  /** Aborts the exchange; `request` and the body then reject with its reason. */
  readonly signal?: AbortSignal | undefined;
  readonly clock?: Clock | undefined;
  /** How long the response's headers may take, connecting included. */
  readonly headersTimeoutMs: number;
}

/** What came back: always ended by reading `body` to its end, `discard` or `abort`. */
export interface HttpResponse {
  readonly status: number;
  /** A header's value; `name` in lower case. */
  header(name: string): string | undefined;
  /** Iterate it once. Breaking off the iteration ends nothing: call `discard` or `abort`. */
  readonly body: AsyncIterable<Uint8Array>;
  /**
   * Fails the exchange with a `ProviderTimeoutError` once its reader has waited `timeoutMs` for the body in all;
   * calling this again starts anew. While nobody reads, no time is counted.
   */
  expectProgress(timeoutMs: number): void;
  /** Reads the rest away in the background, so that the connection can be used again; drops it if that takes over 500 ms. */
  discard(): void;
  /** Drops the exchange at once. */
  abort(): void;
}

/**
 * A provider's way out: undici's `request` over connections that this object owns, or a `fetch` that was passed in.
 * Every failure is a `ProviderError`, or the signal's reason. Loads undici at the first request.
 */
export class HttpClient implements AsyncDisposable {
  readonly #identity: ProviderIdentity;
  readonly #fetch: typeof fetch | undefined;
  readonly #origins = new Map<string, Promise<HttpOrigin>>();
  readonly #discarding = new Set<Promise<void>>();

  constructor(identity: ProviderIdentity, options: { readonly fetch?: typeof fetch | undefined } = {}) {
    this.#identity = identity;
    this.#fetch = options.fetch;
  }

  /** Sends a request and waits for the response's headers. */
  async request(request: HttpRequest): Promise<HttpResponse> {
    const exchange = new Exchange(this.#identity, request, (reading) => this.#own(reading));
    exchange.expectProgress(request.headersTimeoutMs);
    try {
      const sending =
        this.#fetch === undefined ? this.#send(request, exchange) : sendWithFetch(this.#fetch, request, exchange.signal);
      return exchange.respond(await exchange.wait(sending));
    } catch (error) {
      throw exchange.fail(error);
    }
  }

  /** Drops every connection; the next request opens new ones. */
  async [Symbol.asyncDispose](): Promise<void> {
    const origins = await Promise.all(this.#origins.values());
    this.#origins.clear();
    await Promise.all(origins.map((origin) => origin.destroy()));
    await Promise.all(this.#discarding);
  }

  #own(reading: Promise<void>): void {
    this.#discarding.add(reading);
    void reading.then(() => this.#discarding.delete(reading));
  }

  async #send(request: HttpRequest, exchange: Exchange): Promise<RawResponse> {
    const { origin, pathname, search } = new URL(request.url);
    const connections = await this.#origin(origin);
    const lease = await connections.lease(exchange.signal);
    exchange.hold(lease);
    const response = await lease.dispatcher.request({
      origin,
      path: pathname + search,
      method: request.method,
      headers: request.headers,
      body: request.body ?? null,
      signal: exchange.signal,
      // undici otherwise lets such requests wait for one another on a shared connection. It sends none twice.
      idempotent: true,
    });
    return {
      status: response.statusCode,
      header: (name) => {
        const value = response.headers[name];
        return Array.isArray(value) ? value.join(", ") : value;
      },
      body: response.body,
    };
  }

  #origin(origin: string): Promise<HttpOrigin> {
    let connections = this.#origins.get(origin);
    if (connections === undefined) {
      connections = import("undici").then((undici) => new HttpOrigin(origin, undici));
      this.#origins.set(origin, connections);
    }
    return connections;
  }
}

/** The URL, or a ConfigError that names the option it came from. */
export function parseUrl(className: string, option: string, value: string): URL {
  const url = URL.canParse(value) ? new URL(value) : undefined;
  if (url?.protocol === "https:" || url?.protocol === "http:") return url;
  throw new ConfigError(
    `${className} cannot use { ${option}: ${JSON.stringify(value)} }: pass a URL that begins with https:// or http://.`,
  );
}

interface RawResponse {
  readonly status: number;
  readonly header: (name: string) => string | undefined;
  readonly body: AsyncIterable<Uint8Array>;
}

async function sendWithFetch(send: typeof fetch, request: HttpRequest, signal: AbortSignal): Promise<RawResponse> {
  const { method, url, headers, body } = request;
  const response = await abortable(send(url, { method, headers, signal, ...(body === undefined ? {} : { body }) }), signal);
  return {
    status: response.status,
    header: (name) => response.headers.get(name) ?? undefined,
    body: response.body ?? emptyBody(),
  };
}

async function* emptyBody(): AsyncGenerator<Uint8Array> {}

/** One request and its response: the one place where its deadlines and its abort meet. */
class Exchange {
  readonly #identity: ProviderIdentity;
  readonly #origin: string;
  readonly #clock: Clock;
  readonly #controller: ChildController;
  readonly #own: (reading: Promise<void>) => void;
  /** How long the other side may still stay silent, and what it was given at first. */
  #patience = { leftMs: Number.POSITIVE_INFINITY, totalMs: Number.POSITIVE_INFINITY };
  #timer: Disposable | undefined;
  /** When a discarded body is dropped. */
  #deadline: Disposable | undefined;
  #lease: Lease | undefined;

  constructor(identity: ProviderIdentity, request: HttpRequest, own: (reading: Promise<void>) => void) {
    this.#identity = identity;
    this.#origin = new URL(request.url).origin;
    this.#clock = request.clock ?? systemClock;
    this.#own = own;
    this.#controller = new ChildController(request.signal ?? new AbortController().signal);
    onAbort(this.signal, () => this.#end());
  }

  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  /** Keeps a place on a connection until the exchange ends. @throws the signal's reason when it has ended already. */
  hold(lease: Lease): void {
    if (this.signal.aborted) lease.release();
    this.signal.throwIfAborted();
    this.#lease = lease;
  }

  expectProgress(timeoutMs: number): void {
    this.#patience = { leftMs: timeoutMs, totalMs: timeoutMs };
  }

  /** Waits for the other side, as long as patience lasts. Time in which nobody waits is not counted against it. */
  async wait<T>(promise: Promise<T>): Promise<T> {
    const startedMs = this.#clock.now();
    if (Number.isFinite(this.#patience.leftMs)) {
      this.#timer = this.#clock.setTimer(this.#patience.leftMs, () => this.#timeOut());
    }
    try {
      return await abortable(promise, this.signal);
    } finally {
      this.#timer?.[Symbol.dispose]();
      this.#patience.leftMs -= this.#clock.now() - startedMs;
    }
  }

  /** Ends the exchange, and returns what to throw for `error`. */
  fail(error: unknown): unknown {
    this.#end();
    if (this.signal.aborted) return this.signal.reason;
    return connectionError(this.#identity, this.#origin, error);
  }

  respond(raw: RawResponse): HttpResponse {
    const iterator = raw.body[Symbol.asyncIterator]();
    const next = async (): Promise<IteratorResult<Uint8Array>> => {
      try {
        const result = await this.wait(iterator.next());
        if (result.done === true) this.#end();
        return result;
      } catch (error) {
        throw this.fail(error);
      }
    };
    return {
      status: raw.status,
      header: raw.header,
      body: { [Symbol.asyncIterator]: () => ({ next }) },
      expectProgress: (timeoutMs) => this.expectProgress(timeoutMs),
      discard: () => {
        this.expectProgress(Number.POSITIVE_INFINITY);
        this.#deadline = this.#clock.setTimer(DISCARD_MS, () => this.#abort());
        this.#own(readAway(next));
      },
      abort: () => this.#abort(),
    };
  }

  #timeOut(): void {
    this.#lease?.retire();
    const message = `${this.#identity.className} heard nothing from ${this.#origin} for ${this.#patience.totalMs} ms. Try again, or fall back to another model.`;
    this.#controller.abort(new ProviderTimeoutError(message, { provider: this.#identity.provider }));
  }

  #abort(): void {
    this.#end();
    this.#controller.abort();
  }

  #end(): void {
    this.#deadline?.[Symbol.dispose]();
    this.#lease?.release();
    this.#controller[Symbol.dispose]();
  }
}

async function readAway(next: () => Promise<IteratorResult<Uint8Array>>): Promise<void> {
  try {
    while ((await next()).done !== true);
  } catch {
    // Nobody waits for these bytes: if they do not come, only the connection is lost.
  }
}
