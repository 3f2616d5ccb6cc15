import { deferred } from "../core/signals.js";
import type { ServeOptions } from "../options.js";
import type { Patter } from "../patter.js";
import type { Output } from "./output.js";

export interface RunOptions {
  readonly phone: Patter;
  readonly serve: ServeOptions;
  readonly out: Output;
  /** How long running calls may go on after the first Ctrl-C, in ms; a second one ends them. */
  readonly drainMs: number;
  /** Called with the address once it listens. */
  readonly onReady: (url: string) => void;
}

/** Serves until the process is told to end. Resolves with the exit code once everything is closed. */
export async function runServer({ phone, serve, out, drainMs, onReady }: RunOptions): Promise<number> {
  const stopped = deferred();
  let asked = 0;
  const stop = (): void => {
    asked++;
    const mayFinish = asked === 1 && drainMs > 0;
    if (mayFinish && phone.activeCalls > 0)
      out.line(`\nWaiting up to ${drainMs / 1000} s for ${calls(phone.activeCalls)}; Ctrl-C again ends them now.`);
    phone.disconnect(mayFinish ? { drainMs } : {}).then(stopped.resolve, stopped.reject);
  };
  for (const signal of ["SIGINT", "SIGTERM"] as const) process.on(signal, stop);
  try {
    await phone.serve(serve);
  } catch (error) {
    if (asked === 0) throw error;
    // Stopped while the models were still loading.
  }
  if (asked === 0) onReady(await phone.ready);
  await stopped.promise;
  return 0;
}

function calls(count: number): string {
  return count === 1 ? "a call" : `${count} calls`;
}
