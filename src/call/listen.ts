import { Transcoder } from "../audio/transcode.js";
import { type AudioFormat, type AudioFrame, audioDurationMs, chooseFormat } from "../core/audio-frame.js";
import type { Clock } from "../core/clock.js";
import { PatterError, ProviderError } from "../core/errors.js";
import { AsyncQueue } from "../core/queue.js";
import type { Scope } from "../core/scope.js";
import { untilAborted } from "../core/signals.js";
import type { STT, SttStream } from "../core/stt.js";
import type { Transport } from "../core/transport.js";
import type { VAD, VadStream } from "../core/vad.js";
import type { TurnInput } from "./turn-input.js";

/** How often recognition may fail in a row, without a word between, before the call is given up. */
const STT_ATTEMPTS = 3;
/** Frames kept while it is opened again; the oldest go first. At 20 ms a frame, 5 s. */
const MISSED_FRAMES = 250;
/** How long it is left alone before that, in ms, times the failures in a row. */
const STT_RETRY_MS = 250;

export interface ListenOptions {
  readonly transport: Transport;
  readonly stt: STT | undefined;
  readonly vad: VAD | undefined;
  readonly language: string;
  readonly clock: Clock;
  readonly scope: Scope;
  readonly inbox: AsyncQueue<TurnInput>;
  /** Sees every frame of the caller, before anything else does. */
  readonly onFrame: (frame: AudioFrame) => void;
}

/**
 * Hears the caller: feeds each frame, once per wanted format, to recognition and voice detection,
 * and puts what they and the transport report into the inbox, in order.
 */
export class Listener {
  readonly #options: ListenOptions;
  readonly #inlets: Inlet[] = [];
  #stt: SttStream | undefined;
  /** Whether the words of everything heard were asked for and have not come. */
  #owesFinal = false;
  /** The clock's time at which sample 0 of the caller's audio would have arrived, had none been late. */
  #audioStartMs = 0;
  #audioMs = 0;

  constructor(options: ListenOptions) {
    this.#options = options;
  }

  /** Starts the tasks that listen until the scope closes. */
  start(): void {
    const { scope, stt, vad } = this.#options;
    if (stt !== undefined) scope.run((signal) => this.#recognise(stt, signal));
    if (vad !== undefined) scope.run((signal) => this.#detect(vad, signal));
    scope.run(() => this.#receive());
  }

  /** Asks for the words of everything heard so far. */
  finalize(): void {
    this.#owesFinal = true;
    this.#stt?.finalize();
  }

  async #receive(): Promise<void> {
    const { transport, clock, inbox, onFrame } = this.#options;
    for await (const event of transport.received) {
      if (event.type !== "audio") {
        inbox.push({ type: "transport", event });
        continue;
      }
      this.#audioMs += audioDurationMs(event.frame.format, event.frame.bytes.length);
      this.#audioStartMs = clock.now() - this.#audioMs;
      onFrame(event.frame);
      for (const inlet of this.#inlets) inlet.write(event.frame);
    }
  }

  async #recognise(stt: STT, signal: AbortSignal): Promise<void> {
    const { transport, clock, inbox, language } = this.#options;
    const format = chooseFormat(stt.inputFormats, transport.format);
    // What comes while recognition is being opened again waits for it.
    const missed = new AsyncQueue<AudioFrame>({ capacity: MISSED_FRAMES });
    let partial = "";
    for (let attempt = 1; !signal.aborted; attempt++) {
      await using stream = stt.open({ language, format, signal, clock });
      this.#stt = stream;
      for (const frame of missed.drain()) stream.write(frame);
      if (this.#owesFinal) stream.finalize();
      let isOpen = true;
      const inlet = this.#addInlet(format, (frame) => (isOpen ? stream.write(frame) : missed.push(frame)));
      try {
        for await (const event of untilAborted(stream, signal)) {
          if (event.type === "partial" || event.type === "final") {
            partial = event.type === "partial" ? event.transcript : "";
            if (event.type === "final" && event.finalized === true) this.#owesFinal = false;
            if (event.transcript !== "") attempt = 0;
          }
          inbox.push({ type: "stt", event });
        }
        throw endedEarly(stt.provider);
      } catch (error) {
        if (signal.aborted) return;
        const retry = attempt < STT_ATTEMPTS && error instanceof PatterError && error.retryable;
        if (!retry) {
          inbox.push({ type: "stage_failed", stage: "stt", error });
          return;
        }
        isOpen = false;
        this.#stt = undefined;
        // The next stream knows nothing of the words so far.
        if (partial !== "") inbox.push({ type: "stt", event: { type: "final", transcript: partial } });
        partial = "";
        await clock.sleep(STT_RETRY_MS * Math.max(1, attempt), signal);
      } finally {
        this.#inlets.splice(this.#inlets.indexOf(inlet), 1);
      }
    }
  }

  async #detect(vad: VAD, signal: AbortSignal): Promise<void> {
    const { clock, inbox } = this.#options;
    await using stream: VadStream = vad.open({ signal, clock });
    const openedAtMs = this.#audioMs;
    const inlet = this.#addInlet(vad.inputFormat, (frame) => stream.write(frame));
    try {
      for await (const event of untilAborted(stream, signal)) {
        inbox.push({ type: "vad", event, clockMs: this.#audioStartMs + openedAtMs + event.audioMs });
      }
      throw endedEarly(vad.provider);
    } catch (error) {
      if (!signal.aborted) inbox.push({ type: "stage_failed", stage: "vad", error });
    } finally {
      this.#inlets.splice(this.#inlets.indexOf(inlet), 1);
    }
  }

  #addInlet(format: AudioFormat, write: (frame: AudioFrame) => void): Inlet {
    const inlet = new Inlet(this.#options.transport.format, format, write);
    this.#inlets.push(inlet);
    return inlet;
  }
}

/** A stream that ends while the call goes on would leave it deaf. */
function endedEarly(provider: string): ProviderError {
  return new ProviderError(`${provider} ended its stream before the call ended.`, { provider, retryable: true });
}

/** Converts the transport's frames for one reader; frames of the right format pass untouched. */
class Inlet {
  readonly #transcoder: Transcoder;
  readonly #write: (frame: AudioFrame) => void;

  constructor(from: AudioFormat, to: AudioFormat, write: (frame: AudioFrame) => void) {
    this.#transcoder = new Transcoder(from, to);
    this.#write = write;
  }

  write(frame: AudioFrame): void {
    this.#write(this.#transcoder.process(frame));
  }
}
