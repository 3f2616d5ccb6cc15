import { randomUUID } from "node:crypto";
import type { Clock } from "../../core/clock.js";
import { errorMessage } from "../../core/errors.js";
import { ChildController, abortable } from "../../core/signals.js";
import type { TwilioNetwork } from "./network.js";
import { twilioSignature } from "./signature.js";
import type { Callback } from "./twiml.js";

/** What a webhook is for: instructions, or a report of the call, of what answered, of a recording or of a media socket. */
export type TwilioWebhookPurpose = "instructions" | "status" | "amd" | "recording" | "stream";

/** A request to the program under test, and what came of it. */
export interface TwilioWebhook {
  readonly purpose: TwilioWebhookPurpose;
  readonly method: "GET" | "POST";
  readonly url: string;
  readonly form: Readonly<Record<string, string>>;
  readonly headers: Readonly<Record<string, string>>;
  /** When it was sent, in ms of the emulator's clock. */
  readonly atMs: number;
  /** The answer's status; `undefined` when there was none. */
  readonly status: number | undefined;
  readonly body: string;
  /** Why there was no answer. */
  readonly failure?: string;
}

/** What goes wrong with one webhook: it never leaves, it leaves twice, or late and overtaken by later ones. */
export type TwilioWebhookFault = "lose" | "duplicate" | { readonly delayMs: number };

/** Who signs, and how webhooks travel. */
export interface WebhooksOptions {
  readonly clock: Clock;
  readonly network: TwilioNetwork;
  readonly authToken: string;
  /** How long an answer may take, in ms. */
  readonly timeoutMs: number;
  /** Decides on each webhook before it is sent. */
  readonly fault: ((webhook: TwilioWebhook) => TwilioWebhookFault | undefined) | undefined;
}

/** Signs and sends webhooks, with what goes wrong on their way. */
export class Webhooks {
  readonly #options: WebhooksOptions;
  readonly #all: TwilioWebhook[] = [];

  constructor(options: WebhooksOptions) {
    this.#options = options;
  }

  /** Every webhook that was answered or failed, in that order. */
  get all(): readonly TwilioWebhook[] {
    return this.#all;
  }

  /** What a webhook is going to suffer; asked once for each. */
  faultOf(purpose: TwilioWebhookPurpose, to: Callback, form: Readonly<Record<string, string>>): TwilioWebhookFault | undefined {
    return this.#options.fault?.(this.#webhook(purpose, to, form));
  }

  /** Sends a webhook and returns it with its answer; the second of a duplicate has the same idempotency token. */
  async send(
    purpose: TwilioWebhookPurpose,
    to: Callback,
    form: Readonly<Record<string, string>>,
    { signal, fault }: { readonly signal: AbortSignal; readonly fault: TwilioWebhookFault | undefined },
  ): Promise<TwilioWebhook> {
    const webhook = this.#webhook(purpose, to, form);
    if (fault === "lose") return this.#keep({ ...webhook, failure: "It was lost." });
    if (typeof fault === "object") await this.#options.clock.sleep(fault.delayMs, signal);
    const first = await this.#deliver(webhook, signal);
    if (fault === "duplicate") await this.#deliver(webhook, signal);
    return first;
  }

  #webhook(purpose: TwilioWebhookPurpose, { url, method }: Callback, form: Readonly<Record<string, string>>): TwilioWebhook {
    const address = new URL(url);
    if (method === "GET") for (const [name, value] of Object.entries(form)) address.searchParams.append(name, value);
    const { href } = address;
    const headers = {
      accept: "*/*",
      "user-agent": "TwilioProxy/1.1",
      "x-twilio-signature": this.sign(href, method === "POST" ? form : {}),
      "i-twilio-idempotency-token": randomUUID(),
      ...(method === "POST" ? { "content-type": "application/x-www-form-urlencoded; charset=UTF-8" } : {}),
    };
    return { purpose, method, url: href, form, headers, atMs: this.#options.clock.now(), status: undefined, body: "" };
  }

  /** The signature of a request with this form. */
  sign(url: string, form: Readonly<Record<string, string>> = {}): string {
    return twilioSignature(this.#options.authToken, url, new URLSearchParams(form));
  }

  async #deliver(webhook: TwilioWebhook, signal: AbortSignal): Promise<TwilioWebhook> {
    const { clock, network, timeoutMs } = this.#options;
    const { method, url, headers } = webhook;
    const body = method === "POST" ? new URLSearchParams(webhook.form).toString() : "";
    const sent = { ...webhook, atMs: clock.now() };
    using controller = new ChildController(signal);
    const late = new Error(`It was not answered within ${timeoutMs} ms.`);
    using _deadline = clock.setTimer(timeoutMs, () => controller.abort(late));
    try {
      const { status, body: answer } = await abortable(
        network.request({ method, url, headers, body }, controller.signal),
        controller.signal,
      );
      return this.#keep({ ...sent, status, body: answer });
    } catch (error) {
      signal.throwIfAborted();
      return this.#keep({ ...sent, failure: errorMessage(controller.signal.aborted ? controller.signal.reason : error) });
    }
  }

  #keep(webhook: TwilioWebhook): TwilioWebhook {
    this.#all.push(webhook);
    return webhook;
  }
}
