import { MULAW_SILENCE } from "../../audio/g711.js";
import { FRAME_BYTES } from "./frame-ticker.js";

/** A mark that came back, and why. */
export interface ReturnedMark {
  readonly name: string;
  readonly outcome: "played" | "cleared";
}

/** What the next 20 ms sound like. */
export interface PlayedFrame {
  /** 160 bytes, silence behind the audio. */
  readonly bytes: Uint8Array;
  /** How many of them were sent. */
  readonly audioBytes: number;
}

/** Audio of a media socket on its way to the caller's ear, in order, with the marks between it. */
export class Playout {
  #items: (Uint8Array | string)[] = [];
  #bytes = 0;
  /** Marks behind the frame that is being played. */
  #passed: string[] = [];
  #isSounding = false;

  /** Audio not yet played, in bytes. */
  get queuedBytes(): number {
    return this.#bytes;
  }

  add(audio: Uint8Array): void {
    if (audio.length === 0) return;
    this.#items.push(audio);
    this.#bytes += audio.length;
  }

  /** Puts a mark behind all audio; returns it at once when there is none. */
  mark(name: string): ReturnedMark[] {
    if (this.#items.length === 0 && !this.#isSounding) return [{ name, outcome: "played" }];
    this.#items.push(name);
    return [];
  }

  /** Empties the queue: its marks come back. */
  clear(): ReturnedMark[] {
    const marks = [...this.#passed, ...this.#items.filter((item) => typeof item === "string")];
    this.#items = [];
    this.#bytes = 0;
    this.#passed = [];
    return marks.map((name) => ({ name, outcome: "cleared" }));
  }

  /** The marks of what has been played by now; call it before `next`. */
  played(): ReturnedMark[] {
    this.#isSounding = false;
    this.#takeMarks();
    return this.#passed.splice(0).map((name) => ({ name, outcome: "played" }));
  }

  /** Begins to play the next 20 ms. */
  next(): PlayedFrame {
    const frame = new Uint8Array(FRAME_BYTES).fill(MULAW_SILENCE);
    let filled = 0;
    while (filled < FRAME_BYTES && this.#items.length > 0) {
      const item = this.#items[0] as Uint8Array;
      const part = item.subarray(0, FRAME_BYTES - filled);
      frame.set(part, filled);
      filled += part.length;
      if (part.length === item.length) this.#items.shift();
      else this.#items[0] = item.subarray(part.length);
      this.#takeMarks();
    }
    this.#bytes -= filled;
    this.#isSounding = filled > 0;
    return { bytes: frame, audioBytes: filled };
  }

  #takeMarks(): void {
    while (typeof this.#items[0] === "string") this.#passed.push(this.#items.shift() as string);
  }
}
