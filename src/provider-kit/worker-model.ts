import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { Worker } from "node:worker_threads";
import { ConfigError, type PatterError, ProviderError } from "../core/errors.js";
import { AsyncQueue } from "../core/queue.js";
import { abortable, type Deferred, deferred } from "../core/signals.js";
import {
  type FromWorker,
  GUARD_BUSY,
  GUARD_BYTES,
  GUARD_ENDING,
  type ToWorker,
  type WorkerError,
  type WorkerStart,
} from "./worker-model-messages.js";

export interface WorkerModelOptions {
  /** The provider's name in errors, such as `local`. */
  readonly provider: string;
  /** The worker's compiled code: see `workerFile`. */
  readonly file: URL;
  /** What the worker loads its model from; copied. */
  readonly data: unknown;
}

/** One use of a model. Iterate it once; it ends, or fails by throwing a `PatterError`. */
export interface WorkerStream<Message, Event> extends AsyncIterable<Event>, Disposable {
  /** Never blocks and never throws; after the end it does nothing. The message is copied. */
  send(message: Message): void;
}

/**
 * A model in a worker thread, shared by every stream opened on it.
 *
 * The worker starts at the first use and loads the model once. It keeps the process alive only while a
 * stream is open or the model is loading. Should it die, the open streams fail with a retryable
 * `ProviderError`, and the next use starts another; a model that cannot be loaded is tried again as well.
 */
export class WorkerModel<Open, Message, Event> implements AsyncDisposable {
  readonly #options: WorkerModelOptions;
  #running: RunningWorker<Open, Message, Event> | undefined;

  constructor(options: WorkerModelOptions) {
    this.#options = options;
  }

  /** Resolves when the model is loaded. Rejects as the worker's loading does, or with the signal's reason. */
  async load(signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    await abortable(this.#worker().loaded(), signal);
  }

  /** Opens a stream; what is sent before the model is loaded waits for it. Errors come out of the iteration. */
  open(options: Open): WorkerStream<Message, Event> {
    return this.#worker().open(options);
  }

  /** Stops the worker; its open streams end. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#running?.stop();
  }

  #worker(): RunningWorker<Open, Message, Event> {
    this.#running ??= new RunningWorker(this.#options, (stopped) => {
      if (this.#running === stopped) this.#running = undefined;
    });
    return this.#running;
  }
}

/** The compiled file of a worker; `path` is relative to `from`, the caller's `import.meta.url`. */
export function workerFile(path: string, from: string): URL {
  const url = new URL(path, from);
  // Sources run through a loader of TypeScript, which worker threads do not have.
  const cut = url.pathname.lastIndexOf("/src/");
  if (!from.endsWith(".ts") || cut < 0) return url;
  const compiled = new URL(`${url.pathname.slice(0, cut)}/dist/${url.pathname.slice(cut + 5)}`, url);
  if (existsSync(compiled)) return compiled;
  throw new ConfigError(`${fileURLToPath(compiled)} is missing: worker threads run compiled code, so run npm run build first.`);
}

/** How long the end of the process waits for native code: loading a model is its longest call. */
const LONGEST_CALL_MS = 5000;

class RunningWorker<Open, Message, Event> {
  readonly #options: WorkerModelOptions;
  readonly #worker: Worker;
  readonly #onStopped: (worker: this) => void;
  readonly #queues = new Map<number, AsyncQueue<Event>>();
  readonly #ready: Deferred<void> = deferred();
  readonly #guard = new Int32Array(new SharedArrayBuffer(GUARD_BYTES));
  #lastStream = 0;
  #waiting = 0;
  #isStopped = false;

  constructor(options: WorkerModelOptions, onStopped: (worker: RunningWorker<Open, Message, Event>) => void) {
    this.#options = options;
    this.#onStopped = onStopped;
    // A failed load reaches those that wait for it, if any, and every stream.
    this.#ready.promise.catch(() => {});
    const workerData: WorkerStart = { data: options.data, exitGuard: this.#guard.buffer };
    this.#worker = new Worker(options.file, { workerData, name: `getpatter ${options.provider}`, execArgv: [] });
    process.once("exit", this.#awaitNativeCall);
    this.#worker.on("message", (message: FromWorker<Event>) => this.#receive(message));
    this.#worker.once("error", (error) => this.#stopped(this.#crashed(error)));
    this.#worker.once("exit", (code) => {
      process.off("exit", this.#awaitNativeCall);
      this.#stopped(this.#crashed(new Error(`its thread ended with code ${code}`)));
    });
    this.#holdProcess();
  }

  async loaded(): Promise<void> {
    this.#waiting++;
    this.#holdProcess();
    try {
      await this.#ready.promise;
    } finally {
      this.#waiting--;
      this.#holdProcess();
    }
  }

  open(options: Open): WorkerStream<Message, Event> {
    const stream = ++this.#lastStream;
    const queue = new AsyncQueue<Event>();
    this.#queues.set(stream, queue);
    this.#holdProcess();
    this.#post({ type: "open", stream, options });
    return {
      send: (message) => {
        if (this.#queues.has(stream)) this.#post({ type: "message", stream, message });
      },
      [Symbol.asyncIterator]: () => queue[Symbol.asyncIterator](),
      [Symbol.dispose]: () => {
        if (this.#queues.has(stream)) this.#post({ type: "close", stream });
        this.#finish(stream, (open) => {
          open.end();
          open.drain();
        });
      },
    };
  }

  async stop(): Promise<void> {
    if (this.#isStopped) return;
    this.#stopped(undefined);
    // The thread ends by itself, when it is done with what it is at: cutting native code off ends the process.
    this.#worker.ref();
    const ended = new Promise((resolve) => this.#worker.once("exit", resolve));
    this.#post({ type: "dispose" });
    await ended;
  }

  /** The other half of `uninterrupted`. */
  readonly #awaitNativeCall = (): void => {
    Atomics.store(this.#guard, GUARD_ENDING, 1);
    if (Atomics.load(this.#guard, GUARD_BUSY) === 1) Atomics.wait(this.#guard, GUARD_BUSY, 1, LONGEST_CALL_MS);
  };

  #post(message: ToWorker<Open, Message>): void {
    this.#worker.postMessage(message, []);
  }

  #receive(message: FromWorker<Event>): void {
    switch (message.type) {
      case "ready":
        this.#ready.resolve();
        return;
      case "load_failed":
        this.#stopped(this.#toError(message.error));
        return;
      case "event":
        this.#queues.get(message.stream)?.push(message.event);
        return;
      case "failed":
        this.#finish(message.stream, (queue) => queue.fail(this.#toError(message.error)));
        return;
      case "ended":
        this.#finish(message.stream, (queue) => queue.end());
    }
  }

  #finish(stream: number, end: (queue: AsyncQueue<Event>) => void): void {
    const queue = this.#queues.get(stream);
    if (queue === undefined) return;
    this.#queues.delete(stream);
    end(queue);
    this.#holdProcess();
  }

  #stopped(error: PatterError | undefined): void {
    if (this.#isStopped) return;
    this.#isStopped = true;
    this.#onStopped(this);
    if (error === undefined) this.#ready.resolve();
    else this.#ready.reject(error);
    for (const stream of this.#queues.keys()) {
      this.#finish(stream, (queue) => (error === undefined ? queue.end() : queue.fail(error)));
    }
  }

  /** An idle worker must not keep a finished program alive. */
  #holdProcess(): void {
    if (this.#queues.size + this.#waiting > 0) this.#worker.ref();
    else this.#worker.unref();
  }

  #toError(error: WorkerError): PatterError {
    if (error.code === "config") return new ConfigError(error.message);
    return new ProviderError(error.message, { provider: this.#options.provider });
  }

  #crashed(error: Error): ProviderError {
    return new ProviderError(`The ${this.#options.provider} model's worker stopped: ${error.message}.`, {
      provider: this.#options.provider,
      retryable: true,
      cause: error,
    });
  }
}
