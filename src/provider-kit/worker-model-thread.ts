import { parentPort, workerData } from "node:worker_threads";
import { ConfigError, errorMessage } from "../core/errors.js";
import {
  type FromWorker,
  GUARD_BUSY,
  GUARD_ENDING,
  type ToWorker,
  type WorkerError,
  type WorkerStart,
} from "./worker-model-messages.js";

/** What a model can tell the stream that uses it. */
export interface Emitter<Event> {
  /** `transfer`: buffers that are handed over instead of copied. */
  emit(event: Event, transfer?: readonly ArrayBuffer[]): void;
  /** The stream is over; what its user still sends is ignored. */
  end(): void;
  fail(error: unknown): void;
}

/** One stream of work inside the worker. */
export interface ThreadStream<Message> {
  receive(message: Message): void;
  /** Frees what the stream holds, as soon as it can. */
  close(): void;
}

export interface ThreadModel<Open, Message, Event> {
  open(options: Open, emitter: Emitter<Event>): ThreadStream<Message>;
  /** Frees what the thread's end does not, such as memory of native libraries. Its streams are closed already. */
  dispose?(): void;
}

/**
 * Serves a model from the worker this runs in: loads it once with the data the worker was given, then opens
 * streams as the other thread asks.
 * What a stream throws ends that stream only.
 */
export function serveModel<Open, Message, Event>(load: (data: never) => Promise<ThreadModel<Open, Message, Event>>): void {
  const port = parentPort;
  if (port === null) throw new Error("A model is served from a worker thread, not from the main thread.");
  const post = (message: FromWorker<Event>, transfer: readonly ArrayBuffer[] = []): void =>
    port.postMessage(message, [...transfer]);
  const loading = load((workerData as WorkerStart).data as never);
  const streams = new Map<number, ThreadStream<Message>>();

  const finish = (stream: number, message: FromWorker<Event>): void => {
    const open = streams.get(stream);
    if (open === undefined) return;
    streams.delete(stream);
    post(message);
    open.close();
  };

  const open = (model: ThreadModel<Open, Message, Event>, stream: number, options: Open): void => {
    const emitter: Emitter<Event> = {
      emit: (event, transfer) => {
        if (streams.has(stream)) post({ type: "event", stream, event }, transfer);
      },
      end: () => finish(stream, { type: "ended", stream }),
      fail: (error) => finish(stream, { type: "failed", stream, error: toWorkerError(error) }),
    };
    try {
      streams.set(stream, model.open(options, emitter));
    } catch (error) {
      post({ type: "failed", stream, error: toWorkerError(error) });
    }
  };

  const receive = (model: ThreadModel<Open, Message, Event>, message: ToWorker<Open, Message>): void => {
    if (message.type === "open") {
      open(model, message.stream, message.options);
      return;
    }
    if (message.type === "dispose") {
      for (const stream of streams.values()) stream.close();
      streams.clear();
      model.dispose?.();
      port.close();
      return;
    }
    const stream = streams.get(message.stream);
    if (stream === undefined) return;
    if (message.type === "close") {
      streams.delete(message.stream);
      stream.close();
      return;
    }
    try {
      stream.receive(message.message);
    } catch (error) {
      finish(message.stream, { type: "failed", stream: message.stream, error: toWorkerError(error) });
    }
  };

  loading.then(
    (model) => {
      post({ type: "ready" });
      // Messages wait in the port until there is a listener.
      port.on("message", (message: ToWorker<Open, Message>) => receive(model, message));
    },
    (error: unknown) => {
      post({ type: "load_failed", error: toWorkerError(error) });
      port.close();
    },
  );
}

/**
 * Calls native code, so that the process does not end in the middle of it. Native addons that return to a
 * thread that is being stopped abort the whole process, and every exit stops the threads. While the process
 * is ending the call is not made: this never returns then.
 */
export function uninterrupted<T>(call: () => T): T {
  const guard = new Int32Array((workerData as WorkerStart).exitGuard);
  Atomics.store(guard, GUARD_BUSY, 1);
  // The other side announces the end before it looks whether this one is busy, so that one of both waits.
  while (Atomics.load(guard, GUARD_ENDING) === 1) {
    Atomics.store(guard, GUARD_BUSY, 0);
    Atomics.notify(guard, GUARD_BUSY);
    Atomics.wait(guard, GUARD_ENDING, 1);
  }
  try {
    return call();
  } finally {
    Atomics.store(guard, GUARD_BUSY, 0);
    Atomics.notify(guard, GUARD_BUSY);
  }
}

function toWorkerError(error: unknown): WorkerError {
  return { code: error instanceof ConfigError ? "config" : "provider", message: errorMessage(error) };
}
