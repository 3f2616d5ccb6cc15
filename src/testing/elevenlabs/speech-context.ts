import type { Clock } from "../../core/clock.js";

/** How many characters begin the first, second … generation when nothing is flushed. */
const DEFAULT_SCHEDULE: readonly number[] = [120, 160, 250, 290];
/** How many characters `try_trigger_generation` needs. */
const TRIGGER_CHARACTERS = 50;

export interface SpeechContextOptions {
  readonly clock: Clock;
  readonly autoMode: boolean;
  readonly schedule: readonly number[] | undefined;
  readonly inactivityMs: number;
  /** Speaks one generation to its end. Rejects when the client has left. */
  speak(text: string): Promise<void>;
  /** Everything was spoken and no more will be. */
  onClosed(): void;
}

/** One context of a socket: a buffer of text, and what is being spoken of it. */
export class SpeechContext implements Disposable {
  readonly #options: SpeechContextOptions;
  #buffer = "";
  #generations = 0;
  #speaking: Promise<void> = Promise.resolve();
  #inactivity: Disposable | undefined;
  #isOver = false;

  constructor(options: SpeechContextOptions) {
    this.#options = options;
    this.#watch();
  }

  /** Adds text, and speaks it when enough has come together. */
  write(text: string, triggers: boolean): void {
    this.#watch();
    this.#buffer += text;
    const { autoMode, schedule = DEFAULT_SCHEDULE } = this.#options;
    const wanted = schedule[Math.min(this.#generations, schedule.length - 1)] ?? 0;
    const limit = triggers ? Math.min(wanted, TRIGGER_CHARACTERS) : wanted;
    if (autoMode || this.#buffer.length >= limit) this.flush();
  }

  /** Speaks all text so far. */
  flush(): void {
    const text = this.#buffer.trimStart();
    if (text.trim() === "") return;
    this.#buffer = "";
    this.#generations++;
    this.#speaking = this.#speaking.then(() => (this.#isOver ? undefined : this.#options.speak(text))).catch(() => {});
  }

  /** Ends when all that was flushed has been spoken; what was not is dropped. */
  close(): void {
    this.#inactivity?.[Symbol.dispose]();
    this.#buffer = "";
    void this.#speaking.then(() => {
      if (this.#isOver) return;
      this.#isOver = true;
      this.#options.onClosed();
    });
  }

  /** The connection is gone. */
  [Symbol.dispose](): void {
    this.#isOver = true;
    this.#inactivity?.[Symbol.dispose]();
  }

  #watch(): void {
    this.#inactivity?.[Symbol.dispose]();
    this.#inactivity = this.#options.clock.setTimer(this.#options.inactivityMs, () => this.close());
  }
}
