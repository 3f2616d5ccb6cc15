import type { Call } from "../core/call.js";
import type { CallEventBody } from "../core/call-event.js";
import type { Clock } from "../core/clock.js";
import { within } from "../core/signals.js";
import { errorEvent } from "./error-event.js";

/** How long `onStart` may hold the greeting back, in ms. */
const ON_START_MS = 1000;

export interface CallStart {
  readonly call: Call;
  /** Called before the greeting, which waits for it, a second at most. */
  readonly onStart: ((call: Call) => void | Promise<void>) | undefined;
  readonly clock: Clock;
  emit(body: CallEventBody): void;
}

/** Tells the program that a call has begun. What its callback throws is reported and harms nothing. */
export async function announceStart({ call, onStart, clock, emit }: CallStart): Promise<void> {
  if (onStart === undefined) return;
  const started = (async () => onStart(call))().catch((error: unknown) => emit(errorEvent("callback", error)));
  await within(clock, ON_START_MS, started);
}
