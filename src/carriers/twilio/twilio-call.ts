import { type AudioFrame, MULAW_8K } from "../../core/audio-frame.js";
import type { CallControl, MediaSocket } from "../../core/carrier.js";
import type { Clock } from "../../core/clock.js";
import { CarrierError, TransferError, type TransferFailure } from "../../core/errors.js";
import type { Logger } from "../../core/logger.js";
import { AsyncQueue } from "../../core/queue.js";
import { type Deferred, deferred } from "../../core/signals.js";
import type { Transport, TransportCloseReason, TransportEvent } from "../../core/transport.js";
import { parseStreamMessage, type StreamMessage, StreamWriter } from "./media-stream.js";
import { Tones } from "./tones.js";

/** How long Twilio has between being told a stream's address and the stream's `start`, in ms. */
const CONNECT_MS = 60_000;
/** How long a stream has for its `start` once its socket is open, in ms. */
const START_MS = 10_000;
/** How long a call may be without a stream before it counts as over, in ms: time for Twilio to ask what is next. */
const RESTART_MS = { afterStop: 2000, afterLoss: 5000 };
/** Streams that a call is told to open, one after another without any beginning, before it is given up. */
const STREAM_ATTEMPTS = 3;
/** Events waiting for the call; the oldest go first. At 20 ms a frame, 20 s. */
const RECEIVED_CAPACITY = 1000;
/** Unsent bytes at which a stream is given up: about a minute of audio. */
const MAX_UNSENT_BYTES = 720_000;
/** Messages that were none, after which a stream is given up. */
const MAX_BAD_MESSAGES = 50;
/** How much longer than the other side may ring its outcome may take to be reported, in ms. */
const TRANSFER_GRACE_MS = 20_000;

/** What a call can have done by the REST API. Each rejects with a `CarrierError`. */
export interface TwilioCommands {
  end(callSid: string): Promise<void>;
  /** Has the call dial `to`, which may ring for `timeoutS` seconds. @throws TransferError when it may not be dialled. */
  dial(callSid: string, to: string, timeoutS: number): Promise<void>;
}

export interface TwilioCallOptions {
  readonly callSid: string;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly commands: TwilioCommands;
  /** How long the other side of a transfer may ring, in seconds. */
  readonly transferTimeoutS: number;
  /** The first stream has begun. */
  readonly onConnected: () => void;
  /** The call is over, whether or not it was ever connected. */
  readonly onEnded: () => void;
}

interface Stream {
  readonly socket: MediaSocket;
  readonly writer: StreamWriter;
}

interface Transfer {
  readonly answered: Deferred<void>;
  readonly timer: Disposable;
}

/** One call of Twilio's: its media leg, over one stream after another, and what can be done to it. */
export class TwilioCall implements Transport, CallControl {
  readonly format = MULAW_8K;
  readonly playout = "marks";
  readonly #options: TwilioCallOptions;
  readonly #received = new AsyncQueue<TransportEvent>({ capacity: RECEIVED_CAPACITY });
  readonly #tones: Tones;
  readonly #settled = deferred();
  #state: "waiting" | "connected" | "ending" | "ended" = "waiting";
  #stream: Stream | undefined;
  #transfer: Transfer | undefined;
  /** Runs while there is no stream and one may come. */
  #patience: Disposable | undefined;
  /** Streams that Twilio was told to open since one began. */
  #attempts = 0;

  constructor(options: TwilioCallOptions) {
    this.#options = options;
    this.#tones = new Tones(options.clock);
    this.#expectStream(CONNECT_MS, "lost");
  }

  get received(): AsyncIterable<TransportEvent> {
    return this.#received;
  }

  /** Resolves when its first stream has begun, or it has ended without one. */
  get settled(): Promise<void> {
    return this.#settled.promise;
  }

  /** Whether nothing more may be done for the caller. */
  get isOver(): boolean {
    return this.#state === "ending" || this.#state === "ended";
  }

  /** Counts a stream that Twilio is told to open. `false`: of the last three none began, and there is no use in another. */
  mayOpenStream(): boolean {
    if (this.#state === "connected" && this.#stream === undefined) this.#expectStream(START_MS, "lost");
    return ++this.#attempts <= STREAM_ATTEMPTS;
  }

  /** Speaks with a stream's socket until it closes. */
  async attach(socket: MediaSocket): Promise<void> {
    const timeout = this.#options.clock.setTimer(START_MS, () => socket.close(1008, "no start in time"));
    let badMessages = 0;
    try {
      for await (const text of socket.messages) {
        const message = typeof text === "string" ? parseStreamMessage(text) : undefined;
        if (message?.type === "start") timeout[Symbol.dispose]();
        if (message !== undefined && this.#take(message, socket)) continue;
        if (++badMessages >= MAX_BAD_MESSAGES) socket.close(1008, "too many messages that are none");
      }
    } finally {
      timeout[Symbol.dispose]();
      if (badMessages > 0) this.#options.logger.warn({ badMessages }, "stream held messages that are none");
      this.#lose(socket, "lost");
    }
  }

  send(frame: AudioFrame): void {
    if (this.#stream === undefined) return;
    const { socket, writer } = this.#stream;
    socket.send(writer.media(frame.bytes));
    if (socket.bufferedBytes <= MAX_UNSENT_BYTES) return;
    this.#options.logger.warn({ bufferedBytes: socket.bufferedBytes }, "stream dropped: it is not read");
    socket.close(1013, "the stream is not read");
    this.#lose(socket, "lost");
  }

  mark(name: string): void {
    if (this.#stream !== undefined) this.#stream.socket.send(this.#stream.writer.mark(name));
  }

  clear(): void {
    if (this.#stream !== undefined) this.#stream.socket.send(this.#stream.writer.clear());
  }

  /** Ends the call. Where the request fails, closing the stream makes Twilio ask what is next and be told to hang up. */
  async hangUp(): Promise<void> {
    if (this.isOver) return;
    this.#state = "ending";
    try {
      await this.#options.commands.end(this.#options.callSid);
    } finally {
      this.#end("local");
    }
  }

  /** Has Twilio dial the number; when it does not answer, the caller comes back on a new stream. */
  async transfer(to: string): Promise<void> {
    const { callSid, clock, commands, transferTimeoutS } = this.#options;
    if (this.#state !== "connected") throw new CarrierError("The call was not transferred: it has ended.");
    if (this.#transfer !== undefined) throw new CarrierError("The call was not transferred: it is being transferred already.");
    const answered = deferred();
    // Its failure may come before the request is answered.
    answered.promise.catch(() => {});
    const timer = clock.setTimer(transferTimeoutS * 1000 + TRANSFER_GRACE_MS, () =>
      this.transferFailed("failed", "Twilio reported no outcome"),
    );
    this.#transfer = { answered, timer };
    try {
      await commands.dial(callSid, to, transferTimeoutS);
    } catch (error) {
      this.#settleTransfer()?.answered.reject(error);
      this.#expectRestart();
    }
    await answered.promise;
  }

  /** The other side of a transfer has answered. */
  transferAnswered(): void {
    this.#settleTransfer()?.answered.resolve();
  }

  /** Nobody took the call: it goes on with the agent. */
  transferFailed(outcome: TransferFailure, reason: string): void {
    const transfer = this.#settleTransfer();
    if (transfer === undefined) return;
    transfer.answered.reject(new TransferError(outcome, `The call was not transferred: ${reason}. The caller is still here.`));
    this.#expectRestart();
  }

  /** Plays the keys' tones into the line; resolves when they have been played. `w` is half a second of pause. */
  async sendDtmf(digits: string): Promise<void> {
    if (this.#stream === undefined) throw new CarrierError("The keys were not sent: the call has no stream.");
    await this.#tones.send(digits, this);
  }

  /** Twilio says that the call is over. */
  completed(): void {
    this.#end(this.#state === "ending" ? "local" : "caller");
  }

  /** Lets go of the call, which goes on without us if it was transferred. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#end("local");
  }

  /** Says whether the message made sense. */
  #take(message: StreamMessage, socket: MediaSocket): boolean {
    if (message.type === "connected") return true;
    if (message.type === "start") return this.#begin(message, socket);
    // What an older stream still says is of no use.
    if (this.#stream?.socket !== socket) return this.#stream !== undefined || this.isOver;
    switch (message.type) {
      case "media":
        this.#received.push({ type: "audio", frame: { format: this.format, bytes: message.bytes } });
        return true;
      case "dtmf":
        this.#received.push({ type: "dtmf", digit: message.digit });
        return true;
      case "mark":
        if (!this.#tones.takeMark(message.name)) this.#received.push({ type: "mark", name: message.name });
        return true;
      case "stop":
        this.#lose(socket, "caller");
        socket.close(1000, "stopped");
        return true;
    }
  }

  #begin(message: Extract<StreamMessage, { type: "start" }>, socket: MediaSocket): boolean {
    const { callSid, logger, onConnected } = this.#options;
    if (this.isOver || message.callSid !== callSid || this.#stream?.socket === socket) {
      socket.close(1008, "not the stream that was asked for");
      return false;
    }
    if (!message.isPhoneAudio) {
      logger.error({}, "stream refused: its audio is not mu-law at 8000 Hz");
      socket.close(1003, "only mu-law at 8000 Hz");
      return false;
    }
    this.#patience?.[Symbol.dispose]();
    this.#attempts = 0;
    const older = this.#stream;
    this.#stream = { socket, writer: new StreamWriter(message.streamSid) };
    older?.socket.close(1000, "replaced by another stream");
    if (this.#state === "waiting") {
      this.#state = "connected";
      onConnected();
      this.#settled.resolve();
      return true;
    }
    this.transferFailed("failed", "it came back");
    this.#received.push({ type: "restarted" });
    return true;
  }

  /** A stream is over; the call may go on with another. */
  #lose(socket: MediaSocket, reason: "caller" | "lost"): void {
    if (this.#stream?.socket !== socket) return;
    this.#stream = undefined;
    this.#tones.lose();
    if (this.#transfer === undefined) this.#expectRestart(reason);
  }

  /** The call goes on with another stream soon, or is over. */
  #expectRestart(reason: "caller" | "lost" = "lost"): void {
    if (this.#state !== "connected" || this.#stream !== undefined) return;
    this.#expectStream(reason === "caller" ? RESTART_MS.afterStop : RESTART_MS.afterLoss, reason);
  }

  /** Gives the call up unless a stream begins within `ms`. */
  #expectStream(ms: number, reason: TransportCloseReason): void {
    this.#patience?.[Symbol.dispose]();
    this.#patience = this.#options.clock.setTimer(ms, () => this.#end(reason));
  }

  #settleTransfer(): Transfer | undefined {
    const transfer = this.#transfer;
    this.#transfer = undefined;
    transfer?.timer[Symbol.dispose]();
    return transfer;
  }

  #end(reason: TransportCloseReason): void {
    if (this.#state === "ended") return;
    this.#state = "ended";
    this.#patience?.[Symbol.dispose]();
    this.#settleTransfer()?.answered.reject(new TransferError("failed", "The call was not transferred: it has ended."));
    this.#tones.lose();
    this.#stream?.socket.close(1000, "the call is over");
    this.#stream = undefined;
    this.#received.push({ type: "closed", reason });
    this.#received.end();
    this.#options.onEnded();
    this.#settled.resolve();
  }
}
