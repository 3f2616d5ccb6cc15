import type { LlmTiming, LlmUsage } from "./llm.js";

/**
 * Everything that happens in a call, in one ordered stream.
 * Metrics, cost, records, the page and user callbacks are subscribers; replaying a stored stream reproduces them.
 */
export type CallEvent = CallEventBody & CallEventBase;

export interface CallEventBase {
  readonly callId: string;
  /** 0, 1, 2 … within the call. */
  readonly sequence: number;
  /** Ms since the call was connected. */
  readonly atMs: number;
  /** The turn it belongs to, counted from 0; the greeting is turn 0. */
  readonly turn?: number;
}

/** Why a call ended. */
export type CallEndReason =
  | "caller_hung_up"
  | "agent_hung_up"
  | "transferred"
  | "carrier_ended"
  | "connection_lost"
  | "shutdown"
  | "max_duration"
  | "error";

/** Why a reply ended. */
export type ReplyEndReason = "completed" | "barge_in" | "hung_up" | "failed";

export type CallEventBody =
  // The call
  | {
      readonly type: "call_started";
      readonly carrier: string;
      readonly from: string;
      readonly to: string;
      readonly direction: "inbound" | "outbound";
      readonly startedAt: number;
    }
  | { readonly type: "call_ended"; readonly reason: CallEndReason; readonly durationMs: number; readonly endedAt: number }
  | {
      readonly type: "call_error";
      readonly stage: CallStage;
      readonly code: string;
      readonly message: string;
      readonly fatal: boolean;
      /** Of a failed request: the vendor's id for it, to ask the vendor about. */
      readonly requestId?: string;
      /** Of a failed request: the HTTP status, or the one that a failure inside a stream stands for. */
      readonly status?: number;
    }
  | { readonly type: "transfer_started"; readonly to: string }
  | { readonly type: "transfer_ended"; readonly to: string; readonly outcome: "completed" | "failed"; readonly message?: string }
  | { readonly type: "stream_restarted" }
  // The caller
  | { readonly type: "speech_started"; readonly audioMs: number }
  | { readonly type: "speech_ended"; readonly audioMs: number; readonly spokenAtMs: number }
  | { readonly type: "transcript_partial"; readonly transcript: string }
  | { readonly type: "transcript_final"; readonly transcript: string; readonly confidence?: number }
  | { readonly type: "dtmf_received"; readonly digit: string }
  | { readonly type: "dtmf_sent"; readonly digits: string }
  /**
   * The caller's turn is over. `speechEndedAtMs`: when the caller's last speech sample arrived, on the scale of `atMs`;
   * absent where no VAD heard it.
   */
  | { readonly type: "turn_committed"; readonly transcript: string; readonly reason: string; readonly speechEndedAtMs?: number }
  /** The caller's words made no turn: a listener's "mm-hm" while the agent spoke, or the agent's own echo. */
  | { readonly type: "utterance_dismissed"; readonly transcript: string; readonly reason: "listening" | "echo" }
  // The agent
  | {
      readonly type: "reply_started";
      readonly reply: number;
      readonly source: "greeting" | "llm" | "say" | "message" | "hold" | "fallback";
    }
  | {
      readonly type: "llm_requested";
      readonly reply: number;
      readonly provider: string;
      readonly model: string;
      readonly messages: number;
    }
  | { readonly type: "llm_first_token"; readonly reply: number }
  | {
      readonly type: "llm_ended";
      readonly reply: number;
      readonly provider: string;
      readonly model: string;
      readonly stopReason?: string;
      readonly stopDetail?: string;
      readonly requestId?: string;
      readonly timing?: LlmTiming;
      /** Why the provider sent the request again; absent when it did not. */
      readonly retries?: readonly string[];
    }
  | {
      readonly type: "llm_usage";
      readonly reply: number;
      readonly provider: string;
      readonly model: string;
      readonly usage: LlmUsage;
    }
  /** The model's warm-up beside the call has ended, or was ended when it had cost tokens. `usage` says what it read into a cache. */
  | {
      readonly type: "llm_warmed_up";
      readonly provider: string;
      readonly model: string;
      readonly durationMs: number;
      readonly usage?: LlmUsage;
    }
  | { readonly type: "speculation_discarded"; readonly provider: string; readonly model: string; readonly usage?: LlmUsage }
  | {
      readonly type: "tool_started";
      readonly reply: number;
      readonly toolCallId: string;
      readonly name: string;
      readonly arguments: unknown;
    }
  | {
      readonly type: "tool_ended";
      readonly reply: number;
      readonly toolCallId: string;
      readonly name: string;
      readonly result: string;
      readonly isError: boolean;
      readonly durationMs: number;
    }
  /** A sentence went to synthesis. */
  | {
      readonly type: "sentence_ready";
      readonly reply: number;
      readonly text: string;
      /** The hold line, said because the answer is late. */
      readonly isHold?: true;
    }
  | { readonly type: "tts_first_audio"; readonly reply: number }
  | { readonly type: "playout_started"; readonly reply: number }
  | { readonly type: "reply_paused"; readonly reply: number; readonly atAudioMs: number }
  | { readonly type: "reply_resumed"; readonly reply: number; readonly atAudioMs: number }
  /** `heard` is what was played out of `text`; `isEstimated` says whether its end was computed and not reported. */
  | {
      readonly type: "reply_ended";
      readonly reply: number;
      readonly reason: ReplyEndReason;
      readonly text: string;
      readonly heard: string;
      readonly isEstimated: boolean;
      readonly audioMs: number;
    }
  /** The caller interrupted. `speechStartedAtMs` is on the scale of `atMs`; absent where no VAD heard it. */
  | { readonly type: "barge_in"; readonly reply: number; readonly transcript: string; readonly speechStartedAtMs?: number }
  // Usage of speech vendors
  | { readonly type: "stt_usage"; readonly provider: string; readonly model: string; readonly audioMs: number }
  | { readonly type: "tts_usage"; readonly provider: string; readonly model: string; readonly characters: number }
  // Recording and answering machines
  | { readonly type: "recording_ready"; readonly location: string; readonly durationMs: number }
  | { readonly type: "machine_detected"; readonly classification: "human" | "machine" | "fax" | "unknown"; readonly raw: string };

/** Which part of a call an error came from. */
export type CallStage = "stt" | "vad" | "llm" | "tts" | "tool" | "transport" | "carrier" | "callback" | "call";

/** The body of one type of event. */
export type CallEventOf<Type extends CallEventBody["type"]> = Extract<CallEventBody, { readonly type: Type }> & CallEventBase;
