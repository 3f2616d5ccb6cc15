import { type WasmInstance, type WasmMemory, type WasmModule, webAssembly } from "./web-assembly.js";

/** How a program ended and what it wrote. */
export interface ProgramResult {
  readonly exitCode: number;
  readonly stdout: string;
  readonly stderr: string;
  /** The file `OUTPUT_PATH`, where it was written. */
  readonly output: Uint8Array;
}

/** The one file that a program can open. */
export const OUTPUT_PATH = "/output";

const SUCCESS = 0;
const BAD_DESCRIPTOR = 8;
const NO_ENTRY = 44;
const NOT_SUPPORTED = 58;
const CHARACTER_DEVICE = 2;
const DIRECTORY = 3;
const REGULAR_FILE = 4;
const ROOT = 3;
const OUTPUT = 4;

/** Thrown through the program's stack, which has no other way to end early. */
class Exit extends Error {
  readonly code: number;

  constructor(code: number) {
    super(`The program exits with code ${code}.`);
    this.code = code;
  }
}

/**
 * A command-line program in WebAssembly, instantiated and waiting for its arguments; it runs once.
 *
 * The host is the part of WASI preview 1 that flite imports: arguments, output streams and one file, all in
 * memory. The program reaches neither the disk nor a clock, and Node's own WASI, which is experimental and
 * says so on the user's terminal, is not needed.
 * Source: https://github.com/WebAssembly/WASI/blob/main/legacy/preview1/docs.md
 */
export class WasiProgram {
  readonly #memory: WasmMemory;
  readonly #start: () => void;
  readonly #host: WasiHost;

  private constructor(instance: WasmInstance, host: WasiHost) {
    const { memory, _start } = instance.exports;
    this.#memory = memory as WasmMemory;
    this.#start = _start as () => void;
    this.#host = host;
  }

  static async instantiate(module: WasmModule): Promise<WasiProgram> {
    const host = new WasiHost();
    return new WasiProgram(await webAssembly().instantiate(module, { wasi_snapshot_preview1: host.imports() }), host);
  }

  /** Runs to the end, however long it takes. Throws the engine's `RuntimeError` when the program traps. */
  run(args: readonly string[]): ProgramResult {
    this.#host.begin(this.#memory, args);
    let exitCode = 0;
    try {
      this.#start();
    } catch (error) {
      if (!(error instanceof Exit)) throw error;
      exitCode = error.code;
    }
    return { exitCode, ...this.#host.written() };
  }
}

class WasiHost {
  readonly #files = new Map([
    [1, new MemoryFile()],
    [2, new MemoryFile()],
    [OUTPUT, new MemoryFile()],
  ]);
  #memory: WasmMemory | undefined;
  #args: readonly Uint8Array[] = [];

  begin(memory: WasmMemory, args: readonly string[]): void {
    this.#memory = memory;
    this.#args = args.map((arg) => new TextEncoder().encode(`${arg.replaceAll("\0", " ")}\0`));
  }

  written(): Omit<ProgramResult, "exitCode"> {
    const [stdout, stderr, output] = [...this.#files.values()].map((file) => file.bytes()) as [
      Uint8Array,
      Uint8Array,
      Uint8Array,
    ];
    const decoder = new TextDecoder();
    return { stdout: decoder.decode(stdout), stderr: decoder.decode(stderr), output };
  }

  imports(): Record<string, (...parameters: never[]) => number> {
    return {
      args_sizes_get: (count: number, size: number) => this.#sizes(count, size),
      args_get: (pointers: number, buffer: number) => this.#arguments(pointers, buffer),
      clock_time_get: (_id: number, _precision: bigint, time: number) => {
        this.#view().setBigUint64(time, 0n, true);
        return SUCCESS;
      },
      fd_prestat_get: (fd: number, prestat: number) => this.#prestat(fd, prestat),
      fd_prestat_dir_name: (fd: number, path: number) => this.#rootName(fd, path),
      fd_fdstat_get: (fd: number, stat: number) => this.#stat(fd, stat),
      fd_fdstat_set_flags: () => NOT_SUPPORTED,
      fd_read: () => NOT_SUPPORTED,
      fd_write: (fd: number, vectors: number, count: number, size: number) => this.#write(fd, vectors, count, size),
      fd_seek: (fd: number, offset: bigint, whence: number, position: number) => this.#seek(fd, offset, whence, position),
      fd_close: () => SUCCESS,
      path_open: (...[, , path, length, , , , , fd]: number[]) => this.#open(path as number, length as number, fd as number),
      proc_exit: (code: number) => {
        throw new Exit(code);
      },
    };
  }

  #sizes(count: number, size: number): number {
    const view = this.#view();
    view.setUint32(count, this.#args.length, true);
    view.setUint32(
      size,
      this.#args.reduce((sum, arg) => sum + arg.length, 0),
      true,
    );
    return SUCCESS;
  }

  #arguments(pointers: number, buffer: number): number {
    let at = buffer;
    for (const [index, arg] of this.#args.entries()) {
      this.#view().setUint32(pointers + 4 * index, at, true);
      this.#bytes(at, arg.length).set(arg);
      at += arg.length;
    }
    return SUCCESS;
  }

  /** The C library learns from this that descriptor 3 is the directory "/". */
  #prestat(fd: number, prestat: number): number {
    if (fd !== ROOT) return BAD_DESCRIPTOR;
    this.#view().setUint32(prestat, 0, true);
    this.#view().setUint32(prestat + 4, 1, true);
    return SUCCESS;
  }

  #rootName(fd: number, path: number): number {
    if (fd !== ROOT) return BAD_DESCRIPTOR;
    this.#view().setUint8(path, "/".charCodeAt(0));
    return SUCCESS;
  }

  #stat(fd: number, stat: number): number {
    if (fd !== ROOT && fd !== 0 && !this.#files.has(fd)) return BAD_DESCRIPTOR;
    const type = fd === ROOT ? DIRECTORY : fd === OUTPUT ? REGULAR_FILE : CHARACTER_DEVICE;
    this.#bytes(stat, 24).fill(0);
    this.#view().setUint8(stat, type);
    const allRights = 0x1fff_ffffn;
    this.#view().setBigUint64(stat + 8, allRights, true);
    this.#view().setBigUint64(stat + 16, allRights, true);
    return SUCCESS;
  }

  #write(fd: number, vectors: number, count: number, size: number): number {
    const file = this.#files.get(fd);
    if (file === undefined) return BAD_DESCRIPTOR;
    const view = this.#view();
    let written = 0;
    for (let index = 0; index < count; index++) {
      const start = view.getUint32(vectors + 8 * index, true);
      const length = view.getUint32(vectors + 8 * index + 4, true);
      file.write(this.#bytes(start, length));
      written += length;
    }
    view.setUint32(size, written, true);
    return SUCCESS;
  }

  #seek(fd: number, offset: bigint, whence: number, position: number): number {
    const file = this.#files.get(fd);
    if (file === undefined) return BAD_DESCRIPTOR;
    this.#view().setBigUint64(position, BigInt(file.seek(Number(offset), whence)), true);
    return SUCCESS;
  }

  #open(path: number, length: number, fd: number): number {
    const name = new TextDecoder().decode(this.#bytes(path, length));
    if (`/${name}` !== OUTPUT_PATH) return NO_ENTRY;
    this.#view().setUint32(fd, OUTPUT, true);
    return SUCCESS;
  }

  /** Made anew each time: memory that has grown is another buffer. */
  #view(): DataView {
    return new DataView((this.#memory as WasmMemory).buffer);
  }

  #bytes(start: number, length: number): Uint8Array {
    return new Uint8Array((this.#memory as WasmMemory).buffer, start, length);
  }
}

class MemoryFile {
  #content = new Uint8Array(4096);
  #length = 0;
  #position = 0;

  write(bytes: Uint8Array): void {
    const end = this.#position + bytes.length;
    if (end > this.#content.length) {
      const grown = new Uint8Array(Math.max(end, 2 * this.#content.length));
      grown.set(this.#content);
      this.#content = grown;
    }
    this.#content.set(bytes, this.#position);
    this.#position = end;
    this.#length = Math.max(this.#length, end);
  }

  /** `whence`: 0 from the start, 1 from the position, 2 from the end. Returns the new position. */
  seek(offset: number, whence: number): number {
    this.#position = Math.max(0, [0, this.#position, this.#length][whence] as number) + offset;
    return this.#position;
  }

  bytes(): Uint8Array {
    return this.#content.subarray(0, this.#length);
  }
}
