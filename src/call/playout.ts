import { type AudioFrame, audioByteLength, audioDurationMs } from "../core/audio-frame.js";
import type { Clock } from "../core/clock.js";
import type { Transport } from "../core/transport.js";
import { silence } from "../audio/frames.js";

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

/** How much of a track the caller has heard. */
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

interface Chunk {
  readonly startByte: number;
  readonly bytes: Uint8Array;
}

/** One reply's audio on its way. Offsets are bytes since the reply's first sample. */
interface Track {
  readonly reply: number;
  chunks: Chunk[];
  totalBytes: number;
  /** Ends of sentences that still need a mark. */
  boundaries: number[];
  sentBytes: number;
  confirmedBytes: number;
  markedBytes: number;
  pendingMarks: number[];
  started: boolean;
  ended: boolean;
  finished: boolean;
}

/**
 * Sends one reply at a time to the caller's ear, a bounded lead ahead, and knows how much has been heard:
 * marks are the truth, the clock interpolates between them, marks of cleared audio are ignored.
 */
export class Playout {
  readonly #options: PlayoutOptions;
  readonly #bytesPerMs: number;
  #track: Track = newTrack(-1);
  /** Counts clears: marks of an older generation belong to audio that was dropped. */
  #generation = 0;
  #paused = false;
  /** When the other side will have played everything sent. */
  #drainedAtMs = 0;
  #timer: Disposable | undefined;
  #waiters: { readonly bytes: number; readonly resolve: () => void }[] = [];

  constructor(options: PlayoutOptions) {
    this.#options = options;
    this.#bytesPerMs = audioByteLength(options.transport.format, 1000) / 1000;
  }

  get isPaused(): boolean {
    return this.#paused;
  }

  /** Whether the caller can hear the agent right now. */
  get isAudible(): boolean {
    return !this.#paused && this.#toMs(this.#track.sentBytes) > this.position().audioMs;
  }

  /** Whether everything of an ended track has been heard. */
  get isFinished(): boolean {
    return this.#track.finished;
  }

  /** Audio of the track that has not been heard yet, in ms. */
  get remainingMs(): number {
    return this.#toMs(this.#track.totalBytes) - this.position().audioMs;
  }

  /** Begins a reply's track; the one before must have finished or been stopped. */
  begin(reply: number): PlayoutTrack {
    const track = newTrack(reply);
    this.#track = track;
    this.#paused = false;
    const whileCurrent = (act: () => void): void => {
      if (track === this.#track && !track.ended) act();
    };
    return {
      write: (frame) => whileCurrent(() => this.#write(frame)),
      boundary: () => whileCurrent(() => this.#boundary()),
      end: () => whileCurrent(() => this.#end()),
      sentBeyond: (audioMs) => this.#sentBeyond(track, this.#toBytes(audioMs)),
    };
  }

  /** Silences the track at once and keeps what has not been heard. */
  pause(): void {
    if (this.#paused) return;
    this.#rewind();
    this.#paused = true;
  }

  /** Goes on from the point heard. */
  resume(): void {
    if (!this.#paused) return;
    this.#paused = false;
    this.#pump();
  }

  /** Drops the track and says how much of it was heard. */
  stop(): PlayoutPosition {
    const position = this.position();
    if (!this.#paused) this.#rewind();
    this.#track = newTrack(-1);
    this.#track.ended = true;
    this.#paused = false;
    this.#releaseWaiters(Number.POSITIVE_INFINITY);
    return position;
  }

  /** The carrier replaced the stream: what it had queued is sent again. */
  restarted(): void {
    if (this.#paused || !this.#track.started) return;
    this.#rewind();
    this.#pump();
  }

  /** Takes a mark that the transport reported. */
  markPlayed(name: string): void {
    const [generation, bytes] = name.split("-").map(Number);
    if (generation !== this.#generation || bytes === undefined) return;
    const track = this.#track;
    if (bytes <= track.confirmedBytes) return;
    track.confirmedBytes = bytes;
    track.pendingMarks = track.pendingMarks.filter((pending) => pending > bytes);
    this.#drainedAtMs = this.#options.clock.now() + this.#toMs(track.sentBytes - bytes);
    this.#forgetHeard();
    this.#pump();
  }

  /** How much of the track has been heard by now. */
  position(): PlayoutPosition {
    const track = this.#track;
    if (this.#paused) return { audioMs: this.#toMs(track.sentBytes), isEstimated: track.sentBytes !== track.confirmedBytes };
    const unplayed = Math.max(0, this.#drainedAtMs - this.#options.clock.now()) * this.#bytesPerMs;
    const byClock = Math.max(0, track.sentBytes - unplayed);
    const byMarks = Math.min(byClock, track.pendingMarks[0] ?? Number.POSITIVE_INFINITY);
    const bytes = Math.max(track.confirmedBytes, byMarks);
    return { audioMs: this.#toMs(bytes), isEstimated: bytes !== track.confirmedBytes };
  }

  [Symbol.dispose](): void {
    this.#timer?.[Symbol.dispose]();
    this.#timer = undefined;
    this.#releaseWaiters(Number.POSITIVE_INFINITY);
  }

  #write(frame: AudioFrame): void {
    if (frame.bytes.length === 0) return;
    this.#track.chunks.push({ startByte: this.#track.totalBytes, bytes: frame.bytes });
    this.#track.totalBytes += frame.bytes.length;
    this.#pump();
  }

  #boundary(): void {
    const track = this.#track;
    if (track.totalBytes <= (track.boundaries.at(-1) ?? 0)) return;
    track.boundaries.push(track.totalBytes);
    this.#markSent();
  }

  #end(): void {
    const track = this.#track;
    const { format } = this.#options.transport;
    const frameBytes = audioByteLength(format, FRAME_MS);
    const missing = (frameBytes - (track.totalBytes % frameBytes)) % frameBytes;
    if (missing > 0) this.#write(silence(format, audioDurationMs(format, missing)));
    track.ended = true;
    this.#boundary();
    this.#pump();
  }

  #sentBeyond(track: Track, bytes: number): Promise<void> {
    if (track !== this.#track || track.sentBytes > bytes) return Promise.resolve();
    return new Promise((resolve) => {
      this.#waiters.push({ bytes, resolve });
    });
  }

  /** Sends what the lead allows and sets the timer for the rest. */
  #pump(): void {
    this.#timer?.[Symbol.dispose]();
    this.#timer = undefined;
    const track = this.#track;
    if (this.#paused) return;
    const frameBytes = audioByteLength(this.#options.transport.format, FRAME_MS);
    for (;;) {
      const available = track.totalBytes - track.sentBytes;
      const size = Math.min(available, frameBytes * (MESSAGE_MS / FRAME_MS));
      const whole = track.ended ? size : size - (size % frameBytes);
      if (whole === 0) break;
      const leadMs = Math.max(0, this.#drainedAtMs - this.#options.clock.now());
      if (leadMs + MESSAGE_MS > LEAD_MS) {
        this.#timer = this.#options.clock.setTimer(leadMs + MESSAGE_MS - LEAD_MS, () => this.#pump());
        return;
      }
      this.#send(whole);
    }
    if (track.ended && track.sentBytes === track.totalBytes) this.#awaitEnd();
  }

  #send(byteLength: number): void {
    const { transport, clock } = this.#options;
    const track = this.#track;
    const first = !track.started;
    track.started = true;
    transport.send({ format: transport.format, bytes: this.#read(track.sentBytes, byteLength) });
    track.sentBytes += byteLength;
    this.#drainedAtMs = Math.max(this.#drainedAtMs, clock.now()) + this.#toMs(byteLength);
    this.#markSent();
    this.#releaseWaiters(track.sentBytes);
    if (first) this.#options.onStarted(track.reply);
  }

  /** Marks sentences' ends, each second and the track's end once they have been sent. */
  #markSent(): void {
    const track = this.#track;
    const passed = track.boundaries.filter((boundary) => boundary <= track.sentBytes).length;
    if (passed > 0) track.boundaries.splice(0, passed);
    const isDue = passed > 0 || this.#toMs(track.sentBytes - track.markedBytes) >= MARK_EVERY_MS;
    if (!isDue || track.sentBytes === track.markedBytes) return;
    track.markedBytes = track.sentBytes;
    track.pendingMarks.push(track.sentBytes);
    this.#options.transport.mark(`${this.#generation}-${track.sentBytes}`);
  }

  /** Everything has been sent: waits for the last mark, or for the time it must take. */
  #awaitEnd(): void {
    const { clock, transport } = this.#options;
    const track = this.#track;
    if (track.confirmedBytes >= track.totalBytes) {
      this.#finish();
      return;
    }
    const graceMs = transport.playout === "marks" ? LOST_MARK_MS : 0;
    this.#timer = clock.setTimer(Math.max(0, this.#drainedAtMs - clock.now()) + graceMs, () => this.#finish());
  }

  #finish(): void {
    const track = this.#track;
    if (track.finished) return;
    track.finished = true;
    track.pendingMarks = [];
    this.#drainedAtMs = 0;
    this.#releaseWaiters(Number.POSITIVE_INFINITY);
    this.#options.onFinished(track.reply);
  }

  /** Clears the transport and takes back what was not heard. */
  #rewind(): void {
    this.#timer?.[Symbol.dispose]();
    this.#timer = undefined;
    const track = this.#track;
    const sampleBytes = this.#options.transport.format.encoding === "pcm16" ? 2 : 1;
    const heard = Math.floor(this.#toBytes(this.position().audioMs) / sampleBytes) * sampleBytes;
    if (track.started && heard < track.sentBytes) this.#options.transport.clear();
    this.#generation++;
    track.sentBytes = heard;
    track.markedBytes = heard;
    track.pendingMarks = [];
    this.#drainedAtMs = 0;
    if (track.ended && track.boundaries.at(-1) !== track.totalBytes) track.boundaries.push(track.totalBytes);
  }

  #read(startByte: number, byteLength: number): Uint8Array {
    const { chunks } = this.#track;
    let index = chunks.findIndex((chunk) => chunk.startByte + chunk.bytes.length > startByte);
    const first = chunks[index] as Chunk;
    const offset = startByte - first.startByte;
    if (offset + byteLength <= first.bytes.length) return first.bytes.subarray(offset, offset + byteLength);
    const bytes = new Uint8Array(byteLength);
    for (let written = 0; written < byteLength; index++) {
      const chunk = chunks[index] as Chunk;
      const part = chunk.bytes.subarray(startByte + written - chunk.startByte, startByte + byteLength - chunk.startByte);
      bytes.set(part, written);
      written += part.length;
    }
    return bytes;
  }

  /** Drops audio that nothing can ask for again. */
  #forgetHeard(): void {
    const track = this.#track;
    const keep = track.chunks.findIndex((chunk) => chunk.startByte + chunk.bytes.length > track.confirmedBytes);
    if (keep > 0) track.chunks.splice(0, keep);
  }

  #releaseWaiters(sentBytes: number): void {
    const ready = this.#waiters.filter((waiter) => waiter.bytes < sentBytes);
    if (ready.length === 0) return;
    this.#waiters = this.#waiters.filter((waiter) => waiter.bytes >= sentBytes);
    for (const waiter of ready) waiter.resolve();
  }

  #toMs(bytes: number): number {
    return bytes / this.#bytesPerMs;
  }

  #toBytes(audioMs: number): number {
    return audioMs * this.#bytesPerMs;
  }
}

function newTrack(reply: number): Track {
  return {
    reply,
    chunks: [],
    totalBytes: 0,
    boundaries: [],
    sentBytes: 0,
    confirmedBytes: 0,
    markedBytes: 0,
    pendingMarks: [],
    started: false,
    ended: false,
    finished: false,
  };
}
