import { randomBytes } from "node:crypto";
import type { Clock } from "../../core/clock.js";

/** How long a carrier has between being told a stream's address and opening it, in ms. */
const TOKEN_LIFE_MS = 60_000;

interface Entry<T> {
  readonly value: T;
  readonly expiresAtMs: number;
}

/** Secrets in the addresses of media streams: each opens one stream, once, and a call has one at a time. */
export class StreamTokens<T> {
  readonly #clock: Clock;
  readonly #entries = new Map<string, Entry<T>>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /**
   * The token of `value`: a new one, or the one that it has and that was not used yet, for another minute. A carrier may
   * ask twice and go by either answer.
   */
  issue(value: T): string {
    const token = this.#unused(value) ?? randomBytes(24).toString("base64url");
    this.#entries.set(token, { value, expiresAtMs: this.#clock.now() + TOKEN_LIFE_MS });
    return token;
  }

  /** What the token stands for; the second time, and after a minute, nothing. */
  redeem(token: string): T | undefined {
    const entry = this.#entries.get(token);
    this.#entries.delete(token);
    return entry !== undefined && this.#clock.now() < entry.expiresAtMs ? entry.value : undefined;
  }

  /** Forgets the token of `value`. */
  revoke(value: T): void {
    for (const [token, entry] of this.#entries) if (entry.value === value) this.#entries.delete(token);
  }

  #unused(value: T): string | undefined {
    for (const [token, entry] of this.#entries) if (entry.value === value) return token;
    return undefined;
  }
}
