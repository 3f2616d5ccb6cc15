import { type Deferred, deferred } from "../core/signals.js";
import type { HttpRequest } from "./http.js";
import type { Exchange, Transfer } from "./http-exchange.js";

/** Carries an exchange with a `fetch` that was passed in, also one that does not look at its signal. */
export async function sendWithFetch(send: typeof fetch, request: HttpRequest, exchange: Exchange): Promise<void> {
  const { method, url, headers, body } = request;
  const transfer = new FetchTransfer();
  exchange.sending(transfer);
  try {
    const response = await send(url, { method, headers, signal: transfer.signal, ...(body === undefined ? {} : { body }) });
    exchange.respond(response.status, (name) => response.headers.get(name) ?? undefined);
    if (response.body !== null) await transfer.carry(response.body.getReader(), exchange);
    exchange.complete();
  } catch (error) {
    exchange.break(error);
  }
}

class FetchTransfer implements Transfer {
  readonly #controller = new AbortController();
  #reader: ReadableStreamDefaultReader<Uint8Array> | undefined;
  #pause: Deferred<void> | undefined;

  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  /** Hands over the bytes until they end or the exchange is cancelled. */
  async carry(reader: ReadableStreamDefaultReader<Uint8Array>, exchange: Exchange): Promise<void> {
    this.#reader = reader;
    if (this.signal.aborted) return this.#stopReading();
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return;
      exchange.receive(value);
      if (this.#pause !== undefined) await this.#pause.promise;
    }
  }

  cancel(reason: Error): void {
    this.#controller.abort(reason);
    this.#stopReading();
    this.resume();
  }

  pause(): void {
    this.#pause ??= deferred();
  }

  resume(): void {
    this.#pause?.resolve();
    this.#pause = undefined;
  }

  #stopReading(): void {
    // The stream may have failed with the abort: nobody reads it any more.
    this.#reader?.cancel().catch(() => {});
  }
}
