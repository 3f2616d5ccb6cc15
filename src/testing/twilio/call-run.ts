import { errorMessage } from "../../core/errors.js";
import { abortable, ChildController, deferred } from "../../core/signals.js";
import { bridge } from "./bridge.js";
import { TwilioCall } from "./call.js";
import type { CallServices, CallSetup } from "./call-services.js";
import { CallTimes } from "./call-times.js";
import { connectStream } from "./connect-stream.js";
import { EventLog } from "./events.js";
import { Handset } from "./handset.js";
import type { MediaStream } from "./media-stream.js";
import { CallRecording, type RecordingOptions } from "./recording.js";
import { ring } from "./ringing.js";
import { newSid } from "./sids.js";
import { StatusReporter } from "./status-reports.js";
import type { TwilioAnsweredBy, TwilioCallStatus, TwilioFinalStatus } from "./statuses.js";
import { type Callback, type DialVerb, parseTwiml, TwimlError, type TwimlSource, type TwimlVerb } from "./twiml.js";
import { runVerbs } from "./verbs.js";
import type { TwilioWebhook, TwilioWebhookPurpose } from "./webhooks.js";

/** One call from its first moment to its last: who is rung, which instructions are followed, what is reported. */
export class CallRun {
  readonly sid = newSid("CA");
  readonly setup: CallSetup;
  readonly log: EventLog;
  readonly handset = new Handset();
  readonly times: CallTimes;
  readonly recordings: CallRecording[] = [];
  /** What tests see of it. */
  readonly call: TwilioCall;
  /** How the network calls each end. */
  readonly sipResponseCodes = { completed: 200, busy: 486, failed: 503, "no-answer": 487, canceled: 487 };
  readonly #services: CallServices;
  readonly #reporter: StatusReporter;
  readonly #life: ChildController;
  readonly #ended = deferred<TwilioFinalStatus>();
  readonly #decided = deferred();
  #status: TwilioCallStatus;
  #final: TwilioFinalStatus = "completed";
  #document: ChildController | undefined;
  #redirected: TwimlSource | undefined;
  /** The media socket that is open now. */
  stream: MediaStream | undefined;
  /** What answering-machine detection has found. */
  answeredBy: TwilioAnsweredBy | undefined;

  constructor(setup: CallSetup, services: CallServices) {
    this.setup = setup;
    this.#services = services;
    this.log = new EventLog(services.clock);
    this.times = new CallTimes(services.clock);
    this.call = new TwilioCall(this);
    this.#reporter = new StatusReporter(services, this.log, setup.reports);
    this.#life = new ChildController(services.scope.signal);
    this.#status = setup.direction === "inbound" ? "ringing" : "queued";
    this.log.add({ type: "status", status: this.#status });
    services.scope.run(() => this.#live(this.#life.signal));
  }

  get status(): TwilioCallStatus {
    return this.#status;
  }

  /** Resolves when the call was answered, or is over. */
  get decided(): Promise<void> {
    return this.#decided.promise;
  }

  get ended(): Promise<TwilioFinalStatus> {
    return this.#ended.promise;
  }

  end(status: TwilioFinalStatus): void {
    if (this.#life.signal.aborted) return;
    this.#final = status;
    this.#life.abort();
  }

  /** Ends the call from within: throws, so that nothing follows. */
  giveUp(status: TwilioFinalStatus): void {
    this.end(status);
    this.#life.signal.throwIfAborted();
  }

  /** Leaves what is going on for other instructions. */
  redirect(source: TwimlSource): void {
    this.#redirected = source;
    this.#document?.abort();
  }

  /** The person takes the call, where they have not yet. */
  answer(): void {
    if (this.times.isAnswered) return;
    const { timeLimitMs, recording } = this.setup;
    this.times.answer();
    this.enter("in-progress");
    this.#decided.resolve();
    if (recording !== undefined) this.record(recording);
    if (timeLimitMs !== undefined) this.later(timeLimitMs, () => this.end("completed"));
  }

  enter(status: TwilioCallStatus, form: Readonly<Record<string, string>> = {}): void {
    this.#status = status;
    this.log.add({ type: "status", status });
    this.#reporter.report(status, { ...this.form(), ...form });
  }

  record(options: RecordingOptions): CallRecording {
    const recording = new CallRecording(this.#services.clock, this.handset, options);
    this.recordings.push(recording);
    this.#reportRecording(recording, "in-progress");
    return recording;
  }

  stopRecording(recording: CallRecording): void {
    if (recording.status === "completed") return;
    recording.stop();
    this.#reportRecording(recording, "completed");
  }

  /** Does something after a while, unless the call is over by then. */
  later(ms: number, run: () => void): void {
    const { clock, scope } = this.#services;
    const { signal } = this.#life;
    scope.run(async () => {
      // It rejects when the call ends; there is nothing to do then.
      await clock.sleep(ms, signal).catch(() => {});
      if (!signal.aborted) run();
    });
  }

  /** Sends a webhook that nobody waits for; it may outlive the call. */
  tell(purpose: TwilioWebhookPurpose, to: Callback, form: Readonly<Record<string, string>>): void {
    this.#services.scope.run(async (signal) => {
      await this.#post(purpose, to, form, signal);
    });
  }

  /** The fields of every request about this call. */
  form(): Record<string, string> {
    const { from, to, direction, parentCallSid } = this.setup;
    return {
      CallSid: this.sid,
      AccountSid: this.#services.accountSid,
      ApiVersion: "2010-04-01",
      From: from,
      To: to,
      Caller: from,
      Called: to,
      CallStatus: this.#status,
      Direction: direction,
      ...(parentCallSid === undefined ? {} : { ParentCallSid: parentCallSid }),
    };
  }

  async #live(signal: AbortSignal): Promise<void> {
    const { direction, source } = this.setup;
    try {
      if (direction !== "inbound") await ring(this, this.#services, signal);
      if (source === undefined) await abortable(new Promise<never>(() => {}), signal);
      else await this.#follow(source, signal);
    } catch (error) {
      // An error that is none of Twilio's has the code 0.
      if (!signal.aborted)
        this.log.add({ type: "error", code: error instanceof TwimlError ? error.code : 0, message: errorMessage(error) });
    } finally {
      this.#finish();
    }
  }

  /** Follows instructions, wherever they lead, until there are no more. */
  async #follow(first: TwimlSource, signal: AbortSignal): Promise<void> {
    let next: TwimlSource | undefined = first;
    while (next !== undefined) {
      using document = new ChildController(signal);
      this.#document = document;
      try {
        next = await this.#runDocument(next, document.signal);
      } catch (error) {
        if (signal.aborted || !document.signal.aborted) throw error;
        next = this.#redirected;
      }
    }
  }

  async #runDocument(source: TwimlSource, signal: AbortSignal): Promise<TwimlSource | undefined> {
    const verbs = await this.#instructions(source, signal);
    signal.throwIfAborted();
    const services = this.#services;
    return await runVerbs(
      verbs,
      {
        clock: services.clock,
        log: this.log,
        answer: () => this.answer(),
        connect: (stream, connected) => connectStream(stream, this, services, connected),
        dial: (verb, dialling) => this.#dial(verb, dialling),
        hangUp: (status) => this.giveUp(status),
      },
      signal,
    );
  }

  async #dial(verb: DialVerb, signal: AbortSignal): Promise<Readonly<Record<string, string>>> {
    const form = await bridge(verb, this, this.#services, signal);
    // The action is told too when the caller has hung up; what it answers changes nothing then.
    if (this.#life.signal.aborted && verb.action !== undefined)
      this.tell("instructions", verb.action, { ...this.form(), CallStatus: this.#final, ...form });
    signal.throwIfAborted();
    return form;
  }

  async #instructions(source: TwimlSource, signal: AbortSignal): Promise<TwimlVerb[]> {
    try {
      return await this.#fetch(source, signal);
    } catch (error) {
      const { fallback } = this.setup;
      if (!(error instanceof TwimlError) || fallback === undefined || source.type === "twiml") throw error;
      this.log.add({ type: "error", code: error.code, message: error.message });
      const form = { ErrorCode: String(error.code), ErrorUrl: source.url };
      return await this.#fetch({ type: "url", ...fallback, form }, signal);
    }
  }

  async #fetch(source: TwimlSource, signal: AbortSignal): Promise<TwimlVerb[]> {
    if (source.type === "twiml") return parseTwiml(source.twiml);
    const answeredBy = this.answeredBy === undefined ? {} : { AnsweredBy: this.answeredBy };
    const form = { ...this.form(), ...answeredBy, ...source.form };
    const { status, body, failure } = await this.#post("instructions", source, form, signal);
    if (failure !== undefined) throw new TwimlError(11200, `${source.url} gave no instructions: ${failure}`);
    if (status === undefined || status < 200 || status > 299)
      throw new TwimlError(11200, `${source.url} answered ${status} instead of instructions.`);
    return parseTwiml(body, source.url);
  }

  async #post(
    purpose: TwilioWebhookPurpose,
    to: Callback,
    form: Readonly<Record<string, string>>,
    signal: AbortSignal,
  ): Promise<TwilioWebhook> {
    const { webhooks } = this.#services;
    const webhook = await webhooks.send(purpose, to, form, { signal, fault: webhooks.faultOf(purpose, to, form) });
    this.log.add({ type: "webhook", webhook });
    return webhook;
  }

  #reportRecording(recording: CallRecording, status: "in-progress" | "completed"): void {
    const { statusCallback, statusCallbackEvents } = recording.options;
    if (statusCallback === undefined || !statusCallbackEvents.includes(status)) return;
    this.tell("recording", statusCallback, recording.report(this.sid, this.#services.accountSid));
  }

  #finish(): void {
    this.times.end();
    this.handset.putDown();
    for (const recording of this.recordings) this.stopRecording(recording);
    const durationMs = this.times.durationMs ?? 0;
    const duration = { CallDuration: String(Math.ceil(durationMs / 1000)), Duration: String(Math.ceil(durationMs / 60_000)) };
    this.enter(this.#final, { ...duration, SipResponseCode: String(this.sipResponseCodes[this.#final]) });
    this.#life.abort();
    this.#decided.resolve();
    const errors = this.log.errors.map((error) => ` ${error}`).join("");
    this.log.close(`The call ended as ${this.#final} before that happened.${errors}`);
    void this.#reporter.settled.then(() => this.#ended.resolve(this.#final));
  }
}
