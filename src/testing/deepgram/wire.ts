/** What Deepgram sends over `/v1/listen`. Times are in seconds of audio. */
export type NovaMessage = NovaResults | NovaMetadata | NovaSpeechStarted | NovaUtteranceEnd;

export interface NovaWord {
  readonly word: string;
  readonly start: number;
  readonly end: number;
  readonly confidence: number;
  readonly punctuated_word?: string;
}

export interface NovaResults {
  readonly type: "Results";
  /** Which channel of how many. */
  readonly channel_index: [number, number];
  readonly start: number;
  readonly duration: number;
  readonly is_final: boolean;
  readonly speech_final: boolean;
  readonly from_finalize: boolean;
  readonly channel: {
    readonly alternatives: { readonly transcript: string; readonly confidence: number; readonly words: NovaWord[] }[];
  };
  readonly metadata: {
    readonly request_id: string;
    readonly model_uuid: string;
    readonly model_info: { readonly name: string; readonly version: string; readonly arch: string };
  };
}

export interface NovaMetadata {
  readonly type: "Metadata";
  readonly transaction_key: "deprecated";
  readonly request_id: string;
  readonly sha256: string;
  readonly created: string;
  readonly duration: number;
  readonly channels: number;
}

export interface NovaSpeechStarted {
  readonly type: "SpeechStarted";
  readonly channel: number[];
  readonly timestamp: number;
}

export interface NovaUtteranceEnd {
  readonly type: "UtteranceEnd";
  readonly channel: number[];
  readonly last_word_end: number;
}

/** What Deepgram sends over `/v2/listen`; every message also has a `sequence_id`. Times are in seconds of audio. */
export type FluxMessage = FluxConnected | FluxTurnInfo | FluxConfigureSuccess | FluxError;

export interface FluxConnected {
  readonly type: "Connected";
  readonly request_id: string;
}

export interface FluxWord {
  readonly word: string;
  readonly confidence: number;
  readonly start: number;
  readonly end: number;
}

export interface FluxTurnInfo {
  readonly type: "TurnInfo";
  readonly request_id: string;
  readonly event: "Update" | "StartOfTurn" | "EagerEndOfTurn" | "TurnResumed" | "EndOfTurn";
  readonly turn_index: number;
  readonly audio_window_start: number;
  readonly audio_window_end: number;
  /** Of the whole turn so far. */
  readonly transcript: string;
  readonly words: FluxWord[];
  readonly end_of_turn_confidence: number;
  /** What ended the turn; with `EndOfTurn` only. */
  readonly trigger?: "model" | "timeout" | "manual";
}

export interface FluxThresholds {
  readonly eager_eot_threshold?: number;
  readonly eot_threshold?: number;
  readonly eot_timeout_ms?: number;
}

export interface FluxConfigureSuccess {
  readonly type: "ConfigureSuccess";
  readonly request_id: string;
  readonly thresholds: FluxThresholds;
  readonly keyterms: string[];
}

export interface FluxError {
  readonly type: "Error";
  readonly code: string;
  readonly description: string;
}

/** The body of a refused handshake. */
export interface DeepgramErrorBody {
  readonly err_code: string;
  readonly err_msg: string;
  readonly request_id: string;
}
