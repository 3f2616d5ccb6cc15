import type { MediaSocket } from "../core/carrier.js";
import { AsyncQueue } from "../core/queue.js";
import { deferred } from "../core/signals.js";

/** How a socket was closed. */
export interface SocketClose {
  readonly code: number;
  readonly reason: string;
}

/** One end of a `socketPair`. */
export interface PairedSocket extends MediaSocket {
  /** Resolves when either end has closed. */
  readonly closed: Promise<SocketClose>;
  /** While true, what this end sends stays in its `bufferedBytes`, as when the other side does not read. */
  stalled: boolean;
}

/** Two sockets connected in memory: what one sends, the other receives, in order and without delay. */
export function socketPair(): readonly [PairedSocket, PairedSocket] {
  const closed = deferred<SocketClose>();
  const left = new SocketEnd(closed);
  const right = new SocketEnd(closed);
  left.connect(right);
  right.connect(left);
  return [left, right];
}

class SocketEnd implements PairedSocket {
  readonly messages = new AsyncQueue<string | Uint8Array>();
  readonly #closing: { readonly promise: Promise<SocketClose>; resolve(close: SocketClose): void };
  #peer: SocketEnd | undefined;
  #held: (string | Uint8Array)[] = [];
  #stalled = false;
  #open = true;

  constructor(closing: { readonly promise: Promise<SocketClose>; resolve(close: SocketClose): void }) {
    this.#closing = closing;
  }

  get closed(): Promise<SocketClose> {
    return this.#closing.promise;
  }

  get bufferedBytes(): number {
    return this.#held.reduce((bytes, message) => bytes + message.length, 0);
  }

  get stalled(): boolean {
    return this.#stalled;
  }

  set stalled(stalled: boolean) {
    this.#stalled = stalled;
    if (stalled) return;
    for (const message of this.#held.splice(0)) this.#peer?.messages.push(message);
  }

  connect(peer: SocketEnd): void {
    this.#peer = peer;
  }

  send(message: string | Uint8Array): void {
    if (!this.#open) return;
    // A copy, as on a network: the sender may use its memory again.
    const sent = typeof message === "string" ? message : message.slice();
    if (this.#stalled) this.#held.push(sent);
    else this.#peer?.messages.push(sent);
  }

  close(code = 1005, reason = ""): void {
    this.end();
    this.#peer?.end();
    this.#closing.resolve({ code, reason });
  }

  end(): void {
    this.#open = false;
    this.#held = [];
    this.messages.end();
  }
}
