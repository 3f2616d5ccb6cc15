import { type AudioFormat, audioDurationMs } from "../core/audio-frame.js";
import type { Clock } from "../core/clock.js";
import { ProviderError, ProviderTimeoutError } from "../core/errors.js";
import { AsyncQueue } from "../core/queue.js";
import { onAbort } from "../core/signals.js";
import type { TtsEvent, TtsStream } from "../core/tts.js";
import type { SpeechPart } from "./http-tts.js";
import { isSpeakable, SpokenText } from "./spoken-text.js";
import { WholeSamples } from "./whole-samples.js";
import type { ContextDialect } from "./websocket-tts.js";
import type { ContextReceiver, TtsLine } from "./websocket-tts-line.js";

/** A reply that owes audio and is sent none for so long, in ms, has failed. */
const SILENCE_TIMEOUT_MS = 4000;
/** After so long without more audio, in ms, a flush is complete although its times do not say so. */
const QUIET_MS = 1000;
/** A context that fails in a way that may pass, within this time of being asked for, is asked for once more. */
const ATTEMPTS = 2;
const RETRY_WITHIN_MS = 2000;
const RETRY_AFTER_MS = 200;

export interface ContextStreamOptions {
  readonly dialect: ContextDialect;
  readonly format: AudioFormat;
  readonly clock: Clock;
  readonly signals: readonly AbortSignal[];
  take(receiver: ContextReceiver): Promise<{ readonly line: TtsLine; readonly context: string }>;
  /** The socket is of no more use. */
  retire(line: TtsLine): void;
}

interface Sent {
  readonly text: string;
  readonly flushes: boolean;
}

/** One reply, in a context of a socket. */
export class ContextStream implements TtsStream, ContextReceiver {
  readonly #options: ContextStreamOptions;
  readonly #links: readonly Disposable[];
  readonly #events = new AsyncQueue<TtsEvent>();
  readonly #spoken = new SpokenText();
  readonly #samples: WholeSamples;
  /** What the context was told, or will be once there is one. */
  #texts: Sent[] = [];
  /** Text that waits for its flush. */
  #unsent = "";
  #place: { readonly line: TtsLine; readonly context: string } | undefined;
  #isTaking = false;
  #attempts = 0;
  /** When the first context was asked for. */
  #beganMs: number | undefined;
  #isEnded = false;
  #isOver = false;
  readonly #over = new AbortController();
  #deadline: Disposable | undefined;

  constructor(options: ContextStreamOptions) {
    this.#options = options;
    this.#samples = new WholeSamples(options.format);
    this.#links = options.signals.map((signal) => onAbort(signal, () => this.#drop()));
  }

  write(text: string): void {
    if (this.#isOver) return;
    this.#spoken.write(text);
    this.#unsent += text;
    if (this.#options.dialect.sendsPieces && text !== "") this.#tell(false);
  }

  flush(): void {
    if (this.#isOver) return;
    const text = this.#spoken.flush();
    if (isSpeakable(text)) {
      this.#push([{ type: "usage", characters: text.length }]);
      this.#tell(true);
    }
    this.#push(this.#spoken.completed());
    this.#watch();
  }

  end(): void {
    if (this.#isOver || this.#isEnded) return;
    if (this.#spoken.hasPending) this.flush();
    this.#isEnded = true;
    if (this.#texts.length === 0) this.#finish();
    else this.#place?.line.send(this.#options.dialect.end(this.#place.context));
  }

  [Symbol.asyncIterator](): AsyncIterator<TtsEvent> {
    return {
      next: () => this.#events.next(),
      return: async () => {
        this.#drop();
        return { value: undefined, done: true };
      },
    };
  }

  receive({ bytes, times = [] }: SpeechPart): void {
    this.#push(this.#spoken.addTimes(times, this.#spoken.nextMs));
    const whole = bytes === undefined ? undefined : this.#samples.add(bytes);
    if (whole !== undefined && whole.length > 0) {
      const { format } = this.#options;
      this.#spoken.addAudio(audioDurationMs(format, whole.length));
      this.#push([{ type: "audio", frame: { format, bytes: whole } }]);
    }
    this.#push(this.#spoken.completed());
    this.#watch();
  }

  finished(): void {
    this.#place = undefined;
    this.#texts = [];
    this.#attempts = 0;
    this.#beganMs = undefined;
    this.#samples.reset();
    while (this.#spoken.owed > 0) this.#push(this.#spoken.completeNext());
    // A context that was idle for too long is closed by the vendor; what is written next opens another.
    if (this.#isEnded) this.#finish();
  }

  lost(error: unknown): void {
    this.#place = undefined;
    const { clock } = this.#options;
    const isUnheard = this.#spoken.audioMs === 0 && this.#attempts < ATTEMPTS;
    const isFresh = clock.now() - (this.#beganMs ?? 0) < RETRY_WITHIN_MS;
    if (isUnheard && isFresh && error instanceof ProviderError && error.retryable) void this.#take();
    else this.#fail(error);
  }

  /** Sends what has not been sent. */
  #tell(flushes: boolean): void {
    const sent = { text: this.#unsent, flushes };
    this.#unsent = "";
    this.#texts.push(sent);
    if (this.#place !== undefined) this.#send(sent);
    else if (!this.#isTaking) void this.#take();
  }

  #send({ text, flushes }: Sent): void {
    if (this.#place === undefined) return;
    const { line, context } = this.#place;
    line.send(this.#options.dialect.write(context, text, flushes));
  }

  /** Gets a context and tells it everything so far. */
  async #take(): Promise<void> {
    const { dialect, clock, take } = this.#options;
    this.#isTaking = true;
    this.#beganMs ??= clock.now();
    try {
      if (this.#attempts > 0) await clock.sleep(RETRY_AFTER_MS, this.#over.signal);
      if (this.#isOver) return;
      this.#attempts++;
      const place = await take(this);
      this.#isTaking = false;
      if (this.#isOver) {
        place.line.cancel(place.context);
        return;
      }
      this.#place = place;
      for (const sent of this.#texts) this.#send(sent);
      if (this.#isEnded) place.line.send(dialect.end(place.context));
      this.#watch();
    } catch (error) {
      this.#isTaking = false;
      this.lost(error instanceof ProviderError ? dialect.explain(error) : error);
    }
  }

  /** Something must come while audio is owed. */
  #watch(): void {
    this.#deadline?.[Symbol.dispose]();
    this.#deadline = undefined;
    if (this.#isOver || this.#spoken.owed === 0 || this.#place === undefined) return;
    const { clock } = this.#options;
    if (this.#spoken.hasBegun) {
      this.#deadline = clock.setTimer(QUIET_MS, () => {
        this.#push(this.#spoken.completeNext());
        this.#watch();
      });
      return;
    }
    this.#deadline = clock.setTimer(SILENCE_TIMEOUT_MS, () => this.#timeOut());
  }

  #timeOut(): void {
    const { dialect, retire } = this.#options;
    const { className, provider } = dialect.identity;
    const line = this.#place?.line;
    this.#fail(
      new ProviderTimeoutError(
        `${className} was sent no audio for ${SILENCE_TIMEOUT_MS} ms. Try again, or fall back to another voice.`,
        {
          provider,
        },
      ),
    );
    if (line !== undefined) retire(line);
  }

  #fail(error: unknown): void {
    if (this.#isOver) return;
    this.#events.fail(error);
    this.#close();
  }

  /** An aborted reply ends without an error. */
  #drop(): void {
    if (this.#isOver) return;
    this.#events.end();
    this.#events.drain();
    this.#close();
  }

  #finish(): void {
    this.#events.end();
    this.#close();
  }

  #close(): void {
    this.#isOver = true;
    this.#over.abort();
    this.#deadline?.[Symbol.dispose]();
    for (const link of this.#links) link[Symbol.dispose]();
    this.#place?.line.cancel(this.#place.context);
    this.#place = undefined;
  }

  #push(events: readonly TtsEvent[]): void {
    for (const event of events) this.#events.push(event);
  }
}
