import { mix } from "../audio/mix.js";
import { encodeFrame } from "../audio/pcm.js";
import { Resampler } from "../audio/resample.js";
import type { WavAudio } from "../audio/wav.js";
import type { AudioFormat } from "../core/audio-frame.js";
import type { CallEvent } from "../core/call-event.js";
import { ConfigError } from "../core/errors.js";
import { type SpeechSpan, speechSpans } from "./speech-spans.js";

/** Audio kept before and after the speech of a turn, in ms. */
const TURN_MARGIN_MS = 250;
/** How long after the agent's last word a caller begins to speak, in ms. */
const REACTION_MS = 500;
/** A silence that ends a turn of a recording, in ms. Shorter ones are pauses for breath. */
const TURN_PAUSE_MS = 1200;

export interface WavCallerOptions {
  readonly format: AudioFormat;
  /** Whether each turn waits until the agent has finished, or the recording is played as it is. */
  readonly takesTurns: boolean;
  /** Whether the agent speaks first. */
  readonly isGreeted: boolean;
  /** How long the caller waits for an answer before going on without one, in ms. */
  readonly patienceMs: number;
  /** How long the caller stays on the line after the last answer, in ms. */
  readonly hangUpAfterMs: number;
  /** The level of the noise behind everything the caller says, in dBFS; `undefined`: digital silence. */
  readonly noiseDbfs: number | undefined;
}

/**
 * A caller who speaks the turns of a recording, and knows from the call's events when it is their turn.
 * Times are ms on the line's clock.
 */
export class WavCaller {
  readonly #options: WavCallerOptions;
  readonly #turns: readonly Int16Array[];
  readonly #frameSamples: number;
  readonly #noise: LineNoise | undefined;
  #spoken = 0;
  #offset: number | undefined;
  /** What the caller waits for: the greeting, the end of an answer, or only a moment. */
  #awaits: "reply" | "turn" | "moment";
  #sinceMs = 0;
  #isReplying = false;
  /** Whether the turn was taken as over while the last of its silence was still being spoken. */
  #isUnderstood = false;

  /** @throws ConfigError when the recording holds no speech. */
  constructor(wav: WavAudio, options: WavCallerOptions) {
    this.#options = options;
    this.#turns = turnsOf(wav, options);
    this.#frameSamples = options.format.sampleRate / 50;
    this.#noise = options.noiseDbfs === undefined ? undefined : new LineNoise(options.noiseDbfs);
    this.#awaits = options.takesTurns && options.isGreeted ? "reply" : "moment";
  }

  /** Turns of the recording. */
  get turnCount(): number {
    return this.#turns.length;
  }

  /** The next 20 ms of the caller's side, `undefined` for digital silence, or the end of the call. */
  next(nowMs: number): Uint8Array | "hang_up" | undefined {
    if (this.#offset === undefined && !this.#isReplying && this.#isReady(nowMs)) {
      if (this.#spoken === this.#turns.length) return "hang_up";
      this.#offset = 0;
    }
    const voice = this.#offset === undefined ? undefined : this.#speak(this.#offset, nowMs);
    const noise = this.#noise?.next(this.#frameSamples);
    const samples = voice === undefined || noise === undefined ? (voice ?? noise) : mix(voice, noise);
    return samples && encodeFrame(samples, this.#options.format).bytes;
  }

  /** Takes note of what happens in the call. */
  onEvent(event: CallEvent, nowMs: number): void {
    if (event.type === "reply_started") this.#isReplying = true;
    else if (event.type === "turn_committed") this.#onCommitted(nowMs);
    else if (event.type === "reply_ended") {
      this.#isReplying = false;
      if (this.#awaits === "reply") this.#wait("moment", nowMs);
      else this.#sinceMs = nowMs;
    }
  }

  #onCommitted(nowMs: number): void {
    if (this.#offset === undefined) {
      if (this.#awaits === "turn") this.#wait("reply", nowMs);
      return;
    }
    const remaining = (this.#turns[this.#spoken] as Int16Array).length - this.#offset;
    this.#isUnderstood = remaining <= (this.#options.format.sampleRate * TURN_MARGIN_MS) / 1000;
  }

  #isReady(nowMs: number): boolean {
    const { patienceMs, hangUpAfterMs, takesTurns } = this.#options;
    const waitedMs = nowMs - this.#sinceMs;
    if (this.#awaits !== "moment") return waitedMs >= patienceMs;
    if (this.#spoken === this.#turns.length) return waitedMs >= hangUpAfterMs;
    return !takesTurns || waitedMs >= REACTION_MS;
  }

  #speak(from: number, nowMs: number): Int16Array {
    const turn = this.#turns[this.#spoken] as Int16Array;
    const frame = turn.subarray(from, from + this.#frameSamples);
    this.#offset = from + this.#frameSamples;
    if (this.#offset >= turn.length) {
      this.#offset = undefined;
      this.#spoken++;
      this.#wait(this.#isUnderstood ? "reply" : "turn", nowMs);
      this.#isUnderstood = false;
    }
    return frame;
  }

  #wait(what: "reply" | "turn" | "moment", nowMs: number): void {
    this.#awaits = what;
    this.#sinceMs = nowMs;
  }
}

/** White noise, the same in every call: no line and no room is as silent as a file. */
class LineNoise {
  readonly #peak: number;
  #state = 1;

  constructor(dbfs: number) {
    // The root mean square of a uniform distribution is its peak divided by the root of 3.
    this.#peak = 32_768 * 10 ** (dbfs / 20) * Math.sqrt(3);
  }

  next(samples: number): Int16Array {
    return Int16Array.from({ length: samples }, () => {
      // The generator of Park and Miller.
      this.#state = (this.#state * 48_271) % 0x7fff_ffff;
      return Math.round((this.#state / 0x3fff_ffff - 1) * this.#peak);
    });
  }
}

/** Cuts a recording's first channel into turns of whole frames, at the line's rate. */
function turnsOf(wav: WavAudio, { format, takesTurns }: WavCallerOptions): Int16Array[] {
  const { sampleRate } = format;
  const resampler = new Resampler(wav.format.sampleRate, sampleRate);
  const samples = concat(resampler.process(wav.samples()), resampler.flush());
  const spans = speechSpans(samples, sampleRate, TURN_PAUSE_MS);
  if (spans.length === 0) throw new ConfigError("The recording holds no speech: it is empty or silent. Record a caller's voice.");
  const at = (ms: number): number => Math.round((ms * sampleRate) / 1000);
  const stretches = takesTurns ? spans : [{ startMs: 0, endMs: (spans.at(-1) as SpeechSpan).endMs }];
  return stretches.map(({ startMs, endMs }) => {
    const turn = samples.subarray(Math.max(0, at(startMs - TURN_MARGIN_MS)), at(endMs + TURN_MARGIN_MS));
    return wholeFrames(turn, sampleRate);
  });
}

/** The samples, filled up with silence to whole frames of 20 ms. */
function wholeFrames(samples: Int16Array, sampleRate: number): Int16Array {
  const frameSamples = sampleRate / 50;
  const whole = new Int16Array(Math.ceil(samples.length / frameSamples) * frameSamples);
  whole.set(samples);
  return whole;
}

function concat(a: Int16Array, b: Int16Array): Int16Array {
  const both = new Int16Array(a.length + b.length);
  both.set(a);
  both.set(b, a.length);
  return both;
}
