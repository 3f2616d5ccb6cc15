import { silence } from "../audio/frames.js";
import type { AudioFormat, AudioFrame } from "../core/audio-frame.js";
import type { CallControl, IncomingCall } from "../core/carrier.js";
import type { Clock } from "../core/clock.js";
import { CarrierError } from "../core/errors.js";
import { AsyncQueue } from "../core/queue.js";
import type { Transport, TransportEvent } from "../core/transport.js";
import { type SpokenWords, WordReader } from "./spoken-words.js";

const FRAME_MS = 20;

export interface TestPhoneOptions {
  readonly clock: Clock;
  readonly spoken: SpokenWords;
  readonly callId?: string;
  /** Default `marks`. */
  readonly playout?: "marks" | "clock";
  /** How late the phone's reports arrive, in ms. Default 0. */
  readonly markDelayMs?: number;
  /** Reports that never arrive, by their count from 0. Default none. */
  readonly losesMark?: (index: number) => boolean;
  /** Whether the agent's voice comes back through the microphone while the caller is silent. Default false. */
  readonly echo?: boolean;
}

interface Queued {
  readonly bytes: Uint8Array;
  offset: number;
}

/** A caller with a telephone, on a clock: speaks frames of 20 ms, hears what is played, reports marks. */
export class TestPhone implements Transport {
  readonly format: AudioFormat;
  readonly playout: "marks" | "clock";
  readonly #options: TestPhoneOptions;
  readonly #events = new AsyncQueue<TransportEvent>();
  readonly #ear: WordReader;
  readonly #heard: string[] = [];
  #out: (Queued | string)[] = [];
  #mouth: (Queued & { readonly onSpoken: () => void })[] = [];
  #timer: Disposable | undefined;
  /** Reports of marks on their way. */
  readonly #reports = new Set<Disposable>();
  #marks = 0;
  #closed = false;
  /** What the carrier was asked to do. */
  readonly commands: string[] = [];

  constructor(options: TestPhoneOptions) {
    this.#options = options;
    this.format = options.spoken.format;
    this.playout = options.playout ?? "marks";
    this.#ear = new WordReader(options.spoken);
    this.#tick();
  }

  get received(): AsyncIterable<TransportEvent> {
    return this.#events;
  }

  /** The words that have reached the caller's ear. */
  get heard(): string {
    const { unfinished } = this.#ear;
    return [...this.#heard, ...(unfinished === undefined ? [] : [unfinished])].join(" ");
  }

  get isClosed(): boolean {
    return this.#closed;
  }

  /** Whether the agent's voice is being played. */
  get isPlaying(): boolean {
    return this.#out.some((item) => typeof item !== "string");
  }

  /** The call as a carrier would hand it over. */
  incoming(): IncomingCall {
    const control: CallControl = {
      hangUp: async () => {
        this.commands.push("hang_up");
      },
      transfer: async (to) => {
        if (!to.startsWith("+")) throw new CarrierError(`"${to}" is no number: use E.164.`);
        this.commands.push(`transfer ${to}`);
      },
      sendDtmf: async (digits) => {
        this.commands.push(`dtmf ${digits}`);
      },
    };
    return {
      callId: this.#options.callId ?? "call-1",
      from: "+15550100",
      to: "+15550101",
      direction: "inbound",
      customParameters: {},
      transport: this,
      control,
    };
  }

  /** Says `text` into the phone, behind what is being said; resolves when the last sample was sent. */
  say(text: string): Promise<void> {
    return this.#sound(this.#options.spoken.encode(text));
  }

  /** Makes a sound without words into the phone for `durationMs`; resolves when the last sample was sent. */
  hum(durationMs: number): Promise<void> {
    return this.#sound(this.#options.spoken.noise(durationMs));
  }

  #sound(bytes: Uint8Array): Promise<void> {
    if (this.#closed || bytes.length === 0) return Promise.resolve();
    return new Promise((resolve) => {
      this.#mouth.push({ bytes, offset: 0, onSpoken: resolve });
    });
  }

  press(digit: string): void {
    this.#events.push({ type: "dtmf", digit });
  }

  /** Replaces the stream, as carriers do within a call: what was queued is lost. */
  restart(): void {
    this.#out = [];
    this.#events.push({ type: "restarted" });
  }

  hangUp(): void {
    this.#close("caller");
  }

  send(frame: AudioFrame): void {
    if (!this.#closed) this.#out.push({ bytes: frame.bytes, offset: 0 });
  }

  mark(name: string): void {
    if (!this.#closed) this.#out.push(name);
  }

  clear(): void {
    const marks = this.#out.filter((item) => typeof item === "string");
    this.#out = [];
    for (const name of marks) this.#report(name);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#close("local");
  }

  #close(reason: "caller" | "local"): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#timer?.[Symbol.dispose]();
    for (const report of this.#reports) report[Symbol.dispose]();
    for (const { onSpoken } of this.#mouth.splice(0)) onSpoken();
    this.#events.push({ type: "closed", reason });
    this.#events.end();
  }

  #tick(): void {
    this.#timer = this.#options.clock.setTimer(FRAME_MS, () => {
      const played = this.#play();
      this.#events.push({ type: "audio", frame: { format: this.format, bytes: this.#speak(played) } });
      if (!this.#closed) this.#tick();
    });
  }

  /** Plays the next 20 ms into the ear; silence where there is nothing. */
  #play(): Uint8Array {
    const frame = silence(this.format, FRAME_MS).bytes;
    let filled = 0;
    this.#reportMarks();
    for (let item = this.#out[0]; item !== undefined && typeof item !== "string" && filled < frame.length; item = this.#out[0]) {
      const part = item.bytes.subarray(item.offset, item.offset + frame.length - filled);
      frame.set(part, filled);
      filled += part.length;
      item.offset += part.length;
      if (item.offset === item.bytes.length) this.#out.shift();
      this.#reportMarks();
    }
    this.#heard.push(...this.#ear.read(frame));
    return frame;
  }

  #reportMarks(): void {
    while (typeof this.#out[0] === "string") this.#report(this.#out.shift() as string);
  }

  #report(name: string): void {
    if (this.playout === "clock" || this.#options.losesMark?.(this.#marks++) === true) return;
    const { markDelayMs = 0, clock } = this.#options;
    const push = (): void => this.#events.push({ type: "mark", name });
    if (markDelayMs === 0) {
      push();
      return;
    }
    const report = clock.setTimer(markDelayMs, () => {
      this.#reports.delete(report);
      push();
    });
    this.#reports.add(report);
  }

  #speak(played: Uint8Array): Uint8Array {
    const frame = silence(this.format, FRAME_MS).bytes;
    const [mouth] = this.#mouth;
    if (mouth === undefined) return this.#options.echo === true ? played : frame;
    const part = mouth.bytes.subarray(mouth.offset, mouth.offset + frame.length);
    frame.set(part);
    mouth.offset += part.length;
    if (mouth.offset === mouth.bytes.length) {
      this.#mouth.shift();
      mouth.onSpoken();
    }
    return frame;
  }
}
