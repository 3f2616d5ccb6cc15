import { describe, expect, it } from "vitest";
import { FairQueue } from "./fair-queue.js";

describe("FairQueue", () => {
  it("runs first jobs first, then lets sources take turns, each in its own order, one job at a time", async () => {
    const queue = new FairQueue<object>();
    const [a, b, c] = [{}, {}, {}];
    const done: string[] = [];
    let running = 0;
    await new Promise<void>((resolve) => {
      const add = (source: object, name: string, then?: () => void): void =>
        queue.add(source, async () => {
          expect(++running).toBe(1);
          await Promise.resolve();
          running--;
          done.push(name);
          then?.();
        });
      for (const name of ["a1", "a2", "a3"]) add(a, name);
      for (const name of ["b1", "b2"]) add(b, name);
      add(c, "c1");
      add(a, "a4", resolve);
    });
    expect(done).toEqual(["a1", "b1", "c1", "a2", "b2", "a3", "a4"]);
  });

  it("drops what a removed source had not begun, and nothing of the others", async () => {
    const queue = new FairQueue<object>();
    const [a, b] = [{}, {}];
    const done: string[] = [];
    await new Promise<void>((resolve) => {
      queue.add(a, async () => void done.push("a1"));
      queue.add(a, async () => void done.push("a2"));
      queue.add(b, async () => {
        done.push("b1");
        resolve();
      });
      queue.remove(a);
    });
    expect(done).toEqual(["a1", "b1"]);
  });
});
