import { silence } from "../audio/frames.js";
import { MIN_DBFS, rmsDbfs } from "../audio/level.js";
import { decodeFrame } from "../audio/pcm.js";
import { type AudioFrame, audioByteLength, bytesPerSample } from "../core/audio-frame.js";
import type { Clock } from "../core/clock.js";
import type { Transport } from "../core/transport.js";
import { Track } from "./track.js";

/** How far ahead of the caller's ear audio is sent, in ms: room for a late timer, and cheap to clear. */
const LEAD_MS = 600;
/** Audio is sent in messages of at most this length, in ms, in whole frames. */
const MESSAGE_MS = 100;
const FRAME_MS = 20;
/** A mark at least this often, in ms of audio. */
const MARK_EVERY_MS = 1000;
/** How long after its expected end a reply is taken as played when its last mark stays away, in ms. */
const LOST_MARK_MS = 2000;

export interface PlayoutOptions {
  readonly transport: Transport;
  readonly clock: Clock;
  /** The first audio of a reply was sent. */
  readonly onStarted: (reply: number) => void;
  /** Everything of an ended reply has been played. */
  readonly onFinished: (reply: number) => void;
}

/** How much of a reply the caller has heard. */
export interface PlayoutPosition {
  readonly audioMs: number;
  /** Whether the clock said so and not a mark. */
  readonly isEstimated: boolean;
}

/** Where one reply puts its audio. After the reply was stopped nothing of it does anything. */
export interface PlayoutTrack {
  /** Adds audio in the transport's format. */
  write(frame: AudioFrame): void;
  /** A sentence ends here: its end gets a mark. */
  boundary(): void;
  /** No more audio will come. A last partial frame is filled with silence. */
  end(): void;
  /** Resolves when audio behind `audioMs` is being sent, or the track is over. */
  sentBeyond(audioMs: number): Promise<void>;
}

interface Waiter {
  readonly bytes: number;
  readonly resolve: () => void;
}

/**
 * Sends one reply at a time to the caller's ear, a bounded lead ahead, and knows how much has been heard:
 * marks are the truth, the clock interpolates between them, marks of cleared audio are ignored.
 */
export class Playout {
  readonly #options: PlayoutOptions;
  readonly #bytesPerMs: number;
  readonly #frameBytes: number;
  #track: Track;
  /** Part of every mark's name: marks of an older generation belong to another reply or to audio that was cleared. */
  #generation = 0;
  #isPaused = false;
  /** When the caller will have heard everything sent, as far as the marks tell. */
  #heardAtMs = 0;
  /** When the other side may have played everything sent, if nothing delays it: what is sent next must be there by then. */
  #drainedAtMs = 0;
  #timer: Disposable | undefined;
  #waiters: readonly Waiter[] = [];

  constructor(options: PlayoutOptions) {
    this.#options = options;
    const { format } = options.transport;
    this.#bytesPerMs = audioByteLength(format, 1000) / 1000;
    this.#frameBytes = audioByteLength(format, FRAME_MS);
    this.#track = this.#newTrack(-1);
  }

  get isPaused(): boolean {
    return this.#isPaused;
  }

  /** Whether the caller can hear the agent right now. */
  get isAudible(): boolean {
    return !this.#isPaused && this.#toMs(this.#track.sentBytes) > this.position().audioMs;
  }

  /** Whether everything of an ended reply has been heard. */
  get isFinished(): boolean {
    return this.#track.isFinished;
  }

  /** Audio of the reply that has not been heard yet, in ms. */
  get remainingMs(): number {
    return this.#toMs(this.#track.totalBytes) - this.position().audioMs;
  }

  /** How loud the agent is at the caller's ear right now, in dBFS. */
  get levelDbfs(): number {
    if (!this.isAudible) return MIN_DBFS;
    const bytes = this.#track.frameAt(this.#wholeSamples(this.position().audioMs * this.#bytesPerMs));
    return bytes === undefined ? MIN_DBFS : rmsDbfs(decodeFrame({ format: this.#options.transport.format, bytes }));
  }

  /** Begins a reply; the one before must have finished or been stopped. */
  begin(reply: number): PlayoutTrack {
    const track = this.#newTrack(reply);
    this.#track = track;
    this.#generation++;
    this.#isPaused = false;
    const change = (act: () => void): void => {
      if (track !== this.#track || track.isEnded) return;
      act();
      this.#pump();
    };
    return {
      write: ({ bytes }) => change(() => track.add(bytes)),
      boundary: () => change(() => track.addBoundary()),
      end: () => change(() => track.end(silence(this.#options.transport.format, FRAME_MS).bytes[0] as number)),
      sentBeyond: (audioMs) => this.#sentBeyond(track, audioMs * this.#bytesPerMs),
    };
  }

  /** Silences the reply at once and keeps what has not been heard. */
  pause(): void {
    if (this.#isPaused) return;
    this.#rewind();
    this.#isPaused = true;
  }

  /** Goes on from the point heard. */
  resume(): void {
    if (!this.#isPaused) return;
    this.#isPaused = false;
    this.#pump();
  }

  /** Drops the reply and says how much of it was heard. */
  stop(): PlayoutPosition {
    const position = this.position();
    if (!this.#isPaused) this.#rewind();
    this.#track = this.#newTrack(-1);
    this.#isPaused = false;
    this.#releaseWaiters(Number.POSITIVE_INFINITY);
    return position;
  }

  /** The carrier replaced the stream: what it had queued is sent again. */
  restarted(): void {
    if (this.#isPaused || !this.#track.isStarted || this.#track.isFinished) return;
    this.#rewind();
    this.#pump();
  }

  /** Takes a mark that the transport reported. */
  markPlayed(name: string): void {
    const [generation, bytes] = name.split("-").map(Number);
    if (generation !== this.#generation || bytes === undefined) return;
    if (this.#track.isFinished || !this.#track.confirm(bytes)) return;
    this.#heardAtMs = this.#options.clock.now() + this.#toMs(this.#track.sentBytes - bytes);
    // A mark's way back says nothing about how little the other side still has.
    this.#drainedAtMs = Math.min(this.#drainedAtMs, this.#heardAtMs);
    this.#pump();
  }

  /** How much of the reply has been heard by now. */
  position(): PlayoutPosition {
    const { sentBytes, confirmedBytes, nextMark } = this.#track;
    const unplayed = Math.max(0, this.#heardAtMs - this.#options.clock.now()) * this.#bytesPerMs;
    const byClock = Math.min(Math.max(0, sentBytes - unplayed), nextMark ?? Number.POSITIVE_INFINITY);
    const bytes = this.#isPaused ? sentBytes : Math.max(confirmedBytes, this.#wholeSamples(byClock));
    return { audioMs: this.#toMs(bytes), isEstimated: bytes !== confirmedBytes };
  }

  [Symbol.dispose](): void {
    this.#cancelTimer();
    this.#releaseWaiters(Number.POSITIVE_INFINITY);
  }

  #sentBeyond(track: Track, bytes: number): Promise<void> {
    if (track !== this.#track || track.sentBytes > bytes || track.isFinished) return Promise.resolve();
    return new Promise((resolve) => {
      this.#waiters = [...this.#waiters, { bytes, resolve }];
    });
  }

  /** Sends what the lead allows, and sets the timer for the rest or for the end. */
  #pump(): void {
    this.#cancelTimer();
    const track = this.#track;
    if (this.#isPaused || track.isFinished) return;
    for (;;) {
      const leadMs = this.#leadMs();
      if (leadMs + MESSAGE_MS > LEAD_MS && track.sentBytes < track.totalBytes) {
        this.#timer = this.#options.clock.setTimer(leadMs + MESSAGE_MS - LEAD_MS, () => this.#pump());
        return;
      }
      const isFirst = !track.isStarted;
      const bytes = track.take(this.#frameBytes * (MESSAGE_MS / FRAME_MS));
      if (bytes === undefined) break;
      this.#send(bytes, isFirst);
    }
    this.#mark();
    if (track.isSent) this.#awaitEnd();
  }

  #send(bytes: Uint8Array, isFirst: boolean): void {
    const { transport, clock, onStarted } = this.#options;
    const nowMs = clock.now();
    transport.send({ format: transport.format, bytes });
    this.#heardAtMs = Math.max(this.#heardAtMs, nowMs) + this.#toMs(bytes.length);
    this.#drainedAtMs = Math.max(this.#drainedAtMs, nowMs) + this.#toMs(bytes.length);
    this.#mark();
    this.#releaseWaiters(this.#track.sentBytes);
    if (isFirst) onStarted(this.#track.reply);
  }

  #mark(): void {
    if (this.#options.transport.playout === "clock") return;
    const place = this.#track.takeMark(MARK_EVERY_MS * this.#bytesPerMs);
    if (place !== undefined) this.#options.transport.mark(`${this.#generation}-${place}`);
  }

  /** Everything has been sent: waits for the last mark, or for the time it must take. */
  #awaitEnd(): void {
    const { confirmedBytes, totalBytes, nextMark } = this.#track;
    if (confirmedBytes === totalBytes) {
      this.#finish();
      return;
    }
    const graceMs = nextMark === undefined ? 0 : LOST_MARK_MS;
    const unheardMs = Math.max(0, this.#heardAtMs - this.#options.clock.now());
    this.#timer = this.#options.clock.setTimer(unheardMs + graceMs, () => this.#finish());
  }

  #finish(): void {
    const track = this.#track;
    if (track.isFinished) return;
    track.isFinished = true;
    track.forgetMarks();
    this.#heardAtMs = 0;
    this.#drainedAtMs = 0;
    this.#releaseWaiters(Number.POSITIVE_INFINITY);
    this.#options.onFinished(track.reply);
  }

  /** Clears the transport and takes back what was not heard. */
  #rewind(): void {
    this.#cancelTimer();
    const track = this.#track;
    const heardBytes = this.#wholeSamples(this.position().audioMs * this.#bytesPerMs);
    if (heardBytes < track.sentBytes) this.#options.transport.clear();
    this.#generation++;
    track.rewind(heardBytes);
    this.#heardAtMs = 0;
    this.#drainedAtMs = 0;
  }

  #releaseWaiters(sentBytes: number): void {
    const ready = this.#waiters.filter((waiter) => waiter.bytes < sentBytes);
    if (ready.length === 0) return;
    this.#waiters = this.#waiters.filter((waiter) => waiter.bytes >= sentBytes);
    for (const waiter of ready) waiter.resolve();
  }

  #cancelTimer(): void {
    this.#timer?.[Symbol.dispose]();
    this.#timer = undefined;
  }

  /** The least audio that the other side has and has not played, in ms. */
  #leadMs(): number {
    return Math.max(0, this.#drainedAtMs - this.#options.clock.now());
  }

  #wholeSamples(bytes: number): number {
    const sampleBytes = bytesPerSample(this.#options.transport.format.encoding);
    return Math.floor(bytes / sampleBytes + 1e-6) * sampleBytes;
  }

  #toMs(bytes: number): number {
    return bytes / this.#bytesPerMs;
  }

  #newTrack(reply: number): Track {
    return new Track(reply, this.#frameBytes);
  }
}
