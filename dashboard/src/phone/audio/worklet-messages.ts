import type { AudioFormat } from "../../../../src/core/audio-frame.js";

/** What the page tells the `speaker` worklet. */
export type SpeakerCommand =
  | { readonly type: "audio"; readonly bytes: Uint8Array }
  | { readonly type: "mark"; readonly name: string }
  | { readonly type: "boundary" }
  | { readonly type: "clear" };

/** What the `speaker` worklet reports. `frame` is on the audio context's time, in samples. */
export type SpeakerReport =
  | { readonly type: "mark"; readonly name: string; readonly frame: number }
  | { readonly type: "cleared"; readonly names: readonly string[] }
  | { readonly type: "gap"; readonly durationMs: number; readonly atMark: boolean }
  | { readonly type: "overflow" }
  | LevelReport;

/** What the `microphone` worklet reports. */
export type MicrophoneReport = { readonly type: "frame"; readonly bytes: Uint8Array<ArrayBuffer> } | LevelReport;

/** Loudness of the last 50 ms: root mean square, 0 to 1. */
export interface LevelReport {
  readonly type: "level";
  readonly level: number;
}

/** What both worklets are told when they are made: the format of the wire. */
export interface WorkletOptions {
  readonly format: AudioFormat;
}
