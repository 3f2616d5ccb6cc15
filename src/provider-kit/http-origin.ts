import type { buildConnector, Client, Dispatcher } from "undici";
import { type Deferred, deferred } from "../core/signals.js";

const CONNECT_TIMEOUT_MS = 3000;
/** Idle connections are kept this long; vendors close theirs sooner and say so. */
const KEEP_ALIVE_MS = 300_000;
/** Streams on one HTTP/2 connection before a second is opened; servers commonly allow 100. */
const STREAMS_PER_CONNECTION = 80;
const HTTP2_CONNECTIONS = 2;

interface Connection {
  readonly client: Client;
  exchanges: number;
  /** How often anything has come over it. */
  arrivals: number;
  isOpen: boolean;
  /** Run once it is open. */
  readonly waiting: Set<() => void>;
}

/** One exchange's place on a connection. */
export interface Lease {
  readonly dispatcher: Dispatcher;
  /** Runs `run` when the connection is open: now if it is, never when the place is given back before that. */
  whenOpen(run: () => void): void;
  /** How often anything has come over the connection, for whichever exchange. */
  readonly arrivals: number;
  /** Something has come for this exchange. */
  arrived(): void;
  /** Gives the place back; the second time it does nothing. */
  release(): void;
  /** Keeps later exchanges off this connection: it has gone silent and may be dead. */
  retire(): void;
}

/**
 * The connections to one origin: one HTTP/2 connection shared by every exchange (a second above 80 at once),
 * or as many HTTP/1.1 connections as there are exchanges. An aborted exchange closes an HTTP/1.1 connection
 * and leaves an HTTP/2 one open: with barge-ins that is a TLS handshake saved on most turns.
 */
export class HttpOrigin {
  readonly #origin: string;
  readonly #undici: typeof import("undici");
  readonly #connections: Connection[] = [];
  readonly #clients = new Set<Client>();
  readonly #closing = new Set<Promise<void>>();
  #isHttp2: boolean | undefined;
  /** Pending while the first connection finds out which protocol is spoken. */
  #negotiation: Deferred<void> | undefined;

  constructor(origin: string, undici: typeof import("undici")) {
    this.#origin = origin;
    this.#undici = undici;
    if (!origin.startsWith("https:")) this.#isHttp2 = false;
  }

  /** Finds a connection, or has one opened by the exchange that follows. */
  async lease(): Promise<Lease> {
    while (this.#isHttp2 === undefined && this.#negotiation !== undefined) await this.#negotiation.promise;
    const connection = this.#choose();
    connection.exchanges++;
    if (this.#isHttp2 === undefined) this.#negotiation = deferred();
    let isReleased = false;
    let waiting: (() => void) | undefined;
    return {
      dispatcher: connection.client,
      whenOpen: (run) => {
        if (connection.isOpen) return run();
        waiting = run;
        connection.waiting.add(run);
      },
      get arrivals() {
        return connection.arrivals;
      },
      arrived: () => {
        connection.arrivals++;
      },
      release: () => {
        if (isReleased) return;
        isReleased = true;
        if (waiting !== undefined) connection.waiting.delete(waiting);
        connection.exchanges--;
        this.#endNegotiation();
        if (connection.exchanges === 0 && !this.#connections.includes(connection)) this.#close(connection.client);
      },
      retire: () => {
        const index = this.#connections.indexOf(connection);
        if (index >= 0) this.#connections.splice(index, 1);
      },
    };
  }

  /** Drops every connection; exchanges in flight fail. */
  async destroy(): Promise<void> {
    this.#connections.length = 0;
    for (const client of this.#clients) this.#close(client);
    await Promise.all(this.#closing);
  }

  #choose(): Connection {
    const limit = this.#isHttp2 === true ? STREAMS_PER_CONNECTION : 1;
    const free = this.#connections.find((connection) => connection.exchanges < limit);
    if (free !== undefined) return free;
    if (this.#isHttp2 === true && this.#connections.length >= HTTP2_CONNECTIONS) {
      return this.#connections.reduce((least, connection) => (connection.exchanges < least.exchanges ? connection : least));
    }
    const connection = this.#open();
    this.#connections.push(connection);
    return connection;
  }

  #open(): Connection {
    const client = new this.#undici.Client(this.#origin, {
      connect: this.#connector(),
      // Without this an HTTP/2 connection carries one exchange at a time; an HTTP/1.1 one is given no more than one.
      pipelining: 1000,
      keepAliveTimeout: KEEP_ALIVE_MS,
      // The provider's own deadlines, on its own clock, stand for these.
      headersTimeout: 0,
      bodyTimeout: 0,
    });
    this.#clients.add(client);
    const connection: Connection = { client, exchanges: 0, arrivals: 0, isOpen: false, waiting: new Set() };
    client.on("connect", () => {
      connection.isOpen = true;
      for (const run of connection.waiting) run();
      connection.waiting.clear();
    });
    // The client opens another with the next exchange.
    client.on("disconnect", () => {
      connection.isOpen = false;
    });
    return connection;
  }

  #connector(): buildConnector.connector {
    const connect = this.#undici.buildConnector({
      allowH2: this.#isHttp2 !== false,
      timeout: CONNECT_TIMEOUT_MS,
      keepAlive: true,
      keepAliveInitialDelay: 15_000,
    });
    return (options, callback) =>
      connect(options, (...result) => {
        const [, socket] = result;
        // Of a connection that failed undici gives no socket at all, although its types say null.
        if (socket && this.#isHttp2 === undefined) this.#isHttp2 = "alpnProtocol" in socket && socket.alpnProtocol === "h2";
        this.#endNegotiation();
        callback(...result);
      });
  }

  #endNegotiation(): void {
    this.#negotiation?.resolve();
    this.#negotiation = undefined;
  }

  #close(client: Client): void {
    this.#clients.delete(client);
    const closing = client.destroy();
    this.#closing.add(closing);
    void closing.then(() => this.#closing.delete(closing));
  }
}
