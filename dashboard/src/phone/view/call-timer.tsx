import { useEffect, useState } from "preact/hooks";

/** The length of a call as `m:ss`. */
export function formatDuration(ms: number): string {
  const seconds = Math.floor(ms / 1000);
  return `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, "0")}`;
}

/** How long the call has lasted. `startedMs` is on the scale of `performance.now()`. */
export function CallTimer({ startedMs }: { readonly startedMs: number }) {
  const [nowMs, setNowMs] = useState(performance.now());
  useEffect(() => {
    const timer = setInterval(() => setNowMs(performance.now()), 250);
    return () => clearInterval(timer);
  }, []);
  return (
    <span class="timer" role="timer">
      {formatDuration(Math.max(0, nowMs - startedMs))}
    </span>
  );
}
