import type { CallEndReason, CallStage } from "../core/call-event.js";
import type { SttEvent } from "../core/stt.js";
import type { TransportEvent } from "../core/transport.js";
import type { VadEvent } from "../core/vad.js";
import type { ReplySource } from "./reply.js";

/** Everything the turn loop reacts to, in the order it happened. */
export type TurnInput =
  | { readonly type: "stt"; readonly event: SttEvent }
  /** `clockMs`: when the sample the event speaks of arrived. */
  | { readonly type: "vad"; readonly event: VadEvent; readonly clockMs: number }
  | { readonly type: "transport"; readonly event: Exclude<TransportEvent, { type: "audio" }> }
  | { readonly type: "stage_failed"; readonly stage: CallStage; readonly error: unknown }
  /** A timer of the turn loop fell due. */
  | { readonly type: "timer"; readonly name: TurnTimer }
  /** Text, tools and synthesis of a reply are done; it may still be playing. */
  | { readonly type: "reply_generated"; readonly reply: number; readonly failed: boolean }
  | { readonly type: "playout_started"; readonly reply: number }
  | { readonly type: "playout_finished"; readonly reply: number }
  | { readonly type: "say"; readonly source: ReplySource; readonly onHeard: (heard: string | undefined) => void }
  | { readonly type: "hang_up"; readonly when: "now" | "after_reply"; readonly reason: CallEndReason };

/**
 * `endpoint`: the silence is long enough. `final`: the last words stayed away. `resume`: a pause brought no words.
 * `words`: the voice goes on, but no words have come for long.
 */
export type TurnTimer = "endpoint" | "final" | "resume" | "words";
