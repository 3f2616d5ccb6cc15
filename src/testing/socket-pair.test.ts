import { describe, expect, test } from "vitest";
import { type PairedSocket, socketPair } from "./socket-pair.js";

async function read(socket: PairedSocket): Promise<(string | Uint8Array)[]> {
  const messages: (string | Uint8Array)[] = [];
  for await (const message of socket.messages) messages.push(message);
  return messages;
}

describe("socketPair", () => {
  test("carries text and bytes both ways, in order, and ends both ends", async () => {
    const [left, right] = socketPair();
    left.send("one");
    left.send(new Uint8Array([1, 2]));
    right.send("two");
    left.close(1000, "done");
    expect(await read(right)).toEqual(["one", new Uint8Array([1, 2])]);
    expect(await read(left)).toEqual(["two"]);
    expect(await left.closed).toEqual({ code: 1000, reason: "done" });
    expect(await right.closed).toEqual({ code: 1000, reason: "done" });
  });

  test("carries a copy: the sender may use its memory again", async () => {
    const [left, right] = socketPair();
    const bytes = new Uint8Array([1, 2]);
    left.send(bytes);
    bytes.fill(9);
    left.close();
    expect(await read(right)).toEqual([new Uint8Array([1, 2])]);
  });

  test("holds what it sends while it is stalled", async () => {
    const [left, right] = socketPair();
    left.stalled = true;
    left.send("12345");
    left.send(new Uint8Array(3));
    expect(left.bufferedBytes).toBe(8);
    left.stalled = false;
    expect(left.bufferedBytes).toBe(0);
    left.close();
    expect(await read(right)).toHaveLength(2);
  });

  test("carries nothing after either end has closed, and keeps the first reason", async () => {
    const [left, right] = socketPair();
    right.close(1001, "gone");
    left.send("late");
    right.send("late");
    left.close(1000, "second");
    expect(await read(left)).toEqual([]);
    expect(await read(right)).toEqual([]);
    expect(await left.closed).toEqual({ code: 1001, reason: "gone" });
  });
});
