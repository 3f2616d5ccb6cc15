import type { CarrierHost, Carrier, MediaSocket } from "../../core/carrier.js";
import { socketPair } from "../socket-pair.js";

/** An HTTP request to the program under test, as Twilio sees it. */
export interface TwilioHttpRequest {
  readonly method: "GET" | "POST";
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

/** What the program under test answered. */
export interface TwilioHttpResponse {
  readonly status: number;
  readonly contentType: string;
  readonly body: string;
}

/** The emulator's end of a media socket. */
export interface TwilioSocket extends MediaSocket {
  /** Stops reading, or goes on: what the program sends meanwhile waits in its own buffers and those of the network. */
  stall(isStalled: boolean): void;
  /** Breaks the connection without a closing handshake. */
  drop(): void;
}

/** How the emulator reaches the program under test. */
export interface TwilioNetwork {
  /** Rejects when there is no answer. */
  request(request: TwilioHttpRequest, signal: AbortSignal): Promise<TwilioHttpResponse>;
  /** Opens a media socket. @throws TwilioUpgradeError when it is refused. */
  connect(url: string, headers: Readonly<Record<string, string>>, signal: AbortSignal): Promise<TwilioSocket>;
  close?(): void;
}

/** The program under test refused a media socket. */
export class TwilioUpgradeError extends Error {
  readonly status: number;

  constructor(status: number, reason: string) {
    super(`The media socket was refused with status ${status}${reason === "" ? "" : `: ${reason}`}.`);
    this.name = "TwilioUpgradeError";
    this.status = status;
  }
}

/**
 * Reaches a carrier in memory, without a server: its webhooks and media sockets run on the clock of the emulator, so that
 * whole calls can run on virtual time.
 */
export function carrierNetwork(carrier: Carrier, host: CarrierHost): TwilioNetwork {
  return {
    request: async ({ method, url, headers, body }) => {
      const request = new Request(url, { method, headers, ...(method === "POST" ? { body } : {}) });
      const response = await carrier.handle(request, host);
      if (response === undefined) return { status: 404, contentType: "text/plain", body: "" };
      return {
        status: response.status,
        contentType: response.headers.get("content-type") ?? "",
        body: await response.text(),
      };
    },
    connect: async (url, headers) => {
      const upgrade = { ...headers, connection: "upgrade", upgrade: "websocket" };
      const decision = carrier.upgrade(new Request(url.replace(/^ws/, "http"), { headers: upgrade }), host);
      if (decision === undefined) throw new TwilioUpgradeError(404, "");
      if (!decision.accepted) throw new TwilioUpgradeError(decision.status, decision.reason);
      const [ours, theirs] = socketPair();
      decision.run(theirs);
      return {
        messages: ours.messages,
        get bufferedBytes() {
          return ours.bufferedBytes;
        },
        send: (message) => ours.send(message),
        close: (code, reason) => ours.close(code, reason),
        stall: (isStalled) => {
          theirs.stalled = isStalled;
        },
        drop: () => ours.close(1006),
      };
    },
  };
}
