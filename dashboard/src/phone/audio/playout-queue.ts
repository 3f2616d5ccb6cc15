import { Resampler } from "../../../../src/audio/resample.js";

/** Audio gathered before playing begins, in ms: what the network may be late by without a gap. */
const START_MS = 40;
const FADE_MS = 5;
/** Resampled at once, in ms. */
const BLOCK_MS = 20;
/** Audio held, in ms; more is dropped. */
const MAX_QUEUED_MS = 120_000;

export interface PlayoutQueueOptions {
  readonly wireRate: number;
  readonly deviceRate: number;
  /** Everything before the mark has been rendered; `frame` is the device's frame it ended at. */
  readonly onMark: (name: string, frame: number) => void;
  /** Playing went on after silence within a reply. `atMark`: it began where the sender had set a mark. */
  readonly onGap: (gap: { readonly durationMs: number; readonly atMark: boolean }) => void;
}

type Item = Int16Array | { readonly mark: string } | "boundary";

/** What is still to be played, in order, and what happens when it is late. All positions count device samples. */
export class PlayoutQueue {
  readonly #options: PlayoutQueueOptions;
  readonly #resampler: Resampler;
  #items: Item[] = [];
  #queuedSamples = 0;
  /** Resampled and not yet rendered. */
  #ready = new Float32Array(0);
  #marks: { readonly name: string; readonly position: number }[] = [];
  #rendered = 0;
  /** Where the resampler's present stream began, and how much it was given. */
  #streamStart = 0;
  #streamSamples = 0;
  #isPlaying = false;
  #waitedSamples = 0;
  /** The frame at which playing stopped for want of audio. */
  #emptySince: number | undefined;
  /** Whether silence is right now: before the first reply, between replies, after a clear. */
  #silenceExpected = true;
  #lastWasMark = false;

  constructor(options: PlayoutQueueOptions) {
    this.#options = options;
    this.#resampler = new Resampler(options.wireRate, options.deviceRate);
  }

  /** Adds samples; says whether there was room. */
  push(samples: Int16Array): boolean {
    if (this.#queuedSamples > (MAX_QUEUED_MS * this.#options.wireRate) / 1000) return false;
    this.#items.push(samples);
    this.#queuedSamples += samples.length;
    return true;
  }

  mark(name: string): void {
    this.#items.push({ mark: name });
  }

  /** The reply ends here: silence behind it is no gap. */
  boundary(): void {
    if (this.#items.length > 0) this.#items.push("boundary");
    else this.#silenceExpected = true;
  }

  /** Drops everything but a short fade; returns the names of the marks that were dropped. */
  clear(): string[] {
    const fadeSamples = Math.round((FADE_MS * this.#options.deviceRate) / 1000);
    if (this.#isPlaying) this.#prepare(fadeSamples);
    const fade = this.#ready.slice(0, this.#isPlaying ? fadeSamples : 0);
    for (let i = 0; i < fade.length; i++) fade[i] = (fade[i] as number) * (1 - (i + 1) / fade.length);
    const queued = this.#items.flatMap((item) => (typeof item === "object" && "mark" in item ? [item.mark] : []));
    const dropped = [...this.#marks.map((mark) => mark.name), ...queued];
    this.#ready = fade;
    this.#items = [];
    this.#marks = [];
    this.#queuedSamples = 0;
    this.#resampler.reset();
    this.#streamStart = this.#rendered + fade.length;
    this.#streamSamples = 0;
    this.#silenceExpected = true;
    return dropped;
  }

  /** Fills `output`, whose first sample is the device's frame `frame`. */
  render(output: Float32Array, frame: number): void {
    if (!this.#isPlaying && !this.#start(frame, output.length)) {
      output.fill(0);
      return;
    }
    this.#prepare(output.length);
    const available = Math.min(this.#ready.length, output.length);
    output.set(this.#ready.subarray(0, available));
    output.fill(0, available);
    this.#ready = this.#ready.subarray(available);
    this.#reportMarks(available, frame);
    this.#rendered += available;
    if (available === output.length) return;
    this.#isPlaying = false;
    this.#waitedSamples = 0;
    // A mark alone is rendered too, and makes the silence around it no shorter.
    if (available > 0 || this.#emptySince === undefined) this.#emptySince = frame + available;
  }

  /** Begins to play once enough is there, or what is there is all for now. */
  #start(frame: number, samples: number): boolean {
    if (this.#items.length === 0 && this.#ready.length === 0) return false;
    const { wireRate, deviceRate } = this.#options;
    const isEnough = this.#queuedSamples >= (START_MS * wireRate) / 1000 || this.#waitedSamples >= (START_MS * deviceRate) / 1000;
    if (!isEnough && this.#items.at(-1) instanceof Int16Array) {
      this.#waitedSamples += samples;
      return false;
    }
    this.#isPlaying = true;
    const next = this.#items.findIndex((item) => item instanceof Int16Array);
    const isGap = next >= 0 && !this.#silenceExpected && !this.#items.slice(0, next).includes("boundary");
    if (isGap && this.#emptySince !== undefined) {
      const atMark = this.#lastWasMark || next > 0;
      this.#options.onGap({ durationMs: ((frame - this.#emptySince) / deviceRate) * 1000, atMark });
    }
    return true;
  }

  /** Resamples until `samples` are ready, or nothing is left. */
  #prepare(samples: number): void {
    while (this.#ready.length < samples) {
      const item = this.#items[0];
      if (item === undefined) {
        if (this.#streamSamples === 0) return;
        // Nothing follows for now: what the resampler holds back is the end.
        this.#append(this.#resampler.flush());
        this.#streamStart = this.#streamEnd();
        this.#streamSamples = 0;
        continue;
      }
      if (!(item instanceof Int16Array)) {
        this.#items.shift();
        if (item === "boundary") this.#silenceExpected = true;
        else this.#marks.push({ name: item.mark, position: this.#streamEnd() });
        this.#lastWasMark ||= item !== "boundary";
        continue;
      }
      this.#silenceExpected = false;
      this.#lastWasMark = false;
      const block = item.subarray(0, (BLOCK_MS * this.#options.wireRate) / 1000);
      if (block.length === item.length) this.#items.shift();
      else this.#items[0] = item.subarray(block.length);
      this.#queuedSamples -= block.length;
      this.#streamSamples += block.length;
      this.#append(this.#resampler.process(block));
    }
  }

  /** The position behind everything that was given to the resampler. */
  #streamEnd(): number {
    return this.#streamStart + Math.ceil((this.#streamSamples * this.#options.deviceRate) / this.#options.wireRate);
  }

  #append(samples: Int16Array): void {
    const joined = new Float32Array(this.#ready.length + samples.length);
    joined.set(this.#ready);
    for (let i = 0; i < samples.length; i++) joined[this.#ready.length + i] = (samples[i] as number) / 32_768;
    this.#ready = joined;
  }

  #reportMarks(rendering: number, frame: number): void {
    const reached = this.#rendered + rendering;
    while (this.#marks[0] !== undefined && this.#marks[0].position <= reached) {
      const mark = this.#marks.shift() as { readonly name: string; readonly position: number };
      this.#options.onMark(mark.name, frame + Math.max(0, mark.position - this.#rendered));
    }
  }
}
