/** Keeps a phone's screen on, and so the call alive, until released. Does nothing where the browser cannot. */
export function keepScreenOn(): { release(): void } {
  // Refused, for one, when the battery is low: the call goes on without it.
  const lock = "wakeLock" in navigator ? navigator.wakeLock.request("screen").catch(() => undefined) : undefined;
  return {
    release() {
      void lock?.then((sentinel) => sentinel?.release());
    },
  };
}
