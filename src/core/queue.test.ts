import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { AsyncQueue } from "./queue.js";

async function collect<T>(queue: AsyncQueue<T>): Promise<T[]> {
  const items: T[] = [];
  for await (const item of queue) items.push(item);
  return items;
}

describe("AsyncQueue", () => {
  it("gives any items, undefined included, in the order they were pushed", async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.anything(), { maxLength: 300 }), async (items) => {
        const queue = new AsyncQueue<unknown>();
        for (const item of items) queue.push(item);
        queue.end();
        expect(await collect(queue)).toEqual(items);
      }),
    );
  });

  it("behaves like a list under any mix of pushes, reads and drains", async () => {
    const operation = fc.oneof(
      { weight: 5, arbitrary: fc.constant("push" as const) },
      { weight: 4, arbitrary: fc.constant("next" as const) },
      { weight: 1, arbitrary: fc.constant("drain" as const) },
    );
    await fc.assert(
      fc.asyncProperty(
        fc.array(operation, { maxLength: 500 }),
        fc.option(fc.integer({ min: 0, max: 100 }), { nil: undefined }),
        async (operations, capacity) => {
          const dropped: number[] = [];
          const expectedDropped: number[] = [];
          const onDrop = (item: number): void => void dropped.push(item);
          const queue = new AsyncQueue<number>(capacity === undefined ? { onDrop } : { capacity, onDrop });
          const model: number[] = [];
          let pushed = 0;
          for (const kind of operations) {
            if (kind === "push") {
              model.push(pushed);
              queue.push(pushed++);
              if (model.length > (capacity ?? Number.POSITIVE_INFINITY)) expectedDropped.push(model.shift() as number);
            } else if (kind === "drain") {
              expect(queue.drain()).toEqual(model.splice(0));
            } else if (model.length > 0) {
              expect(await queue.next()).toEqual({ value: model.shift(), done: false });
            }
            expect(queue.size).toBe(model.length);
          }
          expect(dropped).toEqual(expectedDropped);
        },
      ),
    );
  });

  it("hands an item straight to a waiting reader, whatever the capacity", async () => {
    const queue = new AsyncQueue<string>({ capacity: 0 });
    const reading = queue.next();
    queue.push("a frame");
    expect(await reading).toEqual({ value: "a frame", done: false });
  });

  it("gives queued items before it ends, and takes none after", async () => {
    const queue = new AsyncQueue<number>();
    queue.push(1);
    queue.push(2);
    queue.end();
    queue.push(3);
    expect(queue.ended).toBe(true);
    expect(await collect(queue)).toEqual([1, 2]);
  });

  it("gives queued items before it fails, fails once, and is then at its end", async () => {
    const queue = new AsyncQueue<number>();
    const error = new Error("socket lost");
    queue.push(1);
    queue.fail(error);
    queue.end();
    expect(await queue.next()).toEqual({ value: 1, done: false });
    await expect(queue.next()).rejects.toBe(error);
    expect(await queue.next()).toEqual({ value: undefined, done: true });
  });

  it("fails with undefined too", async () => {
    const queue = new AsyncQueue<number>();
    queue.fail(undefined);
    await expect(queue.next()).rejects.toBeUndefined();
  });

  it("ends a waiting reader", async () => {
    const queue = new AsyncQueue<number>();
    const reading = queue.next();
    queue.end();
    expect(await reading).toEqual({ value: undefined, done: true });
  });

  it("fails a waiting reader", async () => {
    const queue = new AsyncQueue<number>();
    const reading = queue.next();
    queue.fail(new Error("socket lost"));
    await expect(reading).rejects.toThrow("socket lost");
    expect(await queue.next()).toEqual({ value: undefined, done: true });
  });

  it("refuses a second reader while the first waits", async () => {
    const queue = new AsyncQueue<number>();
    const first = queue.next();
    await expect(queue.next()).rejects.toThrow("one reader");
    queue.push(1);
    expect(await first).toEqual({ value: 1, done: false });
  });

  it("ends and forgets its items when the reader stops early", async () => {
    const queue = new AsyncQueue<number>();
    queue.push(1);
    queue.push(2);
    for await (const item of queue) {
      expect(item).toBe(1);
      break;
    }
    expect(queue.ended).toBe(true);
    expect(queue.size).toBe(0);
  });
});
