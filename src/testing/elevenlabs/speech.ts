import type { Clock } from "../../core/clock.js";
import { PCM16_16K, sameFormat } from "../../core/audio-frame.js";
import type { SpokenWords } from "../spoken-words.js";
import { chunksOf, type SpokenChunk } from "./chunks.js";
import type { ElevenLabsFailure, ElevenLabsRefusal } from "./failures.js";
import { formatNamed, speakTones, speakWords, type Utterance } from "./voice.js";

export interface SpeechSettings {
  readonly clock: Clock;
  readonly spoken: SpokenWords | undefined;
  readonly characterMs: number;
  readonly chunkMs: number;
  readonly tellsTimes: boolean;
  readonly firstByteMs: number;
  readonly chunkDelayMs: number;
}

/** How one speech ended. */
export type SpeechEnd = "complete" | "cut" | "silent" | "closed";

/** Speaks texts with the server's voice and its delays, on its clock. */
export class SpeechMaker {
  readonly #settings: SpeechSettings;

  constructor(settings: SpeechSettings) {
    this.#settings = settings;
  }

  get clock(): Clock {
    return this.#settings.clock;
  }

  /** Says whether it can speak in the format of this name; a voice for a `TestPhone` has one format only. */
  makes(formatName: string): boolean {
    const format = formatNamed(formatName);
    if (format === undefined) return false;
    const { spoken } = this.#settings;
    return spoken === undefined || sameFormat(format, spoken.format);
  }

  /**
   * Hands over a speech chunk by chunk, as its failure lets it. Rejects with the signal's reason when the client leaves.
   * @param failure What goes wrong with it.
   */
  async speak(
    text: string,
    formatName: string,
    options: {
      readonly signal: AbortSignal;
      readonly failure: Exclude<ElevenLabsFailure, ElevenLabsRefusal> | undefined;
      send(chunk: SpokenChunk): void;
    },
  ): Promise<SpeechEnd> {
    const { clock, firstByteMs, chunkDelayMs, chunkMs } = this.#settings;
    const { signal, failure, send } = options;
    const delayMs = failure !== undefined && "firstByteMs" in failure ? failure.firstByteMs : firstByteMs;
    if (delayMs > 0) await clock.sleep(delayMs, signal);
    const stop = stopOf(failure);
    const chunks = chunksOf(this.#utterance(text, formatName), chunkMs);
    for (const [index, chunk] of chunks.entries()) {
      if (index > 0 && chunkDelayMs > 0) await clock.sleep(chunkDelayMs, signal);
      signal.throwIfAborted();
      if (stop !== undefined && chunk.startMs >= stop.afterMs) return stop.end;
      send(this.#settings.tellsTimes ? chunk : { ...chunk, times: { characters: [], startMs: [], durationMs: [] } });
    }
    return stop?.end ?? "complete";
  }

  #utterance(text: string, formatName: string): Utterance {
    const { spoken, characterMs } = this.#settings;
    if (spoken !== undefined) return speakWords(text, spoken);
    return speakTones(text, formatNamed(formatName) ?? PCM16_16K, characterMs);
  }
}

function stopOf(failure: ElevenLabsFailure | undefined): { readonly end: SpeechEnd; readonly afterMs: number } | undefined {
  if (failure === undefined) return undefined;
  if ("cutAfterMs" in failure) return { end: "cut", afterMs: failure.cutAfterMs };
  if ("silentAfterMs" in failure) return { end: "silent", afterMs: failure.silentAfterMs };
  if ("closeCode" in failure) return { end: "closed", afterMs: failure.afterMs ?? 0 };
  return undefined;
}
