import type { PageMessage, ServerMessage } from "../../../src/carriers/browser/protocol.js";
import { CallProblem, type Problem } from "./problems.js";

/** Unsent audio at which the microphone's frames are dropped: about a second. */
const MAX_UNSENT_BYTES = 32_000;
/** Frames dropped in a row at which the server counts as gone: 10 s. A broken network reports nothing itself. */
const MAX_DROPPED_IN_A_ROW = 500;

/** What a call's socket reports. */
export interface CallSocketEvents {
  readonly onMessage: (message: ServerMessage) => void;
  readonly onAudio: (bytes: Uint8Array<ArrayBuffer>) => void;
  /** The socket closed without a `hang_up` from either side. */
  readonly onBroken: (problem: Problem) => void;
}

/** The call's WebSocket. See `protocol.ts` of the server's browser carrier. */
export class CallSocket {
  readonly #socket: WebSocket;
  readonly #events: CallSocketEvents;
  #droppedInARow = 0;
  #isOver = false;

  private constructor(socket: WebSocket, events: CallSocketEvents) {
    this.#socket = socket;
    this.#events = events;
    socket.onmessage = ({ data }: MessageEvent<string | ArrayBuffer>) => {
      if (this.#isOver) return;
      // The page trusts its own server: what it sends is what the types say.
      if (typeof data === "string") events.onMessage(JSON.parse(data) as ServerMessage);
      else events.onAudio(new Uint8Array(data));
    };
    socket.onclose = ({ code }) => this.#break(code === 1001 ? "server_stopped" : "connection_lost");
  }

  /** Fetches a token and opens the socket. Rejects with a `CallProblem`. */
  static async open(events: CallSocketEvents): Promise<CallSocket> {
    const response = await fetch("call/token", { method: "POST" }).catch((error: unknown) => {
      throw new CallProblem("server_gone", error);
    });
    if (!response.ok) throw new CallProblem(response.status === 403 ? "not_allowed_here" : "server_gone");
    const { token } = (await response.json()) as { readonly token: string };
    const url = new URL(`call?token=${token}`, document.baseURI);
    url.protocol = url.protocol.replace("http", "ws");
    const socket = new WebSocket(url);
    socket.binaryType = "arraybuffer";
    return new CallSocket(socket, events);
  }

  send(message: PageMessage): void {
    if (this.#socket.readyState === WebSocket.OPEN) this.#socket.send(JSON.stringify(message));
  }

  /** Sends a frame of the microphone; says whether the network could take it. */
  sendAudio(bytes: Uint8Array<ArrayBuffer>): boolean {
    if (this.#socket.readyState === WebSocket.OPEN && this.#socket.bufferedAmount <= MAX_UNSENT_BYTES) {
      this.#socket.send(bytes);
      this.#droppedInARow = 0;
      return true;
    }
    this.#droppedInARow++;
    if (this.#droppedInARow >= MAX_DROPPED_IN_A_ROW) this.#break("connection_lost");
    return false;
  }

  /** Closes the socket; nothing is reported after. */
  close(): void {
    this.#isOver = true;
    this.#socket.close(1000);
  }

  #break(problem: Problem): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#events.onBroken(problem);
  }
}
