import type { Clock } from "../../core/clock.js";
import type { TwilioCallStatus } from "./statuses.js";
import type { TwilioWebhook } from "./webhooks.js";

/** Something that happened in a call. */
export type TwilioHappening =
  | { readonly type: "status"; readonly status: TwilioCallStatus }
  /** A request to the program under test was answered, or failed. */
  | { readonly type: "webhook"; readonly webhook: TwilioWebhook }
  /** A verb of TwiML begins. */
  | { readonly type: "verb"; readonly verb: string; readonly detail: string }
  | { readonly type: "stream_started"; readonly streamSid: string }
  /** `program`: it closed the socket. `twilio`: the call ended or went on elsewhere. `lost`: the socket was dropped. */
  | { readonly type: "stream_stopped"; readonly streamSid: string; readonly by: "program" | "twilio" | "lost" }
  /** Audio came from the program, in bytes of mu-law. */
  | { readonly type: "media"; readonly audioBytes: number }
  /** The program's audio begins to sound, or there is no more of it. */
  | { readonly type: "playout_started" | "playout_ended" }
  | { readonly type: "clear"; readonly droppedBytes: number }
  /** A mark went back to the program. */
  | { readonly type: "mark"; readonly name: string; readonly outcome: "played" | "cleared" }
  | { readonly type: "digit"; readonly digit: string }
  /** What Twilio would list in its debugger, with its number. */
  | { readonly type: "error"; readonly code: number; readonly message: string };

/** Something that happened in a call, and when on the emulator's clock, in ms. */
export type TwilioCallEvent = TwilioHappening & { readonly atMs: number };

interface Waiting {
  readonly isWanted: (event: TwilioCallEvent) => boolean;
  readonly resolve: (event: TwilioCallEvent) => void;
  readonly reject: (error: Error) => void;
}

/** Everything that happened in one call, in order. */
export class EventLog {
  readonly #clock: Clock;
  readonly events: TwilioCallEvent[] = [];
  #waiting: Waiting[] = [];
  #closed: string | undefined;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  add(happening: TwilioHappening): void {
    const event = { ...happening, atMs: this.#clock.now() };
    this.events.push(event);
    this.#waiting = this.#waiting.filter(({ isWanted, resolve }) => {
      if (!isWanted(event)) return true;
      resolve(event);
      return false;
    });
  }

  /** The errors among them, each as `11200: …`. */
  get errors(): string[] {
    return this.events.flatMap((event) => (event.type === "error" ? [`${event.code}: ${event.message}`] : []));
  }

  /** The first event that is wanted, of the past ones too. Rejects when there will be none. */
  first(isWanted: (event: TwilioCallEvent) => boolean): Promise<TwilioCallEvent> {
    const past = this.events.find(isWanted);
    if (past !== undefined) return Promise.resolve(past);
    if (this.#closed !== undefined) return Promise.reject(new Error(this.#closed));
    return new Promise((resolve, reject) => {
      this.#waiting.push({ isWanted, resolve, reject });
    });
  }

  /** No more events come: whoever waits is told why. */
  close(reason: string): void {
    this.#closed = reason;
    for (const { reject } of this.#waiting.splice(0)) reject(new Error(reason));
  }
}
