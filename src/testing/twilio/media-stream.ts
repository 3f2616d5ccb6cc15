import { MULAW_SILENCE } from "../../audio/g711.js";
import type { Clock } from "../../core/clock.js";
import { untilAborted } from "../../core/signals.js";
import type { EventLog } from "./events.js";
import { FRAME_BYTES, FRAME_MS, FrameTicker } from "./frame-ticker.js";
import type { Handset } from "./handset.js";
import type { TwilioSocket } from "./network.js";
import { Playout, type ReturnedMark } from "./playout.js";
import { newSid } from "./sids.js";
import { readStreamMessage } from "./stream-messages.js";

/** What goes wrong with one mark on its way back: it never comes, comes twice, or late. */
export type TwilioMarkFault = "lose" | "duplicate" | { readonly delayMs: number };

/** A media socket that is open, and whose voice it carries. */
export interface MediaStreamOptions {
  readonly clock: Clock;
  readonly socket: TwilioSocket;
  readonly accountSid: string;
  readonly callSid: string;
  readonly customParameters: Readonly<Record<string, string>>;
  readonly handset: Handset;
  readonly log: EventLog;
  markFault(name: string): TwilioMarkFault | undefined;
}

/** One media socket in the dialect of Twilio's bidirectional Media Streams. */
export class MediaStream {
  readonly streamSid = newSid("MZ");
  readonly #options: MediaStreamOptions;
  readonly #playout = new Playout();
  /** Marks on their way back. */
  readonly #late = new Set<Disposable>();
  readonly #silence = Buffer.alloc(FRAME_BYTES, MULAW_SILENCE).toString("base64");
  readonly #leaving = new AbortController();
  #sequence = 0;
  #chunk = 0;
  #isOpen = true;
  #isSounding = false;
  #stopped: "twilio" | "lost" | undefined;

  constructor(options: MediaStreamOptions) {
    this.#options = options;
  }

  /** Streams until either side has closed the socket. */
  async run(): Promise<void> {
    const { clock, socket, handset, log, accountSid, callSid, customParameters } = this.#options;
    this.#write({ event: "connected", protocol: "Call", version: "1.0.0" });
    this.#send("start", {
      start: {
        accountSid,
        streamSid: this.streamSid,
        callSid,
        tracks: ["inbound"],
        mediaFormat: { encoding: "audio/x-mulaw", sampleRate: 8000, channels: 1 },
        customParameters,
      },
    });
    log.add({ type: "stream_started", streamSid: this.streamSid });
    {
      using _ticker = new FrameTicker(clock, (dueMs) => this.#tick(dueMs, handset));
      await this.#listen(socket);
    }
    this.#isOpen = false;
    this.#sounds(false);
    for (const mark of this.#late) mark[Symbol.dispose]();
    log.add({ type: "stream_stopped", streamSid: this.streamSid, by: this.#stopped ?? "program" });
  }

  async #listen(socket: TwilioSocket): Promise<void> {
    try {
      for await (const message of untilAborted(socket.messages, this.#leaving.signal)) this.#receive(message);
    } catch (error) {
      // Twilio does not wait for the program's half of the closing handshake.
      if (this.#stopped === undefined) throw error;
    }
  }

  /** Twilio ends the stream: the call is over, or goes on elsewhere. */
  stop(): void {
    if (!this.#isOpen || this.#stopped !== undefined) return;
    const { accountSid, callSid, socket } = this.#options;
    this.#send("stop", { stop: { accountSid, callSid } });
    this.#stopped = "twilio";
    socket.close(1000);
    this.#leaving.abort();
  }

  /** The connection breaks, without `stop` and without a closing handshake. */
  drop(): void {
    if (!this.#isOpen || this.#stopped !== undefined) return;
    this.#stopped = "lost";
    this.#options.socket.drop();
    this.#leaving.abort();
  }

  /** The emulator stops reading the socket, or goes on. */
  stall(isStalled: boolean): void {
    this.#options.socket.stall(isStalled);
  }

  press(digit: string): void {
    this.#send("dtmf", { dtmf: { track: "inbound_track", digit } });
  }

  #tick(dueMs: number, handset: Handset): void {
    if (this.#stopped !== undefined) return;
    this.#return(this.#playout.played());
    const { bytes, audioBytes } = this.#playout.next();
    this.#sounds(audioBytes > 0);
    handset.heard.add(dueMs, bytes.subarray(0, audioBytes));
    const frame = handset.speak(dueMs - FRAME_MS);
    const timestamp = FRAME_MS * this.#chunk++;
    this.#send("media", {
      media: {
        track: "inbound",
        chunk: String(this.#chunk),
        timestamp: String(timestamp),
        payload: frame === undefined ? this.#silence : Buffer.from(frame).toString("base64"),
      },
    });
  }

  #sounds(isSounding: boolean): void {
    if (isSounding === this.#isSounding) return;
    this.#isSounding = isSounding;
    this.#options.log.add({ type: isSounding ? "playout_started" : "playout_ended" });
  }

  /** Acts on a message; what is none of Media Streams is noted as the warnings 31950 and 31951, and changes nothing. */
  #receive(text: string | Uint8Array): void {
    const { log } = this.#options;
    const message = readStreamMessage(text, this.streamSid);
    switch (message.event) {
      case "media":
        log.add({ type: "media", audioBytes: message.audio.length });
        return this.#playout.add(message.audio);
      case "mark":
        return this.#return(this.#playout.mark(message.name));
      case "clear":
        log.add({ type: "clear", droppedBytes: this.#playout.queuedBytes });
        return this.#return(this.#playout.clear());
      case "invalid":
        return log.add({ type: "error", code: message.code, message: message.reason });
    }
  }

  #return(marks: readonly ReturnedMark[]): void {
    for (const mark of marks) {
      const fault = this.#options.markFault(mark.name);
      if (fault === "lose") continue;
      if (typeof fault === "object") this.#returnLater(mark, fault.delayMs);
      else this.#sendMark(mark);
      if (fault === "duplicate") this.#sendMark(mark);
    }
  }

  #returnLater(mark: ReturnedMark, delayMs: number): void {
    const timer = this.#options.clock.setTimer(delayMs, () => {
      this.#late.delete(timer);
      this.#sendMark(mark);
    });
    this.#late.add(timer);
  }

  #sendMark({ name, outcome }: ReturnedMark): void {
    if (this.#stopped !== undefined) return;
    this.#options.log.add({ type: "mark", name, outcome });
    this.#send("mark", { mark: { name } });
  }

  /** Numbers every message but the first. */
  #send(event: string, fields: object): void {
    this.#write({ event, sequenceNumber: String(++this.#sequence), streamSid: this.streamSid, ...fields });
  }

  #write(message: object): void {
    this.#options.socket.send(JSON.stringify(message));
  }
}
