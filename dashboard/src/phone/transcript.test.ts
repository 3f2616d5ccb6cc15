import { describe, expect, it } from "vitest";
import { after, EMPTY_CONVERSATION } from "./transcript.js";
import type { PageEvent } from "../../../src/carriers/browser/protocol.js";

type EventBody = PageEvent extends infer Event
  ? Event extends PageEvent
    ? Omit<Event, "atMs"> & { readonly atMs?: number }
    : never
  : never;

/** The conversation after these events. */
function conversation(...events: EventBody[]) {
  return events.reduce((state, event) => after(state, { atMs: 0, ...event }), EMPTY_CONVERSATION);
}

describe("the caller's words", () => {
  it("are partial until they are final, in one line per turn", () => {
    const events: EventBody[] = [
      { type: "transcript_partial", transcript: "a table" },
      { type: "transcript_final", transcript: "a table for two" },
      { type: "transcript_partial", transcript: "a table for two at" },
    ];
    expect(conversation(...events).entries).toMatchObject([
      { who: "caller", text: "a table for two", partial: "at", isOpen: true },
    ]);
    const committed = conversation(...events, { type: "turn_committed", transcript: "A table for two at seven." });
    expect(committed.entries).toMatchObject([{ text: "A table for two at seven.", partial: "", isOpen: false }]);
    expect(committed.activity).toBe("thinking");
    const next = after(committed, { atMs: 1, type: "transcript_partial", transcript: "please" });
    expect(next.entries).toHaveLength(2);
  });

  it("that did not interrupt leave no line", () => {
    const entries = conversation(
      { type: "reply_started", reply: 0 },
      { type: "sentence_ready", reply: 0, text: "Hello there." },
      { type: "reply_paused", reply: 0 },
      { type: "transcript_partial", transcript: "mm-hm" },
      { type: "utterance_dismissed" },
      { type: "reply_resumed", reply: 0 },
    ).entries;
    expect(entries).toMatchObject([{ who: "agent", text: "Hello there." }]);
  });
});

describe("the agent's words", () => {
  const spoken: EventBody[] = [
    { type: "reply_started", reply: 1 },
    { type: "sentence_ready", reply: 1, text: "First." },
    { type: "playout_started", reply: 1 },
    { type: "sentence_ready", reply: 1, text: "Second." },
  ];

  it("appear sentence by sentence while it speaks", () => {
    const { entries, activity } = conversation(...spoken);
    expect(entries).toMatchObject([{ who: "agent", text: "First. Second.", wasInterrupted: false }]);
    expect(activity).toBe("speaking");
  });

  it("are cut to what was heard by a barge-in", () => {
    const { entries, activity } = conversation(...spoken, {
      type: "reply_ended",
      reply: 1,
      reason: "barge_in",
      heard: "First. Sec",
    });
    expect(entries).toMatchObject([{ text: "First. Sec", wasInterrupted: true }]);
    expect(activity).toBe("listening");
  });

  it("of which nothing was heard disappear", () => {
    expect(conversation(...spoken, { type: "reply_ended", reply: 1, reason: "barge_in", heard: "" }).entries).toEqual([]);
  });

  it("carry how long the caller waited for them, once per turn", () => {
    const { entries } = conversation(
      { type: "turn_committed", transcript: "hello", speechEndedAtMs: 1000 },
      ...spoken.map((event) => ({ ...event, atMs: 1612 })),
      { type: "sentence_ready", reply: 2, text: "More." },
      { type: "playout_started", reply: 2, atMs: 9000 },
    );
    expect(entries).toMatchObject([{ who: "caller" }, { answeredInMs: 612 }, { text: "More." }]);
    expect(entries[2]).not.toHaveProperty("answeredInMs");
  });

  it("of an older reply that ends do not end the thinking about the next", () => {
    const events: EventBody[] = [...spoken, { type: "reply_started", reply: 2 }];
    expect(conversation(...events, { type: "reply_ended", reply: 1, reason: "completed", heard: "First." }).activity).toBe(
      "thinking",
    );
  });
});

describe("notes", () => {
  it("tell of tools, keys and trouble", () => {
    const { entries } = conversation(
      { type: "tool_started", reply: 1, name: "book_table" },
      { type: "tool_ended", reply: 1, name: "book_table", isError: true },
      { type: "dtmf_received", digit: "5" },
      { type: "call_error", stage: "stt", fatal: false },
      { type: "call_error", stage: "llm", fatal: true },
    );
    expect(entries.map((entry) => entry.text)).toEqual([
      "Using book_table",
      "book_table failed",
      "You pressed 5",
      "Trouble with the speech recognition",
      "The call broke off: trouble with the language model",
    ]);
  });
});
