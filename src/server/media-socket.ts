import type { WebSocket } from "ws";
import type { MediaSocket } from "../core/carrier.js";
import type { Clock } from "../core/clock.js";
import type { Logger } from "../core/logger.js";
import { AsyncQueue } from "../core/queue.js";

/** Largest message taken from a socket, in bytes; a 20 ms frame has 160 to 640. */
export const MAX_MESSAGE_BYTES = 256 * 1024;
/** How often a silent peer is asked whether it is there. */
const PING_MS = 15_000;
/** Unsent bytes at which a peer counts as gone: minutes of audio. */
const MAX_BUFFERED_BYTES = 8 * 1024 * 1024;
/** Messages waiting for their reader at which reading from the network stops, and goes on. */
const PAUSE_AT_MESSAGES = 256;
const RESUME_AT_MESSAGES = 64;

/**
 * Wraps an open `ws` socket.
 *
 * When its reader is slow, reading from the network pauses; when its peer is slow, the socket is dropped at
 * 8 MiB. A peer that answers no ping for 15 to 30 s is dropped too: a half-open connection reports nothing itself.
 */
export function mediaSocket(webSocket: WebSocket, options: { readonly clock: Clock; readonly logger: Logger }): MediaSocket {
  const queue = new AsyncQueue<string | Uint8Array>();
  const keepalive = keepAlive(webSocket, options.clock, options.logger);

  webSocket.on("message", (data: Buffer, isBinary: boolean) => {
    queue.push(isBinary ? new Uint8Array(data.buffer, data.byteOffset, data.byteLength) : data.toString("utf8"));
    if (queue.size >= PAUSE_AT_MESSAGES) webSocket.pause();
  });
  webSocket.on("error", (error) => options.logger.debug({ err: error }, "socket failed"));
  webSocket.on("close", () => {
    keepalive[Symbol.dispose]();
    queue.end();
  });

  return {
    messages: resumed(queue, webSocket),
    get bufferedBytes() {
      return webSocket.bufferedAmount;
    },
    send(message) {
      if (webSocket.readyState !== webSocket.OPEN) return;
      if (webSocket.bufferedAmount > MAX_BUFFERED_BYTES) {
        options.logger.warn({ bufferedBytes: webSocket.bufferedAmount }, "socket dropped: its peer does not read");
        webSocket.terminate();
        return;
      }
      webSocket.send(message);
    },
    close(code, reason) {
      // A paused socket would never read the peer's half of the closing handshake.
      webSocket.resume();
      webSocket.close(code, reason);
    },
  };
}

async function* resumed(queue: AsyncQueue<string | Uint8Array>, webSocket: WebSocket): AsyncGenerator<string | Uint8Array> {
  try {
    for await (const message of queue) {
      if (webSocket.isPaused && queue.size <= RESUME_AT_MESSAGES) webSocket.resume();
      yield message;
    }
  } finally {
    webSocket.resume();
  }
}

function keepAlive(webSocket: WebSocket, clock: Clock, logger: Logger): Disposable {
  let heard = true;
  const hear = (): void => {
    heard = true;
  };
  webSocket.on("message", hear);
  webSocket.on("pong", hear);
  const check = (): void => {
    // Nothing can be heard from a socket that we ourselves do not read.
    if (!heard && !webSocket.isPaused) {
      logger.warn({ silentMs: PING_MS }, "socket dropped: no answer to a ping");
      webSocket.terminate();
      return;
    }
    heard = false;
    webSocket.ping();
    timer = clock.setTimer(PING_MS, check);
  };
  let timer = clock.setTimer(PING_MS, check);
  return { [Symbol.dispose]: () => timer[Symbol.dispose]() };
}
