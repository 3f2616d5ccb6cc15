import type { Agent } from "../agent/agent.js";
import { prepareSpeech, requireSpeech } from "../agent/speech.js";
import { bytesOf } from "../audio/pcm.js";
import { type WavAudio, writeWav } from "../audio/wav.js";
import { runCall } from "../call/session.js";
import { type AudioFormat, PCM16_16K } from "../core/audio-frame.js";
import type { Call } from "../core/call.js";
import type { CallEvent } from "../core/call-event.js";
import { type Clock, systemClock } from "../core/clock.js";
import { ConfigError } from "../core/errors.js";
import type { Pricing } from "../observe/pricing.js";
import { type CallRecord, recordOf } from "../observe/recorder.js";
import { type AudibleReply, audibleReplies } from "./audible-replies.js";
import { WavCaller } from "./wav-caller.js";
import { WavLine } from "./wav-line.js";

const PATIENCE_MS = 8000;
const HANG_UP_AFTER_MS = 1000;
const NOISE_DBFS = -65;

export interface WavCallOptions {
  readonly agent: Agent;
  /** What the caller says; the first channel counts. */
  readonly wav: WavAudio;
  /** The line's format. Default pcm16 at 16 kHz. */
  readonly format?: AudioFormat;
  /** Default real time. On a `ScaledClock` models do the same work in less time, so its latencies are no measurement. */
  readonly clock?: Clock;
  /**
   * Whether the recording is cut at its long silences and each part is spoken once the agent has finished (default),
   * or played as it is.
   */
  readonly takesTurns?: boolean;
  /** How long the caller waits for an answer before going on without one, in ms. Default 8,000. */
  readonly patienceMs?: number;
  /** How long the caller stays on the line after the last answer, in ms. Default 1,000. */
  readonly hangUpAfterMs?: number;
  /**
   * The level of the noise on the caller's side, in dBFS. Default -65, a quiet room: no room and no line is as silent as
   * a file. `Number.NEGATIVE_INFINITY`: digital silence.
   */
  readonly noiseDbfs?: number;
  /** Called when the call begins; the greeting waits for it, a second at most. */
  readonly onStart?: (call: Call) => void | Promise<void>;
  /** Called with every event, at once. It must not throw. */
  readonly onEvent?: (event: CallEvent) => void;
  /** Ends the call as `shutdown`. */
  readonly signal?: AbortSignal;
  /** What models cost. Default: the built-in prices. */
  readonly pricing?: Pricing;
}

export interface WavCallResult {
  /** A WAV file: the caller on the left, the agent as it was heard on the right. */
  readonly recording: Uint8Array;
  readonly record: CallRecord;
  /** Every reply that could be heard, measured in the recording. */
  readonly replies: readonly AudibleReply[];
  /** How many turns the recording was cut into. */
  readonly callerTurns: number;
}

/**
 * Holds a call with the agent in which a recording takes the caller's place.
 *
 * @throws ConfigError when the agent cannot hold a spoken call or the recording holds no speech.
 */
export async function runWavCall(options: WavCallOptions): Promise<WavCallResult> {
  const { agent, wav, format = PCM16_16K, clock = systemClock, noiseDbfs = NOISE_DBFS } = options;
  if (Number.isNaN(noiseDbfs) || noiseDbfs > 0)
    throw new ConfigError(`The noise cannot have ${noiseDbfs} dBFS: pass 0 or less, such as -50.`);
  const signal = options.signal ?? new AbortController().signal;
  requireSpeech(agent);
  if (agent.llm === undefined) throw new ConfigError("Nothing can answer: pass llm to phone.agent({ … }).");
  const caller = new WavCaller(wav, {
    format,
    takesTurns: options.takesTurns ?? true,
    isGreeted: agent.firstMessage !== undefined && agent.firstMessage.trim() !== "",
    patienceMs: options.patienceMs ?? PATIENCE_MS,
    hangUpAfterMs: options.hangUpAfterMs ?? HANG_UP_AFTER_MS,
    noiseDbfs: noiseDbfs === Number.NEGATIVE_INFINITY ? undefined : noiseDbfs,
  });
  await prepareSpeech(agent, signal);

  const events: CallEvent[] = [];
  await using line = new WavLine({ format, clock, caller: (nowMs) => caller.next(nowMs) });
  const eventOffsetMs = line.nowMs;
  await runCall({
    agent,
    incoming: {
      callId: crypto.randomUUID(),
      from: "recording",
      to: "agent",
      direction: "inbound",
      customParameters: {},
      transport: line,
      control: line,
    },
    carrier: "wav",
    clock,
    signal,
    ...(options.onStart && { onStart: options.onStart }),
    onEvents: (stream) => {
      stream.subscribe((event) => {
        events.push(event);
        caller.onEvent(event, line.nowMs);
        options.onEvent?.(event);
      });
    },
  });

  const { sampleRate } = format;
  const heard = { ...line.recording(), sampleRate };
  return {
    recording: writeWav({ encoding: "pcm16", sampleRate }, [bytesOf(heard.caller), bytesOf(heard.agent)]),
    record: recordOf(events, options.pricing),
    replies: audibleReplies({ ...heard, gaps: line.gaps, events, eventOffsetMs }),
    callerTurns: caller.turnCount,
  };
}
