import { MULAW_SILENCE } from "../../audio/g711.js";
import { MULAW_8K, audioByteLength, audioDurationMs } from "../../core/audio-frame.js";

/** Audio without a gap: mu-law, 8000 Hz. */
export interface SoundSegment {
  /** On the emulator's clock, in ms. */
  readonly startMs: number;
  readonly endMs: number;
  readonly audio: Uint8Array;
}

interface GrowingSegment {
  readonly startMs: number;
  endMs: number;
  readonly parts: Uint8Array[];
}

/** What one side of a call sounded like, and when; silence takes no memory. */
export class SoundTrack {
  readonly #segments: GrowingSegment[] = [];

  /** Adds audio that began to sound at `startMs`. */
  add(startMs: number, audio: Uint8Array): void {
    if (audio.length === 0) return;
    const endMs = startMs + audioDurationMs(MULAW_8K, audio.length);
    const last = this.#segments.at(-1);
    // Times are sums of 20 ms: what differs by less than half a sample follows without a gap.
    if (last !== undefined && Math.abs(last.endMs - startMs) < 0.06) {
      last.parts.push(audio);
      last.endMs = endMs;
      return;
    }
    this.#segments.push({ startMs, endMs, parts: [audio] });
  }

  /** Stretches of audio without a gap, in order. */
  get segments(): SoundSegment[] {
    return this.#segments.map(({ startMs, endMs, parts }) => ({ startMs, endMs, audio: Buffer.concat(parts) }));
  }

  /** Every byte of audio so far, in one piece, without the silence between. */
  get audio(): Uint8Array {
    return Buffer.concat(this.#segments.flatMap(({ parts }) => parts));
  }

  /** All audio so far, in ms. */
  get durationMs(): number {
    return this.#segments.reduce(
      (sum, { parts }) => sum + parts.reduce((ms, part) => ms + audioDurationMs(MULAW_8K, part.length), 0),
      0,
    );
  }

  /** When the last audio has sounded, on the emulator's clock; `undefined` before any. */
  get endMs(): number | undefined {
    return this.#segments.at(-1)?.endMs;
  }

  /** The stretch between two times, silence included: mu-law, 8000 Hz. */
  between(startMs: number, endMs: number): Uint8Array {
    const whole = new Uint8Array(audioByteLength(MULAW_8K, Math.max(0, endMs - startMs))).fill(MULAW_SILENCE);
    for (const segment of this.segments) {
      const offset = Math.round(((segment.startMs - startMs) * MULAW_8K.sampleRate) / 1000);
      const audio = segment.audio.subarray(Math.max(0, -offset), Math.max(0, whole.length - offset));
      whole.set(audio, Math.max(0, Math.min(offset, whole.length)));
    }
    return whole;
  }
}
