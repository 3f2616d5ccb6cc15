interface Chunk {
  readonly startByte: number;
  readonly bytes: Uint8Array;
}

/**
 * One reply's audio: what there is, how far it has been sent, marked and confirmed.
 * All places are bytes since the reply's first sample; they never point outside what there is.
 */
export class Track {
  readonly reply: number;
  readonly #frameBytes: number;
  readonly #chunks: Chunk[] = [];
  /** Sentences' ends. */
  readonly #boundaries: number[] = [];
  #totalBytes = 0;
  #sentBytes = 0;
  #confirmedBytes = 0;
  #markedBytes = 0;
  #pendingMarks: number[] = [];
  #isStarted = false;
  #isEnded = false;
  /** Whether its end has been reported. */
  isFinished = false;

  constructor(reply: number, frameBytes: number) {
    this.reply = reply;
    this.#frameBytes = frameBytes;
  }

  get totalBytes(): number {
    return this.#totalBytes;
  }

  get sentBytes(): number {
    return this.#sentBytes;
  }

  /** Reported as played. */
  get confirmedBytes(): number {
    return this.#confirmedBytes;
  }

  /** The first place whose report is still to come. */
  get nextMark(): number | undefined {
    return this.#pendingMarks[0];
  }

  /** Whether any of it was ever sent. */
  get isStarted(): boolean {
    return this.#isStarted;
  }

  /** Whether no more audio will be added. */
  get isEnded(): boolean {
    return this.#isEnded;
  }

  get isSent(): boolean {
    return this.#isEnded && this.#sentBytes === this.#totalBytes;
  }

  add(bytes: Uint8Array): void {
    if (this.#isEnded || bytes.length === 0) return;
    this.#chunks.push({ startByte: this.#totalBytes, bytes });
    this.#totalBytes += bytes.length;
  }

  addBoundary(): void {
    this.#boundaries.push(this.#totalBytes);
  }

  /** Adds silence up to a whole frame, `fill` being the byte of a silent sample, and takes no more. */
  end(fill: number): void {
    const missing = (this.#frameBytes - (this.#totalBytes % this.#frameBytes)) % this.#frameBytes;
    this.add(new Uint8Array(missing).fill(fill));
    this.addBoundary();
    this.#isEnded = true;
  }

  /**
   * The next audio to send, `maxBytes` at most; `undefined` when there is none.
   * In whole frames, but for the very last piece after a rewind to within a frame.
   */
  take(maxBytes: number): Uint8Array | undefined {
    const available = Math.min(maxBytes, this.#totalBytes - this.#sentBytes);
    const size = this.#isEnded ? available : available - (available % this.#frameBytes);
    if (size === 0) return undefined;
    const bytes = this.#read(this.#sentBytes, size);
    this.#sentBytes += size;
    this.#isStarted = true;
    return bytes;
  }

  /** The frame that lies around a place, where it has been sent and not been forgotten. */
  frameAt(bytes: number): Uint8Array | undefined {
    const start = bytes - (bytes % this.#frameBytes);
    const isKept = start >= (this.#chunks[0]?.startByte ?? Number.POSITIVE_INFINITY);
    return isKept && start + this.#frameBytes <= this.#sentBytes ? this.#read(start, this.#frameBytes) : undefined;
  }

  /** Where a mark belongs now, if anywhere: behind a sentence, or `everyBytes` behind the last. */
  takeMark(everyBytes: number): number | undefined {
    const sent = this.#sentBytes;
    if (sent === this.#markedBytes) return undefined;
    const isDue = this.#boundaries.some((boundary) => boundary > this.#markedBytes && boundary <= sent);
    if (!isDue && sent - this.#markedBytes < everyBytes) return undefined;
    this.#markedBytes = sent;
    this.#pendingMarks.push(sent);
    return sent;
  }

  /** Takes the report that everything up to `bytes` was played; says whether it was news. */
  confirm(bytes: number): boolean {
    if (bytes <= this.#confirmedBytes || bytes > this.#sentBytes) return false;
    this.#confirmedBytes = bytes;
    this.#pendingMarks = this.#pendingMarks.filter((mark) => mark > bytes);
    // Nothing asks for audio again that has been heard.
    const keep = this.#chunks.findIndex((chunk) => chunk.startByte + chunk.bytes.length > bytes);
    this.#chunks.splice(0, keep < 0 ? this.#chunks.length : keep);
    return true;
  }

  /** Takes the audio behind `bytes`, a place between two samples, back to be sent again. */
  rewind(bytes: number): void {
    this.#sentBytes = bytes;
    this.#markedBytes = this.#sentBytes;
    this.#pendingMarks = [];
  }

  /** No report will be waited for. */
  forgetMarks(): void {
    this.#pendingMarks = [];
  }

  #read(startByte: number, byteLength: number): Uint8Array {
    let index = this.#chunks.findIndex((chunk) => chunk.startByte + chunk.bytes.length > startByte);
    const first = this.#chunks[index] as Chunk;
    const offset = startByte - first.startByte;
    if (offset + byteLength <= first.bytes.length) return first.bytes.subarray(offset, offset + byteLength);
    const bytes = new Uint8Array(byteLength);
    for (let written = 0; written < byteLength; index++) {
      const chunk = this.#chunks[index] as Chunk;
      const part = chunk.bytes.subarray(startByte + written - chunk.startByte, startByte + byteLength - chunk.startByte);
      bytes.set(part, written);
      written += part.length;
    }
    return bytes;
  }
}
