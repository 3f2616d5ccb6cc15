import type { Clock } from "../core/clock.js";
import type { LlmChunk } from "../core/llm.js";
import { deferred } from "../core/signals.js";

/** Where the chunks of an answer come from. */
export interface ChunkSource {
  read(): Promise<readonly LlmChunk[]>;
}

export interface Race<Source extends ChunkSource> {
  readonly winner: Source;
  readonly chunks: readonly LlmChunk[];
  /** Still on its way, or failed. Absent when nobody else was asked. */
  readonly loser?: Source;
}

/**
 * Reads from `first`, and from what `openSecond` gives beside it when nothing has come after `afterMs`: whichever
 * delivers first wins. A failure of one counts only when the other fails too; the error is that of `first`.
 */
export async function race<Source extends ChunkSource>(
  first: Source,
  openSecond: () => Source,
  afterMs: number,
  clock: Clock,
): Promise<Race<Source>> {
  const reading = first.read().then((chunks) => ({ winner: first, chunks }));
  const late = deferred<undefined>();
  using _timer = clock.setTimer(afterMs, () => late.resolve(undefined));
  const inTime = await Promise.race([reading, late.promise]);
  if (inTime !== undefined) return inTime;
  const second = openSecond();
  const readings = [
    reading.then((won) => ({ ...won, loser: second })),
    second.read().then((chunks) => ({ winner: second, chunks, loser: first })),
  ];
  try {
    return await Promise.any(readings);
  } catch {
    // Both have failed: this throws the error of the first.
    return await reading;
  }
}
