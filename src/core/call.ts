import type { CallEvent } from "./call-event.js";

/** A running call, as callbacks and tools see it. */
export interface Call {
  readonly id: string;
  /** Who is calling, and which number they called; E.164 on a telephone carrier. */
  readonly from: string;
  readonly to: string;
  readonly direction: "inbound" | "outbound";
  /** What the carrier passed on with the call; of the page, the query of its address. */
  readonly customParameters: Readonly<Record<string, string>>;
  /** Aborts when the call ends. */
  readonly signal: AbortSignal;
  /** Everything that happens from now on. Each iteration is its own subscription and ends with the call. */
  readonly events: AsyncIterable<CallEvent>;
  /**
   * Speaks `text` as soon as neither side is speaking, and resolves with the part that was heard.
   * From a tool it is spoken at once, while the reply waits for the tool, and resolves right away.
   * Rejects with a `CallError` when the call ends before it was begun.
   */
  say(text: string): Promise<string>;
  /**
   * Ends the call: `now` (default), or `after_reply`, when what the agent is saying has been heard.
   * A caller who interrupts that keeps the call.
   */
  hangUp(options?: { readonly when?: "now" | "after_reply" }): Promise<void>;
  /**
   * Hands the caller to another number and resolves when it is answered; the agent's call is over then. Rejects with a
   * `TransferError`, whose `outcome` says why, when it is not, and with a `CarrierError` where the carrier cannot transfer.
   */
  transfer(to: string): Promise<void>;
  /** Presses keys: `0-9 * # A-D`, and `w` for half a second of pause. */
  sendDtmf(digits: string): Promise<void>;
}
