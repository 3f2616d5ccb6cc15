import type { Clock } from "../core/clock.js";
import type { LlmChunk } from "../core/llm.js";
import { deferred } from "../core/signals.js";

/** Where the chunks of an answer come from. */
export interface ChunkSource {
  /** The next chunks; none when the answer is complete. */
  read(): Promise<readonly LlmChunk[]>;
  /** Says whether the model has been seen to think about what it has not said yet. */
  readonly hasThought: boolean;
}

export interface Race<Source extends ChunkSource> {
  readonly winner: Source;
  readonly chunks: readonly LlmChunk[];
  /** Still on its way, empty, or failed. Absent when nobody else was asked. */
  readonly loser?: Source;
}

/**
 * Reads from `first`, and from what `openSecond` gives beside it when nothing has come after `afterMs`, not even thinking:
 * whichever delivers content first wins. An empty answer, or a failure, of one counts only when the other has no content
 * either: then an answer goes before a failure, and the first before the second.
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
  if (first.hasThought) return await reading;
  const second = openSecond();
  const fromFirst: Promise<Race<Source>> = reading.then((won) => ({ ...won, loser: second }));
  const fromSecond = second.read().then((chunks) => ({ winner: second, chunks, loser: first }));
  const both = [fromFirst, fromSecond];
  return await Promise.any(both.map(withContent))
    .catch(() => Promise.any(both))
    .catch(() => fromFirst);
}

async function withContent<Source extends ChunkSource>(reading: Promise<Race<Source>>): Promise<Race<Source>> {
  const won = await reading;
  if (won.chunks.length === 0) throw new Error("The answer is empty.");
  return won;
}
