import { dtmfTones } from "../../audio/dtmf-tones.js";
import { audioByteLength, audioDurationMs, MULAW_8K } from "../../core/audio-frame.js";
import type { Clock } from "../../core/clock.js";
import { CarrierError } from "../../core/errors.js";
import { type Deferred, deferred } from "../../core/signals.js";
import type { Transport } from "../../core/transport.js";

const MESSAGE_MS = 200;
/** How long tones may take beyond their length to be reported as played, in ms. */
const GRACE_MS = 3000;
/** What the marks of tones begin with; those of speech have other names. */
const MARK = "tones-";

/** Keys that are played into the line as tones, and wait to be heard. */
export class Tones {
  readonly #clock: Clock;
  readonly #waiting = new Map<string, Deferred<void>>();
  #sent = 0;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Plays the keys' tones; resolves when they have been played. @throws CarrierError for what is no key. */
  async send(digits: string, line: Pick<Transport, "send" | "mark">): Promise<void> {
    if (!/^[0-9*#A-Dw]+$/.test(digits)) throw new CarrierError("These keys cannot be sent: use 0-9 * # A-D, and w for a pause.");
    const bytes = Buffer.concat(dtmfTones(digits, MULAW_8K).map((frame) => frame.bytes));
    const messageBytes = audioByteLength(MULAW_8K, MESSAGE_MS);
    for (let start = 0; start < bytes.length; start += messageBytes)
      line.send({ format: MULAW_8K, bytes: bytes.subarray(start, start + messageBytes) });
    const name = `${MARK}${this.#sent++}`;
    const played = deferred();
    this.#waiting.set(name, played);
    line.mark(name);
    using _limit = this.#clock.setTimer(audioDurationMs(MULAW_8K, bytes.length) + GRACE_MS, () => this.#resolve(name));
    await played.promise;
  }

  /** Takes a mark; says whether it was that of tones. */
  takeMark(name: string): boolean {
    if (!name.startsWith(MARK)) return false;
    this.#resolve(name);
    return true;
  }

  /** The stream that they were sent on is over. */
  lose(): void {
    for (const played of this.#waiting.values())
      played.reject(new CarrierError("The keys were not sent: their stream has ended."));
    this.#waiting.clear();
  }

  #resolve(name: string): void {
    this.#waiting.get(name)?.resolve();
    this.#waiting.delete(name);
  }
}
