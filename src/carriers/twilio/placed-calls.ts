import type { CarrierHost, Dialling, DialRequest } from "../../core/carrier.js";
import { type DialRules, dialRefusal } from "../telephone/dial-rules.js";
import { maskNumbers } from "../telephone/numbers.js";
import { PlacedCall } from "./placed-call.js";
import { type TwilioRest, TwilioRefusal } from "./rest.js";

/** Twilio's codes for numbers that it does not call: none, none of this account's countries, or not verified. */
const REFUSED_NUMBER_CODES = new Set([13_223, 13_224, 21_210, 21_211, 21_214, 21_215, 21_216, 21_217, 21_219]);

export interface PlacedCallsOptions {
  readonly host: CarrierHost;
  readonly rest: TwilioRest;
  readonly rules: DialRules;
  /** Where Twilio asks what to do with the answered call, and reports its status. */
  readonly addressesOf: (reference: string) => { readonly answerUrl: string; readonly statusUrl: string };
}

/** The calls that were placed and are not answered yet. */
export class PlacedCalls implements Disposable {
  readonly #options: PlacedCallsOptions;
  readonly #byReference = new Map<string, PlacedCall>();

  constructor(options: PlacedCallsOptions) {
    this.#options = options;
  }

  get(reference: string): PlacedCall | undefined {
    return this.#byReference.get(reference);
  }

  /** Places a call. A number that may not be called is an outcome; any other refusal throws. */
  async dial({ to, from, ringTimeoutS, reference }: DialRequest): Promise<Dialling> {
    const { host, rest, rules, addressesOf } = this.#options;
    const refusal = dialRefusal(to, rules);
    if (refusal !== undefined) return rejected(`${maskNumbers(to)} may not be called: ${refusal}.`);
    const logger = host.logger.child({ reference });
    const onSettled = (): void => void this.#byReference.delete(reference);
    const placed = new PlacedCall({ rest, clock: host.clock, logger, ringTimeoutS, onSettled });
    // Its webhooks may come before the request is answered.
    this.#byReference.set(reference, placed);
    try {
      placed.created(await rest.placeCall({ to, from, ringTimeoutS, ...addressesOf(reference) }));
    } catch (error) {
      this.#byReference.delete(reference);
      if (error instanceof TwilioRefusal && REFUSED_NUMBER_CODES.has(error.twilioCode ?? 0)) return rejected(error.message);
      throw error;
    }
    return placed;
  }

  /** Waits for no outcome any more. */
  [Symbol.dispose](): void {
    for (const placed of this.#byReference.values()) placed[Symbol.dispose]();
  }
}

/** What a number that is not called has come to. */
function rejected(message: string): Dialling {
  return { callId: "", outcome: Promise.resolve({ type: "rejected", message }), hangUp: () => Promise.resolve() };
}
