import type { AudioFormat, AudioFrame } from "./audio-frame.js";

/** One live media leg. `send`, `mark` and `clear` never block; after the end they do nothing. */
export interface Transport extends AsyncDisposable {
  /** Audio in both directions, mono. */
  readonly format: AudioFormat;
  /** `marks`: the other side reports playout. `clock`: it does not, and time alone tells. */
  readonly playout: "marks" | "clock";
  /** Iterate it once. It ends after `closed`. */
  readonly received: AsyncIterable<TransportEvent>;
  /** Queues audio for the caller's ear, behind what was sent before. */
  send(frame: AudioFrame): void;
  /** Asks to be told when everything sent before has been played. */
  mark(name: string): void;
  /** Drops everything that was sent and is not yet played. */
  clear(): void;
}

export type TransportEvent =
  | { readonly type: "audio"; readonly frame: AudioFrame }
  /** Also comes for audio that was cleared: a mark alone does not prove that it was heard. */
  | { readonly type: "mark"; readonly name: string }
  | { readonly type: "dtmf"; readonly digit: string }
  /** The carrier replaced the stream within the call; what it had queued is lost. */
  | { readonly type: "restarted" }
  | { readonly type: "closed"; readonly reason: TransportCloseReason };

/** `caller`: they hung up. `carrier`: it ended the stream. `lost`: the socket broke. `local`: we closed it. */
export type TransportCloseReason = "caller" | "carrier" | "lost" | "local";
