import type { Clock } from "../../core/clock.js";
import type { EventLog } from "./events.js";
import { type DialVerb, type TwimlSource, type TwimlStream, type TwimlVerb, TwimlError } from "./twiml.js";

/** What the verbs of a document act on. */
export interface VerbHost {
  readonly clock: Clock;
  readonly log: EventLog;
  /** Takes the call, where that has not happened yet. */
  answer(): void;
  /** Streams until either side ends the socket. */
  connect(stream: TwimlStream, signal: AbortSignal): Promise<void>;
  /** Calls someone and bridges; returns the fields of the request that follows. */
  dial(verb: DialVerb, signal: AbortSignal): Promise<Readonly<Record<string, string>>>;
  /** Ends the call, and throws so that nothing follows. */
  hangUp(status: "completed" | "busy" | "no-answer"): void;
}

/** How fast `<Say>` reads, in ms for each character. */
const SAY_MS = 60;
/** How long `<Play>` sounds one key, in ms, and how long it waits at each `w`. */
const KEY_MS = 200;
const WAIT_MS = 500;

/** Acts on the verbs of one document, in order. Returns where to go on, or nothing when the document is over. */
export async function runVerbs(
  verbs: readonly TwimlVerb[],
  host: VerbHost,
  signal: AbortSignal,
): Promise<TwimlSource | undefined> {
  for (const verb of verbs) {
    signal.throwIfAborted();
    host.log.add({ type: "verb", verb: verb.verb, detail: detailOf(verb) });
    if (verb.verb === "Reject") host.hangUp(verb.reason === "busy" ? "busy" : "no-answer");
    // As the first verb a pause delays the answer.
    if (verb.verb !== "Pause") host.answer();
    const next = await runVerb(verb, host, signal);
    if (next !== undefined) return next;
  }
  return undefined;
}

async function runVerb(verb: TwimlVerb, host: VerbHost, signal: AbortSignal): Promise<TwimlSource | undefined> {
  switch (verb.verb) {
    case "Connect":
      await host.connect(verb.stream, signal);
      return verb.action === undefined ? undefined : { type: "url", ...verb.action };
    case "Dial": {
      const form = await host.dial(verb, signal);
      return verb.action === undefined ? undefined : { type: "url", ...verb.action, form };
    }
    case "Play":
      await host.clock.sleep(keysMs(verb.digits ?? ""), signal);
      return undefined;
    case "Say":
      await host.clock.sleep(verb.text.length * SAY_MS, signal);
      return undefined;
    case "Pause":
      await host.clock.sleep(verb.length * 1000, signal);
      return undefined;
    case "Redirect":
      return { type: "url", ...verb.to };
    case "Hangup":
      host.hangUp("completed");
      return undefined;
    case "Reject":
      throw new TwimlError(12200, "A call that was taken cannot be rejected.");
  }
}

/** How long it takes to press keys, in ms; `w` and `W` wait for half a second and for one. */
export function keysMs(digits: string): number {
  const waits: Readonly<Record<string, number>> = { w: WAIT_MS, W: 2 * WAIT_MS };
  return [...digits].reduce((ms, digit) => ms + (waits[digit] ?? KEY_MS), 0);
}

function detailOf(verb: TwimlVerb): string {
  switch (verb.verb) {
    case "Connect":
      return verb.stream.url;
    case "Dial":
      return verb.to.map(({ to }) => to).join(", ");
    case "Play":
      return verb.digits ?? verb.url ?? "";
    case "Say":
      return verb.text;
    case "Pause":
      return `${verb.length} s`;
    case "Redirect":
      return verb.to.url;
    case "Reject":
      return verb.reason;
    case "Hangup":
      return "";
  }
}
