/** What the calling thread sends to a model's worker. Streams are numbered by the caller. */
export type ToWorker<Open, Message> =
  | { readonly type: "open"; readonly stream: number; readonly options: Open }
  | { readonly type: "message"; readonly stream: number; readonly message: Message }
  | { readonly type: "close"; readonly stream: number }
  /** Free everything and end the thread. */
  | { readonly type: "dispose" };

/** What a model's worker sends back. Nothing follows the `failed` or `ended` of a stream. */
export type FromWorker<Event> =
  | { readonly type: "ready" }
  | { readonly type: "load_failed"; readonly error: WorkerError }
  | { readonly type: "event"; readonly stream: number; readonly event: Event }
  | { readonly type: "failed"; readonly stream: number; readonly error: WorkerError }
  | { readonly type: "ended"; readonly stream: number };

/** An error on its way between threads, which keep no classes. `config`: the user must change something. */
export interface WorkerError {
  readonly code: "config" | "provider";
  readonly message: string;
}

/** What a worker is started with. */
export interface WorkerStart {
  readonly data: unknown;
  readonly exitGuard: SharedArrayBuffer;
}

/** Where in the exit guard it says that the thread is at work that must not be cut off. */
export const GUARD_BUSY = 0;
/** Where in the exit guard it says that the process is ending, and such work must not begin. */
export const GUARD_ENDING = 1;
export const GUARD_BYTES = 8;
