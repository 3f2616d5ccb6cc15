import type { CallServices, StatusReports } from "./call-services.js";
import type { EventLog } from "./events.js";
import type { TwilioCallStatus } from "./statuses.js";

/** The event that a subscriber asks for to be told of a status. */
function eventOf(status: TwilioCallStatus): string {
  if (status === "initiated" || status === "ringing") return status;
  return status === "in-progress" ? "answered" : "completed";
}

/** Reports the progress of one call: each report after the one before was answered, except those that are delayed. */
export class StatusReporter {
  readonly #services: CallServices;
  readonly #log: EventLog;
  readonly #reports: StatusReports | undefined;
  #sequence = 0;
  #sent: Promise<void> = Promise.resolve();

  constructor(services: CallServices, log: EventLog, reports: StatusReports | undefined) {
    this.#services = services;
    this.#log = log;
    this.#reports = reports;
  }

  /** Resolves when every report so far was answered or has failed, but for those that are delayed. */
  get settled(): Promise<void> {
    return this.#sent;
  }

  report(status: TwilioCallStatus, form: Readonly<Record<string, string>>): void {
    const reports = this.#reports;
    if (status === "queued" || reports === undefined || !reports.events.includes(eventOf(status))) return;
    const { webhooks, scope, clock } = this.#services;
    const fields = {
      ...form,
      CallStatus: status,
      CallbackSource: "call-progress-events",
      Timestamp: twilioDate(clock.epochMs()),
      SequenceNumber: String(this.#sequence++),
    };
    const fault = webhooks.faultOf("status", reports.to, fields);
    const before = typeof fault === "object" ? Promise.resolve() : this.#sent;
    const sending = (async () => {
      await before;
      this.#log.add({
        type: "webhook",
        webhook: await webhooks.send("status", reports.to, fields, { signal: scope.signal, fault }),
      });
    })();
    scope.run(() => sending);
    // What a report fails with is in its webhook; only the emulator's own end stops it.
    if (typeof fault !== "object") this.#sent = sending.catch(() => {});
  }
}

/** A date as Twilio writes it: `Sun, 22 Nov 2026 22:57:46 +0000`. */
export function twilioDate(epochMs: number): string {
  return new Date(epochMs).toUTCString().replace("GMT", "+0000");
}
