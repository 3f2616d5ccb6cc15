import { getEventListeners } from "node:events";
import { describe, expect, it, vi } from "vitest";
import { VirtualClock } from "./clock.js";
import { Scope } from "./scope.js";
import { deferred } from "./signals.js";

describe("Scope", () => {
  it("close aborts the signal and waits for every task to clean up", async () => {
    const clock = new VirtualClock();
    const scope = new Scope(new AbortController().signal, fail);
    let isClean = false;
    scope.run(async (signal) => {
      await clock.sleep(1000, signal).catch(() => {});
      await clock.sleep(50);
      isClean = true;
    });
    await clock.runUntil(scope.close("hung up"));
    expect(scope.signal.reason).toBe("hung up");
    expect(isClean).toBe(true);
    expect(scope.size).toBe(0);
    expect(clock.pendingTimers).toBe(0);
  });

  it("idle waits for tasks that tasks started", async () => {
    const clock = new VirtualClock();
    const scope = new Scope(new AbortController().signal, fail);
    const ended: string[] = [];
    scope.run(async () => {
      await clock.sleep(10);
      scope.run(async () => {
        await clock.sleep(10);
        ended.push("inner");
      });
      ended.push("outer");
    });
    await clock.runUntil(scope.idle());
    expect(ended).toEqual(["outer", "inner"]);
  });

  it("gives what a task throws to onError once, and the other tasks go on", async () => {
    const clock = new VirtualClock();
    const onError = vi.fn();
    const scope = new Scope(new AbortController().signal, onError);
    const error = new Error("a task failed");
    const ended = vi.fn();
    scope.run(() => Promise.reject(error));
    scope.run(() => {
      throw error;
    });
    scope.run(() => clock.sleep(10).then(ended));
    await clock.runUntil(scope.idle());
    expect(onError.mock.calls).toEqual([[error], [error]]);
    expect(ended).toHaveBeenCalledOnce();
    expect(scope.signal.aborted).toBe(false);
  });

  it("does not report a task that ends with the abort itself", async () => {
    const clock = new VirtualClock();
    const scope = new Scope(new AbortController().signal, fail);
    scope.run((signal) => clock.sleep(1000, signal));
    await clock.runUntil(scope.close());
  });

  it("reports another error thrown during an abort", async () => {
    const onError = vi.fn();
    const scope = new Scope(new AbortController().signal, onError);
    const error = new Error("clean-up failed");
    scope.run(async (signal) => {
      await new Promise<void>((resolve) => {
        signal.addEventListener("abort", () => resolve());
      });
      throw error;
    });
    await scope.close("over");
    expect(onError.mock.calls).toEqual([[error]]);
  });

  it("aborts with its parent, for the parent's reason", async () => {
    const parent = new AbortController();
    const clock = new VirtualClock();
    const scope = new Scope(parent.signal, fail);
    scope.run((signal) => clock.sleep(1000, signal));
    parent.abort("shutdown");
    await clock.runUntil(scope.idle());
    expect(scope.signal.reason).toBe("shutdown");
  });

  it("leaves no listener on its parent after it closed", async () => {
    const { signal } = new AbortController();
    {
      await using scope = new Scope(signal, fail);
      scope.run(() => Promise.resolve());
      expect(getEventListeners(signal, "abort")).toHaveLength(1);
    }
    expect(getEventListeners(signal, "abort")).toHaveLength(0);
  });

  it("counts the tasks that are running", async () => {
    const scope = new Scope(new AbortController().signal, fail);
    const gate = deferred();
    scope.run(() => gate.promise);
    scope.run(() => gate.promise);
    expect(scope.size).toBe(2);
    gate.resolve();
    await scope.idle();
    expect(scope.size).toBe(0);
  });
});

function fail(error: unknown): void {
  throw error;
}
