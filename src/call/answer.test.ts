import { describe, expect, test } from "vitest";
import { createAgent } from "../agent/agent.js";
import { tool } from "../agent/tools.js";
import type { ChatMessage } from "../core/chat.js";
import type { CallEvent, CallEventOf } from "../core/call-event.js";
import { VirtualClock } from "../core/clock.js";
import type { LlmChunk } from "../core/llm.js";
import { SpokenWords } from "../testing/spoken-words.js";
import { TestPhone } from "../testing/test-phone.js";
import { TestSTT, TestTTS } from "../testing/test-speech.js";
import { runCall } from "./session.js";

const CALL: Extract<LlmChunk, { readonly type: "tool_call" }> = {
  type: "tool_call",
  index: 0,
  id: "t1",
  name: "book",
  arguments: '{"seats":2}',
};
const text = (content: string): LlmChunk => ({ type: "text", content });
const done = (stopReason: string, more: object = {}): LlmChunk => ({ type: "done", stopReason, ...more }) as LlmChunk;

interface Answered {
  readonly heard: string;
  readonly runs: number;
  readonly requests: readonly (readonly ChatMessage[])[];
  readonly errors: readonly CallEventOf<"call_error">[];
  readonly ended: readonly CallEventOf<"llm_ended">[];
}

/** A call in which the model gives these answers to the caller's turns, and "Fine." to all that come behind. */
async function answered(answers: readonly (readonly (LlmChunk | Error)[])[], turns = 1): Promise<Answered> {
  const clock = new VirtualClock();
  const spoken = new SpokenWords();
  const phone = new TestPhone({ clock, spoken });
  const requests: (readonly ChatMessage[])[] = [];
  const llm = async function* (messages: readonly ChatMessage[]): AsyncGenerator<LlmChunk> {
    const answer = answers[requests.push(structuredClone(messages)) - 1] ?? [text("Fine."), done("end_turn")];
    for (const chunk of answer) {
      if (chunk instanceof Error) throw chunk;
      yield chunk;
    }
  };
  let runs = 0;
  const book = tool({ name: "book", handler: () => `booked ${++runs}` });
  const events: CallEvent[] = [];
  const ended = runCall({
    agent: createAgent({
      stt: new TestSTT({ spoken }),
      tts: new TestTTS({ spoken }),
      llm,
      tools: [book],
      llmErrorMessage: "Sorry about that.",
    }),
    incoming: phone.incoming(),
    carrier: "test",
    clock,
    signal: new AbortController().signal,
    onEvents: (stream) => {
      stream.subscribe((event) => events.push(event));
    },
  });
  for (let turn = 0; turn < turns; turn++) {
    await clock.runUntil(phone.say("hello there"));
    await clock.advance(8000);
  }
  phone.hangUp();
  expect(await clock.runUntil(ended)).toBe("caller_hung_up");
  return {
    heard: phone.heard,
    runs,
    requests,
    errors: events.filter((event) => event.type === "call_error"),
    ended: events.filter((event) => event.type === "llm_ended"),
  };
}

describe("an answer", () => {
  test("reports why it ended, where its time went and what was tried again", async () => {
    const timing = { connectMs: 0, headersMs: 210, firstContentMs: 90 };
    const more = { stopDetail: "STOP", requestId: "req_1", timing, retries: ["rate_limit"] };
    const { ended } = await answered([[text("Hello."), done("stop_sequence", more)]]);
    expect(ended).toEqual([expect.objectContaining({ stopReason: "stop_sequence", ...more })]);
  });

  test("leaves out what the model did not say of its end", async () => {
    const { ended } = await answered([[text("Hello."), done("end_turn")]]);
    const unsaid = ["stopDetail", "requestId", "timing", "retries"];
    expect(Object.keys(ended[0] ?? {}).filter((name) => unsaid.includes(name))).toEqual([]);
  });

  test("counts as finished when its stop reason is unknown", async () => {
    const { heard, errors } = await answered([[text("Hello. And bye"), done("other", { stopDetail: "new_reason" })]]);
    expect([heard, errors]).toEqual(["Hello. And bye", []]);
  });

  test("is spoken as far as the token limit let it come", async () => {
    const { heard, errors, ended } = await answered([[text("Hello. We are open from"), done("max_tokens")]]);
    expect([heard, errors, ended[0]?.stopReason]).toEqual(["Hello. We are open from", [], "max_tokens"]);
  });

  test.each(["end_turn", "tool_use", "other"])("fails by name when it is empty and ends with %s", async (stopReason) => {
    const { heard, errors } = await answered([[text(" \n"), done(stopReason)]]);
    expect(heard).toBe("Sorry about that.");
    expect(errors).toEqual([expect.objectContaining({ stage: "llm", code: "empty_answer", fatal: false })]);
  });

  test("may be empty behind tools when everything was said beside their call", async () => {
    const { heard, errors, runs } = await answered([[text("Noted. What else?"), CALL, done("tool_use")], [done("end_turn")]]);
    expect([heard, errors, runs]).toEqual(["Noted. What else?", [], 1]);
  });

  test("gives the model an error for a call whose arguments are no JSON, and runs nothing", async () => {
    const broken: LlmChunk = { ...CALL, arguments: '{"seats":' };
    const { heard, runs, requests } = await answered([[broken, done("tool_use")]]);
    expect([heard, runs]).toEqual(["Fine.", 0]);
    expect(requests[1]?.at(-1)).toMatchObject({ role: "tool", tool_call_id: "t1", isError: true });
  });

  test("is heard up to the sentence in which the model fails, and the error line behind it", async () => {
    const { heard, requests } = await answered([[text("We are open. On Mon"), new Error("overloaded")]], 2);
    expect(heard).toBe("We are open. Sorry about that. Fine.");
    expect(requests[1]?.at(-2)).toEqual({ role: "assistant", content: "We are open. Sorry about that." });
  });
});

describe("a refusal", () => {
  test("before any word is answered with the error line, and named", async () => {
    const { heard, errors, runs } = await answered([[CALL, done("refusal", { stopDetail: "cyber", requestId: "req_1" })]]);
    expect([heard, runs]).toEqual(["Sorry about that.", 0]);
    expect(errors).toEqual([expect.objectContaining({ stage: "llm", code: "refusal", fatal: false })]);
    expect(errors[0]?.message).toContain("refused to answer (cyber).");
  });

  test("drops the sentence it cuts off and the calls, and leaves in the history what was heard", async () => {
    const refusal = done("refusal", { providerData: { thinking: "secret" } });
    const { heard, errors, runs, requests } = await answered([[text("First you open it. Then you"), CALL, refusal]], 2);
    expect([heard, runs, errors]).toEqual(["First you open it. Fine.", 0, []]);
    expect(requests[1]?.at(-2)).toEqual({ role: "assistant", content: "First you open it." });
  });

  test("behind a tool is no answer, whatever was said before", async () => {
    const { heard, errors } = await answered([
      [text("Let me look."), CALL, done("tool_use")],
      [text("It i"), done("refusal")],
    ]);
    expect(heard).toBe("Let me look. Sorry about that.");
    expect(errors.map(({ code }) => code)).toEqual(["refusal"]);
  });
});

describe("an answer that reaches the token limit", () => {
  test("within a tool call runs none of its calls, and the caller is told", async () => {
    const cut: LlmChunk = { type: "tool_call", index: 1, id: "t2", name: "cancel", arguments: '{"sea' };
    const { heard, runs, errors } = await answered([[text("I will book it. And"), CALL, cut, done("max_tokens")]]);
    expect([heard, runs]).toEqual(["I will book it. And Sorry about that.", 0]);
    expect(errors).toEqual([expect.objectContaining({ stage: "llm", code: "max_tokens", fatal: false })]);
    expect(errors[0]?.message).toMatch(/its call of "cancel".*raise maxTokens/);
  });

  test("before any word of it is told so too, also behind a tool", async () => {
    const { heard, errors } = await answered([[text("Let me look."), CALL, done("tool_use")], [done("max_tokens")]]);
    expect(heard).toBe("Let me look. Sorry about that.");
    expect(errors[0]?.message).toMatch(/before it said anything: raise maxTokens/);
  });
});
