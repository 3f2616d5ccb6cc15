import type { CallEndReason, CallEvent } from "./call-event.js";
import type { Clock } from "./clock.js";
import type { Logger } from "./logger.js";
import type { Transport } from "./transport.js";

/** What connects callers: a telephone company, or the browser page. */
export interface Carrier {
  /** Its name in events and records, such as `twilio`. */
  readonly name: string;
  /** Answers an HTTP request that is this carrier's: a webhook, a page. `undefined`: not mine. */
  handle(request: Request, host: CarrierHost): Promise<Response | undefined>;
  /** Decides on a WebSocket upgrade before it is accepted. `undefined`: not mine. */
  upgrade(request: Request, host: CarrierHost): SocketDecision | undefined;
  /** Checks that calls can reach a server, before anything is loaded. @throws ConfigError that says what to change. */
  check?(setup: CarrierSetup): void;
  /**
   * Called once the server listens and before it counts as ready: points the number at it. What it returns is disposed
   * when the server has closed; aborting `signal` ends the opening.
   */
  open?(host: CarrierHost, signal: AbortSignal): Promise<CarrierLine>;
  /**
   * Calls a number; absent where the carrier cannot. The call is handed to `host.incoming` when it is answered.
   * @throws CarrierError when the request itself fails, so that no call was placed.
   */
  dial?(request: DialRequest, host: CarrierHost): Promise<Dialling>;
}

/** A carrier's side of one server. */
export interface CarrierLine extends AsyncDisposable {
  /** Resolves when every call that was answered has been handed to `host.incoming`, or has come to nothing. */
  settled?(): Promise<void>;
}

/** A call to be placed. */
export interface DialRequest {
  /** E.164, both. */
  readonly to: string;
  readonly from: string;
  /** How long it may ring, in seconds; absent: as long as the carrier lets it. */
  readonly ringTimeoutS?: number;
  /** Comes back as the `reference` of the connected call. */
  readonly reference: string;
}

/** A call that is being placed. */
export interface Dialling {
  readonly callId: string;
  /** Never rejects. */
  readonly outcome: Promise<DialOutcome>;
  /** Gives it up, or ends it when it was answered meanwhile. */
  hangUp(): Promise<void>;
}

/** `rejected`: the number may not be called, or declined; `canceled`: given up by this side. */
export type DialFailure = "no_answer" | "busy" | "failed" | "rejected" | "canceled";

/** What became of a call that was placed. `answered`: it was handed over. */
export type DialOutcome =
  | { readonly type: "answered" }
  | { readonly type: DialFailure /** What the carrier said, for people. */; readonly message: string };

/** What was asked of the server that a carrier is to be reached at. */
export interface CarrierSetup {
  /** The number that callers dial, E.164. */
  readonly phoneNumber?: string;
  /** Whether the carrier tells its company where the number's calls go. */
  readonly managesWebhook: boolean;
  /** Where the outside reaches the server, as the program said. */
  readonly publicUrl?: string;
}

/** What the server gives a carrier. */
export interface CarrierHost extends Partial<CarrierSetup> {
  readonly clock: Clock;
  readonly logger: Logger;
  /** Where the other side reaches this server, such as `https://example.com`; no trailing slash. */
  readonly publicUrl: string;
  /** What answers the calls, where it is known before the first one. */
  readonly agent?: AgentInfo;
  /** Whether new calls are turned away, because the server closes when the running ones have ended. */
  readonly isDraining?: boolean;
  /** Hands over a connected call. */
  incoming(call: IncomingCall): void;
}

/** What answers the calls, in words for people; each model as its provider's label, such as `Deepgram nova-3`. */
export interface AgentInfo {
  readonly name?: string;
  readonly stt?: string;
  readonly llm?: string;
  readonly tts?: string;
}

export type SocketDecision =
  | { readonly accepted: false; readonly status: number; readonly reason: string }
  | { readonly accepted: true; readonly run: (socket: MediaSocket) => void };

/** A WebSocket, whatever carries it; tests connect two in memory. */
export interface MediaSocket {
  /** Text frames as strings, binary frames as bytes. Iterate it once; it ends when the socket closes. */
  readonly messages: AsyncIterable<string | Uint8Array>;
  /** Bytes accepted by `send` that have not left the process. */
  readonly bufferedBytes: number;
  send(message: string | Uint8Array): void;
  close(code?: number, reason?: string): void;
}

/** A call that is connected and can be spoken to. */
export interface IncomingCall {
  readonly callId: string;
  readonly from: string;
  readonly to: string;
  readonly direction: "inbound" | "outbound";
  /** Of the request that placed it; absent for a call that came in. */
  readonly reference?: string;
  readonly customParameters: Readonly<Record<string, string>>;
  readonly transport: Transport;
  readonly control: CallControl;
}

/** What a carrier can do to a connected call. Each rejects with a `CarrierError` when it cannot. */
export interface CallControl {
  /** `reason`: why, where the far end can be told (the browser page). */
  hangUp(reason?: CallEndReason): Promise<void>;
  /** Resolves when the other side has answered. @throws TransferError, after which the call goes on. */
  transfer(to: string): Promise<void>;
  sendDtmf(digits: string): Promise<void>;
  /** Tells the far end what happened, where it can show it (the browser page). */
  notify?(event: CallEvent): void;
}
