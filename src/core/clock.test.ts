import { getEventListeners } from "node:events";
import fc from "fast-check";
import { describe, expect, it, vi } from "vitest";
import { runIfStillAlive, ScaledClock, systemClock, VirtualClock } from "./clock.js";

describe("VirtualClock", () => {
  it("starts at 0 and stands still until it is advanced", async () => {
    const clock = new VirtualClock();
    const startEpochMs = clock.epochMs();
    expect(clock.now()).toBe(0);
    await clock.advance(1500);
    expect(clock.now()).toBe(1500);
    expect(clock.epochMs() - startEpochMs).toBe(1500);
  });

  it("runs timers by due time, and those of one time in the order they were set", async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.integer({ min: 0, max: 20 }), { maxLength: 30 }), async (delays) => {
        const clock = new VirtualClock();
        const ran: { readonly dueMs: number; readonly order: number; readonly atMs: number }[] = [];
        delays.forEach((dueMs, order) => {
          clock.setTimer(dueMs, () => ran.push({ dueMs, order, atMs: clock.now() }));
        });
        await clock.advance(20);
        const expected = delays
          .map((dueMs, order) => ({ dueMs, order, atMs: dueMs }))
          .sort((a, b) => a.dueMs - b.dueMs || a.order - b.order);
        expect(ran).toEqual(expected);
        expect(clock.pendingTimers).toBe(0);
      }),
    );
  });

  it("gives the same result in one step as in many", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.integer({ min: 0, max: 50 }), { maxLength: 10 }),
        fc.array(fc.integer({ min: 0, max: 10 }), { minLength: 1, maxLength: 20 }),
        async (delays, steps) => {
          const run = async (advances: readonly number[]): Promise<readonly number[]> => {
            const clock = new VirtualClock();
            const ran: number[] = [];
            delays.forEach((ms, index) => {
              clock.setTimer(ms, () => {
                ran.push(index);
                clock.setTimer(ms, () => ran.push(100 + index));
              });
            });
            for (const ms of advances) await clock.advance(ms);
            return [...ran, clock.now()];
          };
          const totalMs = steps.reduce((sum, ms) => sum + ms, 0);
          expect(await run(steps)).toEqual(await run([totalMs]));
        },
      ),
    );
  });

  it("lets chains of promises settle between two timers of the same time", async () => {
    const clock = new VirtualClock();
    const seen: string[] = [];
    clock.setTimer(10, () => {
      void (async () => {
        for (let step = 0; step < 5; step++) await Promise.resolve();
        seen.push("chain of the first timer");
      })();
    });
    clock.setTimer(10, () => seen.push("second timer"));
    await clock.advance(10);
    expect(seen).toEqual(["chain of the first timer", "second timer"]);
  });

  it("runs a timer that another timer set within the same advance", async () => {
    const clock = new VirtualClock();
    const atMs: number[] = [];
    const tick = (): void => {
      atMs.push(clock.now());
      clock.setTimer(20, tick);
    };
    clock.setTimer(20, tick);
    await clock.advance(100);
    expect(atMs).toEqual([20, 40, 60, 80, 100]);
    expect(clock.pendingTimers).toBe(1);
  });

  it("does not run a timer that was cancelled, also by a timer of the same time", async () => {
    const clock = new VirtualClock();
    const run = vi.fn();
    const cancelled = clock.setTimer(5, run);
    cancelled[Symbol.dispose]();
    cancelled[Symbol.dispose]();
    clock.setTimer(10, () => later[Symbol.dispose]());
    const later = clock.setTimer(10, run);
    await clock.advance(50);
    expect(run).not.toHaveBeenCalled();
    expect(clock.pendingTimers).toBe(0);
  });

  it("cancelling a timer that has run cancels no other", async () => {
    const clock = new VirtualClock();
    const run = vi.fn();
    const first = clock.setTimer(1, () => {});
    clock.setTimer(2, run);
    await clock.advance(1);
    first[Symbol.dispose]();
    await clock.advance(1);
    expect(run).toHaveBeenCalledOnce();
  });

  it("treats a negative delay as none", async () => {
    const clock = new VirtualClock();
    const run = vi.fn();
    clock.setTimer(-5, run);
    await clock.advance(0);
    expect(run).toHaveBeenCalledOnce();
    expect(clock.now()).toBe(0);
  });

  it("refuses a delay that is not a number", () => {
    expect(() => new VirtualClock().setTimer(Number.NaN, () => {})).toThrow("NaN");
  });

  it("never goes back when a timer advances the clock itself", async () => {
    const clock = new VirtualClock();
    let inner: Promise<void> | undefined;
    clock.setTimer(10, () => {
      inner = clock.advance(100);
    });
    await clock.advance(20);
    await inner;
    expect(clock.now()).toBe(110);
  });

  it("sleep resolves at its time", async () => {
    const clock = new VirtualClock();
    const woke = clock.sleep(250).then(() => clock.now());
    await clock.advance(1000);
    expect(await woke).toBe(250);
  });

  it("sleep rejects with the signal's reason and leaves neither timer nor listener", async () => {
    const clock = new VirtualClock();
    const controller = new AbortController();
    const reason = new Error("the caller hung up");
    const slept = clock.sleep(1000, controller.signal);
    clock.setTimer(10, () => controller.abort(reason));
    const outcome = expect(slept).rejects.toBe(reason);
    await clock.advance(10);
    await outcome;
    expect(clock.pendingTimers).toBe(0);
    expect(getEventListeners(controller.signal, "abort")).toHaveLength(0);
  });

  it("sleep on an aborted signal rejects without setting a timer", async () => {
    const clock = new VirtualClock();
    await expect(clock.sleep(10, AbortSignal.abort("gone"))).rejects.toBe("gone");
    expect(clock.pendingTimers).toBe(0);
  });

  it("sleep leaves no listener behind when its time comes", async () => {
    const clock = new VirtualClock();
    const { signal } = new AbortController();
    const slept = Promise.all([clock.sleep(1, signal), clock.sleep(2, signal)]);
    await clock.advance(2);
    await slept;
    expect(getEventListeners(signal, "abort")).toHaveLength(0);
  });

  describe("runUntil", () => {
    it("moves time no further than the promise needs", async () => {
      const clock = new VirtualClock();
      clock.setTimer(5000, () => {});
      const value = await clock.runUntil(clock.sleep(300).then(() => "done"));
      expect(value).toBe("done");
      expect(clock.now()).toBe(300);
      expect(clock.pendingTimers).toBe(1);
    });

    it("passes on what the promise rejects with", async () => {
      const clock = new VirtualClock();
      const failing = clock.sleep(10).then(() => {
        throw new Error("failed at 10 ms");
      });
      await expect(clock.runUntil(failing)).rejects.toThrow("failed at 10 ms");
    });

    it("throws when no timer is left to wait for", async () => {
      const clock = new VirtualClock();
      await expect(clock.runUntil(new Promise(() => {}))).rejects.toThrow("no timer is set");
    });

    it("throws when the limit passes", async () => {
      const clock = new VirtualClock();
      const tick = (): void => {
        clock.setTimer(20, tick);
      };
      tick();
      await expect(clock.runUntil(new Promise(() => {}), 1000)).rejects.toThrow("still pending after 1000 ms");
      expect(clock.now()).toBe(1000);
    });
  });
});

describe("systemClock", () => {
  it("runs a timer once and not before its time", async () => {
    const startMs = systemClock.now();
    await systemClock.sleep(5);
    // Node rounds its timers to whole ms of its own loop time.
    expect(systemClock.now() - startMs).toBeGreaterThanOrEqual(4);
  });

  it("does not run a cancelled timer", async () => {
    const run = vi.fn();
    systemClock.setTimer(0, run)[Symbol.dispose]();
    await systemClock.sleep(3);
    expect(run).not.toHaveBeenCalled();
  });

  it("keeps waiting on a delay longer than a Node timer can hold", () => {
    vi.useFakeTimers();
    try {
      const run = vi.fn();
      const dayMs = 86_400_000;
      systemClock.setTimer(60 * dayMs, run);
      const cancelled = systemClock.setTimer(Number.POSITIVE_INFINITY, run);
      vi.advanceTimersByTime(59 * dayMs);
      expect(run).not.toHaveBeenCalled();
      vi.advanceTimersByTime(dayMs);
      expect(run).toHaveBeenCalledOnce();
      cancelled[Symbol.dispose]();
      expect(vi.getTimerCount()).toBe(0);
    } finally {
      vi.useRealTimers();
    }
  });
});

describe("ScaledClock", () => {
  it("lets time pass and timers fire so many times as fast", async () => {
    vi.useFakeTimers();
    try {
      const clock = new ScaledClock(4);
      const epochMs = clock.epochMs();
      const run = vi.fn();
      clock.setTimer(1000, run);
      clock.setTimer(1000, run)[Symbol.dispose]();
      await vi.advanceTimersByTimeAsync(249);
      expect(run).not.toHaveBeenCalled();
      await vi.advanceTimersByTimeAsync(1);
      expect(run).toHaveBeenCalledOnce();
      expect(clock.now()).toBe(1000);
      expect(clock.epochMs() - epochMs).toBe(1000);
    } finally {
      vi.useRealTimers();
    }
  });

  it("refuses a speed at which no time would pass, and a delay that is no number", () => {
    for (const speed of [0, -1, Number.NaN, Number.POSITIVE_INFINITY]) expect(() => new ScaledClock(speed)).toThrow(RangeError);
    expect(() => new ScaledClock(2).setTimer(Number.NaN, () => {})).toThrow(RangeError);
  });
});

describe("runIfStillAlive", () => {
  it("runs in time, and does not keep the process alive until then", async () => {
    const run = vi.fn();
    runIfStillAlive(1, run);
    await systemClock.sleep(5);
    expect(run).toHaveBeenCalledOnce();
    // Vitest's own handles keep this process alive; what counts is that the timer is not among those that do.
    const before = process.getActiveResourcesInfo().filter((name) => name === "Timeout").length;
    runIfStillAlive(60_000, run);
    expect(process.getActiveResourcesInfo().filter((name) => name === "Timeout")).toHaveLength(before);
  });
});
