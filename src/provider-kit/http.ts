import type { IncomingHttpHeaders } from "node:http";
import type { Dispatcher } from "undici";
import type { Clock } from "../core/clock.js";
import { ConfigError } from "../core/errors.js";
import { closedError, type ProviderIdentity } from "./http-errors.js";
import { Exchange } from "./http-exchange.js";
import { sendWithFetch } from "./http-fetch.js";
import { HttpOrigin } from "./http-origin.js";

/** What a provider sends. */
export interface HttpRequest {
  readonly method: "GET" | "POST";
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: string;
  /** Aborts the exchange; `request` and the body then reject with its reason. */
  readonly signal?: AbortSignal | undefined;
  readonly clock?: Clock | undefined;
  /** How long the response's headers may take, connecting included, for which there are never more than 3 s. */
  readonly headersTimeoutMs: number;
}

/** What came back: always ended by reading it to its end, `discard` or `abort`. */
export interface HttpResponse {
  readonly status: number;
  /** A header's value; `name` in lower case. */
  header(name: string): string | undefined;
  /** Where the time to the headers went, in ms; see `LlmTiming`. */
  readonly timing: { readonly connectMs?: number; readonly headersMs: number };
  /** The next bytes of the body, `undefined` at its end. One reader, one read at a time. */
  read(): Promise<Uint8Array | undefined>;
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

/** A request on its way. */
export interface HttpSending {
  /** Resolves with the response when its headers have come. Call it once. */
  headers(): Promise<HttpResponse>;
  /** Says whether it has left, as far as can be known: it may cost something, whatever comes back. */
  readonly isSent: boolean;
  /** Drops the exchange at once, also before its headers. */
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
  /** Those on their way. */
  readonly #exchanges = new Set<Exchange>();
  #isClosed = false;

  constructor(identity: ProviderIdentity, options: { readonly fetch?: typeof fetch | undefined } = {}) {
    this.#identity = identity;
    this.#fetch = options.fetch;
  }

  /** Sends a request and waits for the response's headers. */
  request(request: HttpRequest): Promise<HttpResponse> {
    return this.send(request).headers();
  }

  /** Sends a request. What fails is told to who waits for it. */
  send(request: HttpRequest): HttpSending {
    const url = new URL(request.url);
    const exchange = new Exchange(this.#identity, url.origin, request, (ended) => this.#exchanges.delete(ended));
    if (this.#isClosed) exchange.fail(closedError(this.#identity));
    if (exchange.isOver) return exchange;
    this.#exchanges.add(exchange);
    void (this.#fetch === undefined ? this.#dispatch(url, request, exchange) : sendWithFetch(this.#fetch, request, exchange));
    return exchange;
  }

  /** Drops every connection. What is on its way fails, and so does every later request, with an error that no retry mends. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#isClosed = true;
    for (const exchange of this.#exchanges) exchange.fail(closedError(this.#identity));
    const origins = await Promise.all(this.#origins.values());
    this.#origins.clear();
    await Promise.all(origins.map((origin) => origin.destroy()));
  }

  async #dispatch({ origin, pathname, search }: URL, request: HttpRequest, exchange: Exchange): Promise<void> {
    exchange.connecting();
    try {
      const lease = await (await this.#origin(origin)).lease();
      exchange.hold(lease);
      if (exchange.isOver) return;
      const path = pathname + search;
      const { method, headers, body = null } = request;
      // undici otherwise lets such requests wait for one another on a shared connection. It sends none twice.
      lease.dispatcher.dispatch({ origin, path, method, headers, body, idempotent: true }, new ResponseHandler(exchange));
    } catch (error) {
      exchange.break(error);
    }
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

/** Passes on to an exchange what undici reports. */
class ResponseHandler implements Dispatcher.DispatchHandler {
  readonly #exchange: Exchange;

  constructor(exchange: Exchange) {
    this.#exchange = exchange;
  }

  onRequestStart(controller: Dispatcher.DispatchController): void {
    this.#exchange.sending({
      cancel: (reason) => controller.abort(reason),
      pause: () => controller.pause(),
      resume: () => controller.resume(),
    });
  }

  onResponseStart(_controller: Dispatcher.DispatchController, status: number, headers: IncomingHttpHeaders): void {
    // 1xx come before the response itself.
    if (status >= 200) this.#exchange.respond(status, (name) => headerText(headers[name]));
  }

  onResponseData(_controller: Dispatcher.DispatchController, bytes: Uint8Array): void {
    this.#exchange.receive(bytes);
  }

  onResponseEnd(): void {
    this.#exchange.complete();
  }

  onResponseError(_controller: Dispatcher.DispatchController, error: Error): void {
    this.#exchange.break(error);
  }
}

function headerText(value: string | readonly string[] | undefined): string | undefined {
  return typeof value === "string" || value === undefined ? value : value.join(", ");
}
