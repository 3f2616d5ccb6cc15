import type { Server } from "node:http";
import type { AddressInfo, Socket } from "node:net";

/** A server on a free port of the loopback interface, whose connections are counted and can be broken. */
export class LoopbackServer implements AsyncDisposable {
  readonly #server: Server;
  readonly #scheme: "http" | "https";
  readonly #sockets = new Set<Socket>();
  #connections = 0;

  constructor(server: Server, scheme: "http" | "https" = "http") {
    this.#server = server;
    this.#scheme = scheme;
    server.on(scheme === "https" ? "secureConnection" : "connection", (socket: Socket) => {
      this.#connections++;
      this.#sockets.add(socket);
      socket.on("close", () => this.#sockets.delete(socket));
      // A client that breaks its connection is no fault of the server's.
      socket.on("error", () => {});
    });
  }

  /** Resolves once it listens. */
  async listen(): Promise<void> {
    await new Promise<void>((resolve, reject) => {
      this.#server.on("error", reject);
      this.#server.listen(0, "127.0.0.1", resolve);
    });
  }

  /** Such as `http://127.0.0.1:40123`; only while it listens. */
  get url(): string {
    return `${this.#scheme}://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  /** Connections accepted so far. */
  get connections(): number {
    return this.#connections;
  }

  /** Breaks every open connection. */
  dropConnections(): void {
    for (const socket of this.#sockets) socket.destroy();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const closed = new Promise<void>((resolve) => {
      this.#server.close(() => resolve());
    });
    this.dropConnections();
    await closed;
  }
}
