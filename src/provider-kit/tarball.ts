import { createReadStream } from "node:fs";
import { open } from "node:fs/promises";
import { pipeline } from "node:stream/promises";
import { createGunzip } from "node:zlib";

const BLOCK_BYTES = 512;

/**
 * Takes named files out of a gzipped tar archive and returns the names it found. `targets` maps an entry's
 * exact name to the file to write; every other entry is skipped, so that an archive cannot choose a path.
 * Rejects when the archive is damaged or the signal aborts.
 */
export async function extractFiles(
  tarball: string,
  targets: ReadonlyMap<string, string>,
  signal: AbortSignal,
): Promise<Set<string>> {
  const found = new Set<string>();
  await pipeline(
    createReadStream(tarball),
    createGunzip(),
    async (source: AsyncIterable<Uint8Array>) => {
      const reader = new BlockReader(source);
      for (let header = await reader.read(BLOCK_BYTES); header !== undefined; header = await reader.read(BLOCK_BYTES)) {
        if (header[0] === 0) continue;
        const name = entryName(header);
        const bytes = entrySize(header);
        const target = targets.get(name);
        if (target !== undefined) found.add(name);
        await copyEntry(reader, bytes, target);
      }
    },
    { signal },
  );
  return found;
}

async function copyEntry(reader: BlockReader, bytes: number, target: string | undefined): Promise<void> {
  const file = target === undefined ? undefined : await open(target, "w");
  try {
    let left = bytes;
    while (left > 0) {
      const chunk = await reader.readUpTo(left);
      await file?.write(chunk);
      left -= chunk.length;
    }
  } finally {
    await file?.close();
  }
  const padding = -bytes & (BLOCK_BYTES - 1);
  if (padding > 0) await reader.read(padding);
}

function entryName(header: Uint8Array): string {
  const name = headerText(header, 0, 100);
  const prefix = headerText(header, 257, 5) === "ustar" ? headerText(header, 345, 155) : "";
  return prefix === "" ? name : `${prefix}/${name}`;
}

function entrySize(header: Uint8Array): number {
  const size = Number.parseInt(headerText(header, 124, 12), 8);
  if (Number.isSafeInteger(size)) return size;
  throw new Error("The archive is damaged: an entry has no size.");
}

function headerText(header: Uint8Array, from: number, length: number): string {
  const field = Buffer.from(header.buffer, header.byteOffset + from, length).toString("utf8");
  return (field.split("\0", 1)[0] as string).trim();
}

/** Reads a stream of chunks in pieces of the size that is asked for. */
class BlockReader {
  readonly #chunks: AsyncIterator<Uint8Array>;
  #rest: Uint8Array = new Uint8Array(0);

  constructor(source: AsyncIterable<Uint8Array>) {
    this.#chunks = source[Symbol.asyncIterator]();
  }

  /** Exactly so many bytes, or `undefined` at the end of the stream. Throws when the stream ends within them. */
  async read(bytes: number): Promise<Uint8Array | undefined> {
    const parts: Uint8Array[] = [];
    for (let left = bytes; left > 0; ) {
      if (this.#rest.length === 0 && !(await this.#fill())) {
        if (left === bytes) return undefined;
        throw new Error("The archive is cut short.");
      }
      const part = this.#take(left);
      parts.push(part);
      left -= part.length;
    }
    return parts.length === 1 ? parts[0] : Buffer.concat(parts);
  }

  /** At least one byte and at most so many. */
  async readUpTo(bytes: number): Promise<Uint8Array> {
    if (this.#rest.length === 0 && !(await this.#fill())) throw new Error("The archive is cut short.");
    return this.#take(bytes);
  }

  #take(bytes: number): Uint8Array {
    const part = this.#rest.subarray(0, bytes);
    this.#rest = this.#rest.subarray(part.length);
    return part;
  }

  async #fill(): Promise<boolean> {
    while (this.#rest.length === 0) {
      const next = await this.#chunks.next();
      if (next.done === true) return false;
      this.#rest = next.value;
    }
    return true;
  }
}
