import { decodeMulaw, encodeMulaw } from "../../audio/g711.js";
import { mix } from "../../audio/mix.js";
import { writeWav } from "../../audio/wav.js";
import { MULAW_8K } from "../../core/audio-frame.js";
import type { Clock } from "../../core/clock.js";
import type { Handset } from "./handset.js";
import { newSid } from "./sids.js";
import type { Callback } from "./twiml.js";

/** What a recording is asked to be. */
export interface RecordingOptions {
  readonly channels: 1 | 2;
  readonly source: "OutboundAPI" | "StartCallRecordingAPI";
  readonly track: "inbound" | "outbound" | "both";
  readonly statusCallback: Callback | undefined;
  readonly statusCallbackEvents: readonly string[];
}

/** A recording on the carrier's side. */
export class CallRecording {
  readonly sid = newSid("RE");
  readonly options: RecordingOptions;
  readonly startMs: number;
  readonly #clock: Clock;
  readonly #handset: Handset;
  /** Stretches that were recorded; the last one goes on while there is no end. */
  readonly #stretches: { readonly startMs: number; endMs: number | undefined }[] = [];
  #isCompleted = false;

  constructor(clock: Clock, handset: Handset, options: RecordingOptions) {
    this.#clock = clock;
    this.#handset = handset;
    this.options = options;
    this.startMs = clock.now();
    this.#stretches.push({ startMs: this.startMs, endMs: undefined });
  }

  get status(): "in-progress" | "paused" | "completed" {
    if (this.#isCompleted) return "completed";
    return this.#stretches.at(-1)?.endMs === undefined ? "in-progress" : "paused";
  }

  get durationMs(): number {
    return this.#ended().reduce((sum, { startMs, endMs }) => sum + endMs - startMs, 0);
  }

  pause(): void {
    const last = this.#stretches.at(-1);
    if (last !== undefined) last.endMs ??= this.#clock.now();
  }

  resume(): void {
    if (this.status === "paused") this.#stretches.push({ startMs: this.#clock.now(), endMs: undefined });
  }

  stop(): void {
    this.pause();
    this.#isCompleted = true;
  }

  /** What is told of it. */
  report(callSid: string, accountSid: string): Record<string, string> {
    const { channels, source, track } = this.options;
    const { status } = this;
    return {
      AccountSid: accountSid,
      CallSid: callSid,
      RecordingSid: this.sid,
      RecordingUrl: `https://api.twilio.com/2010-04-01/Accounts/${accountSid}/Recordings/${this.sid}`,
      RecordingStatus: status,
      RecordingChannels: String(channels),
      RecordingSource: source,
      RecordingTrack: track,
      ...(status === "completed" ? { RecordingDuration: String(Math.round(this.durationMs / 1000)) } : {}),
    };
  }

  /** A WAV file, mu-law at 8000 Hz: the person left, the agent right; a single channel holds the tracks that were asked for. */
  wav(): Uint8Array {
    const cut = (side: "said" | "heard"): Uint8Array =>
      Buffer.concat(this.#ended().map(({ startMs, endMs }) => this.#handset[side].between(startMs, endMs)));
    if (this.options.channels === 2) return writeWav(MULAW_8K, [cut("said"), cut("heard")]);
    if (this.options.track !== "both") return writeWav(MULAW_8K, [cut(this.options.track === "inbound" ? "said" : "heard")]);
    return writeWav(MULAW_8K, [encodeMulaw(mix(decodeMulaw(cut("said")), decodeMulaw(cut("heard"))))]);
  }

  #ended(): { readonly startMs: number; readonly endMs: number }[] {
    const nowMs = this.#clock.now();
    return this.#stretches.map(({ startMs, endMs }) => ({ startMs, endMs: endMs ?? nowMs }));
  }
}
