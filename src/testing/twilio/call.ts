import { writeWav } from "../../audio/wav.js";
import { MULAW_8K } from "../../core/audio-frame.js";
import type { CallRun } from "./call-run.js";
import type { TwilioCallEvent } from "./events.js";
import type { SoundTrack } from "./sound-track.js";
import type { TwilioCallStatus, TwilioFinalStatus } from "./statuses.js";

/**
 * One call of a `TwilioEmulator`, held by the person at its far end. Times are in ms on the emulator's clock, audio is mu-law at
 * 8000 Hz.
 */
export class TwilioCall {
  readonly #run: CallRun;

  /** @internal */
  constructor(run: CallRun) {
    this.#run = run;
  }

  get sid(): string {
    return this.#run.sid;
  }

  get from(): string {
    return this.#run.setup.from;
  }

  get to(): string {
    return this.#run.setup.to;
  }

  get status(): TwilioCallStatus {
    return this.#run.status;
  }

  /** Everything that happened, in order. */
  get events(): readonly TwilioCallEvent[] {
    return this.#run.log.events;
  }

  /** What Twilio would list in its debugger, such as `11200: …`; a failure of the emulator itself has the code 0. */
  get errors(): readonly string[] {
    return this.#run.log.errors;
  }

  /** What reached the person's ear, sample by sample. */
  get heard(): SoundTrack {
    return this.#run.handset.heard;
  }

  /** What the person said. */
  get said(): SoundTrack {
    return this.#run.handset.said;
  }

  /** Resolves with the final status, when its report was answered too. */
  get ended(): Promise<TwilioFinalStatus> {
    return this.#run.ended;
  }

  /** The first event that is wanted, of the past ones too. Rejects when the call ends without it. */
  until(isWanted: (event: TwilioCallEvent) => boolean): Promise<TwilioCallEvent> {
    return this.#run.log.first(isWanted);
  }

  /** Resolves when the call is connected with a media socket for the first time. Rejects when it ends before. */
  async streaming(): Promise<void> {
    await this.until(({ type }) => type === "stream_started");
  }

  /**
   * Resolves when something holds of all audio that was heard, without the silence between; it is asked whenever the program's
   * audio has ended. Rejects when the call ends before.
   */
  async untilHeard(holds: (audio: Uint8Array) => boolean): Promise<void> {
    await this.until(({ type }) => type === "playout_ended" && holds(this.heard.audio));
  }

  /**
   * Says audio into the phone, behind what is being said; what is said before somebody listens waits. Resolves when the last
   * frame has left, or when the call is over.
   */
  say(audio: Uint8Array): Promise<void> {
    return this.#run.handset.say(audio);
  }

  /** Presses keys: `0` to `9`, `*` and `#`. @throws RangeError for another. */
  press(digits: string): void {
    for (const digit of digits) {
      if (!/[\d*#]/.test(digit)) throw new RangeError(`There is no key "${digit}" on a telephone: press 0 to 9, * or #.`);
      this.#run.log.add({ type: "digit", digit });
      this.#run.stream?.press(digit);
    }
  }

  /** The person hangs up; a call that is still ringing was not answered. */
  hangUp(): void {
    this.#run.end(this.status === "in-progress" ? "completed" : "no-answer");
  }

  /** Breaks the media socket without a word. */
  dropSocket(): void {
    this.#run.stream?.drop();
  }

  /** Stops reading the media socket, or goes on. */
  stallSocket(isStalled: boolean): void {
    this.#run.stream?.stall(isStalled);
  }

  /** Replaces the media stream by asking for instructions again, as a redirect does: the next one has a sid of its own. */
  restartStream(): void {
    const { source } = this.#run.setup;
    if (source !== undefined) this.#run.redirect(source);
  }

  /** A WAV file from the answer to now: the person left, the agent right. */
  recording(): Uint8Array {
    const { startMs, endMs } = this.#run.times.talk;
    return writeWav(MULAW_8K, [this.said.between(startMs, endMs), this.heard.between(startMs, endMs)]);
  }
}
