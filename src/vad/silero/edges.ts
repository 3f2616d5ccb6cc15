import type { VadEvent } from "../../core/vad.js";

export interface EdgeOptions {
  /** Hz. */
  readonly sampleRate: number;
  /** Windows with voice in a row that begin speech. */
  readonly startWindows: number;
  /** Windows without voice in a row that end it. */
  readonly endWindows: number;
}

const BLOCK_MS = 8;
/** Blocks remembered for finding edges: 1.5 s. */
const REMEMBERED = 188;
const MAX_LOOK_BACK_MS = 160;
const MAX_LOOK_AHEAD_MS = 160;
/** A block is sound when it is this much over the background, and no more than `RANGE_DB` under the speech. */
const OVER_BACKGROUND_DB = 6;
const RANGE_DB = 30;
/** This many quiet blocks in a row are a gap before the speech, not a pause in it. */
const GAP_BLOCKS = 3;

/**
 * Turns the verdicts on windows of audio into speech events.
 *
 * The detector's verdict comes two or three windows after a voice begins, and as long after it ends. Where
 * the first and last samples lie is read from the energy around the verdict, in blocks of 8 ms.
 */
export class SpeechEdges {
  readonly #options: EdgeOptions;
  readonly #blockSamples: number;
  /** Energies in dB of the latest blocks; block `n` is at `n % REMEMBERED`. */
  readonly #energies = new Float64Array(REMEMBERED);
  #blocks = 0;
  #blockSum = 0;
  #blockFilled = 0;
  #isSpeech = false;
  /** Windows in a row that speak for a change. */
  #run = 0;
  /** The block at which that run, or the latest window with voice, begins. */
  #runBlock = 0;
  #windowBlock = 0;

  constructor(options: EdgeOptions) {
    this.#options = options;
    this.#blockSamples = Math.round((options.sampleRate * BLOCK_MS) / 1000);
  }

  /** Takes a window's samples and whether it has voice; returns the event it brings, if any. */
  push(samples: Int16Array, hasVoice: boolean): VadEvent | undefined {
    this.#windowBlock = this.#blocks;
    this.#measure(samples);
    if (hasVoice === this.#isSpeech) {
      this.#run = 0;
      if (hasVoice) this.#runBlock = this.#blocks;
      return undefined;
    }
    if (this.#run++ === 0 && hasVoice) this.#runBlock = this.#windowBlock;
    const { startWindows, endWindows } = this.#options;
    if (this.#run < (hasVoice ? startWindows : endWindows)) return undefined;
    const event: VadEvent = hasVoice
      ? { type: "speech_start", audioMs: this.#firstSound() * BLOCK_MS }
      : { type: "speech_end", audioMs: this.#lastSound() * BLOCK_MS };
    this.#isSpeech = hasVoice;
    this.#run = 0;
    this.#runBlock = this.#blocks;
    return event;
  }

  #measure(samples: Int16Array): void {
    for (const sample of samples) {
      this.#blockSum += sample * sample;
      if (++this.#blockFilled < this.#blockSamples) continue;
      this.#energies[this.#blocks++ % REMEMBERED] = 10 * Math.log10(this.#blockSum / this.#blockSamples + 1);
      this.#blockSum = 0;
      this.#blockFilled = 0;
    }
  }

  /** The block in which the sound begins that led to the run of voice. */
  #firstSound(): number {
    const lookBack = MAX_LOOK_BACK_MS / BLOCK_MS;
    const threshold = this.#threshold(this.#oldest(), this.#runBlock - lookBack / 2, this.#runBlock, this.#blocks);
    let first = this.#blocks - 1;
    let gap = 0;
    for (let block = first; block >= Math.max(this.#oldest(), this.#runBlock - lookBack) && gap < GAP_BLOCKS; block--) {
      if (this.#energy(block) > threshold) {
        first = block;
        gap = 0;
      } else if (first < this.#blocks - 1) gap++;
    }
    return first;
  }

  /** The block after the one in which the sound ends that the run of silence followed. */
  #lastSound(): number {
    const from = Math.max(this.#oldest(), this.#runBlock - MAX_LOOK_BACK_MS / BLOCK_MS);
    const quietFrom = Math.min(this.#blocks - GAP_BLOCKS, this.#runBlock + MAX_LOOK_AHEAD_MS / BLOCK_MS / 2);
    const threshold = this.#threshold(quietFrom, this.#blocks, this.#oldest(), this.#runBlock);
    let last = from;
    for (let block = from; block < Math.min(this.#blocks, this.#runBlock + MAX_LOOK_AHEAD_MS / BLOCK_MS); block++) {
      if (this.#energy(block) > threshold) last = block + 1;
    }
    return last;
  }

  /** What separates sound from background: given where there is background, and where there is speech. */
  #threshold(quietFrom: number, quietTo: number, loudFrom: number, loudTo: number): number {
    const quiet: number[] = [];
    for (let block = Math.max(quietFrom, this.#oldest()); block < quietTo; block++) quiet.push(this.#energy(block));
    const background = quiet.sort((a, b) => a - b)[quiet.length >> 1] ?? 0;
    let loudest = 0;
    for (let block = Math.max(loudFrom, this.#oldest()); block < loudTo; block++)
      loudest = Math.max(loudest, this.#energy(block));
    return Math.max(background + OVER_BACKGROUND_DB, loudest - RANGE_DB);
  }

  #oldest(): number {
    return Math.max(0, this.#blocks - REMEMBERED);
  }

  #energy(block: number): number {
    return this.#energies[block % REMEMBERED] as number;
  }
}
