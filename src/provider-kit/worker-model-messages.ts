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
