import { getEventListeners } from "node:events";
import { describe, expect, it, vi } from "vitest";
import { VirtualClock } from "./clock.js";
import { abortable, ChildController, deferred, onAbort, within } from "./signals.js";

function listeners(signal: AbortSignal): number {
  return getEventListeners(signal, "abort").length;
}

describe("onAbort", () => {
  it("runs once when the signal aborts", () => {
    const controller = new AbortController();
    const run = vi.fn();
    onAbort(controller.signal, run);
    expect(run).not.toHaveBeenCalled();
    controller.abort();
    controller.abort();
    expect(run).toHaveBeenCalledOnce();
  });

  it("runs at once when the signal has already aborted", () => {
    const run = vi.fn();
    onAbort(AbortSignal.abort(), run)[Symbol.dispose]();
    expect(run).toHaveBeenCalledOnce();
  });

  it("does not run after it was disposed", () => {
    const controller = new AbortController();
    const run = vi.fn();
    onAbort(controller.signal, run)[Symbol.dispose]();
    controller.abort();
    expect(run).not.toHaveBeenCalled();
    expect(listeners(controller.signal)).toBe(0);
  });
});

describe("ChildController", () => {
  it("aborts with its parent, for the parent's reason", () => {
    const parent = new AbortController();
    const child = new ChildController(parent.signal);
    parent.abort("shutdown");
    expect(child.signal.reason).toBe("shutdown");
  });

  it("of an aborted parent is born aborted", () => {
    const child = new ChildController(AbortSignal.abort("shutdown"));
    expect(child.signal.reason).toBe("shutdown");
    child[Symbol.dispose]();
  });

  it("aborts without its parent and keeps its first reason", () => {
    const parent = new AbortController();
    const child = new ChildController(parent.signal);
    child.abort("barge-in");
    parent.abort("shutdown");
    expect(child.signal.reason).toBe("barge-in");
  });

  it("leaves no listener on a long-lived signal after 1000 children", () => {
    const parent = new AbortController();
    for (let index = 0; index < 1000; index++) {
      const child = new ChildController(parent.signal);
      if (index % 2 === 0) child.abort();
      child[Symbol.dispose]();
    }
    expect(listeners(parent.signal)).toBe(0);
  });

  it("has 1000 living siblings without a warning", async () => {
    const warned = vi.fn();
    process.on("warning", warned);
    try {
      const parent = new AbortController();
      const children = Array.from({ length: 1000 }, () => new ChildController(parent.signal));
      await new Promise((resolve) => setImmediate(resolve));
      expect(warned).not.toHaveBeenCalled();
      parent.abort();
      expect(children.every((child) => child.signal.aborted)).toBe(true);
    } finally {
      process.off("warning", warned);
    }
  });
});

describe("abortable", () => {
  it("gives the promise's value and leaves no listener", async () => {
    const { signal } = new AbortController();
    expect(await abortable(Promise.resolve(7), signal)).toBe(7);
    expect(listeners(signal)).toBe(0);
  });

  it("gives the promise's rejection and leaves no listener", async () => {
    const { signal } = new AbortController();
    await expect(abortable(Promise.reject(new Error("refused")), signal)).rejects.toThrow("refused");
    expect(listeners(signal)).toBe(0);
  });

  it("rejects with the signal's reason as soon as it aborts, while the promise goes on", async () => {
    const controller = new AbortController();
    const work = deferred<number>();
    const waiting = abortable(work.promise, controller.signal);
    controller.abort("hung up");
    await expect(waiting).rejects.toBe("hung up");
    work.reject(new Error("too late to matter"));
    expect(listeners(controller.signal)).toBe(0);
  });

  it("rejects when the signal had already aborted", async () => {
    await expect(abortable(new Promise(() => {}), AbortSignal.abort("hung up"))).rejects.toBe("hung up");
  });
});

describe("deferred", () => {
  it("settles from outside, once", async () => {
    const resolved = deferred<string>();
    resolved.resolve("first");
    resolved.reject(new Error("second"));
    expect(await resolved.promise).toBe("first");
    const rejected = deferred();
    rejected.reject(new Error("failed"));
    await expect(rejected.promise).rejects.toThrow("failed");
  });
});

describe("within", () => {
  it("gives the value of a promise that is in time, and leaves no timer", async () => {
    const clock = new VirtualClock();
    const value = clock.sleep(99).then(() => "in time");
    expect(await clock.runUntil(within(clock, 100, value))).toBe("in time");
    expect(clock.pendingTimers).toBe(0);
  });

  it("gives undefined when the promise takes longer", async () => {
    const clock = new VirtualClock();
    expect(
      await clock.runUntil(
        within(
          clock,
          100,
          clock.sleep(101).then(() => "late"),
        ),
      ),
    ).toBeUndefined();
    expect(clock.now()).toBe(100);
  });
});
