/** A compiled program. */
export type WasmModule = object;

/** The memory of a running program; its buffer is another one after it has grown. */
export interface WasmMemory {
  readonly buffer: ArrayBuffer;
}

export interface WasmInstance {
  readonly exports: Readonly<Record<string, unknown>>;
}

/** The part of the global `WebAssembly` that is used here. Node's types leave it to those of browsers. */
export interface WebAssemblyApi {
  compile(bytes: Uint8Array): Promise<WasmModule>;
  instantiate(module: WasmModule, imports: Readonly<Record<string, object>>): Promise<WasmInstance>;
  readonly CompileError: new (message?: string) => Error;
}

/** The global `WebAssembly`. */
export function webAssembly(): WebAssemblyApi {
  return (globalThis as unknown as { readonly WebAssembly: WebAssemblyApi }).WebAssembly;
}
