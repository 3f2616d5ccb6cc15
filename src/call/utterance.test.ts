import { describe, expect, test } from "vitest";
import { Utterance } from "./utterance.js";

describe("Utterance", () => {
  test("is empty at first", () => {
    const utterance = new Utterance();
    expect(utterance).toMatchObject({
      transcript: "",
      hasPartial: false,
      isSpeaking: false,
      awaitsFinal: false,
      overlapsReply: false,
    });
    expect([utterance.startedMs, utterance.endedMs]).toEqual([undefined, undefined]);
  });

  test("replaces a partial by the next, and by its final", () => {
    const utterance = new Utterance();
    utterance.setPartial("a");
    utterance.setPartial(" a table ");
    expect(utterance.transcript).toBe("a table");
    expect(utterance.hasPartial).toBe(true);
    utterance.addFinal("a table,");
    expect(utterance.transcript).toBe("a table,");
    expect(utterance.hasPartial).toBe(false);
  });

  test("joins its segments, the one that is on its way last", () => {
    const utterance = new Utterance();
    utterance.addFinal("a table ");
    utterance.addFinal("  for\n two");
    utterance.setPartial("on monday");
    expect(utterance.transcript).toBe("a table for two on monday");
  });

  test("drops the partial that an empty final takes back", () => {
    const utterance = new Utterance();
    utterance.addFinal("hello");
    utterance.setPartial("uh");
    utterance.addFinal(" ");
    expect(utterance.transcript).toBe("hello");
    expect(utterance.hasPartial).toBe(false);
  });
});
