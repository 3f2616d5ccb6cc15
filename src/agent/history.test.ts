import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { ChatMessage, ToolCallMessage } from "../core/chat.js";
import { History } from "./history.js";

fc.configureGlobal({ seed: 1 });

function call(id: string, name = "book"): ToolCallMessage {
  return { id, type: "function", function: { name, arguments: "{}" } };
}

describe("History", () => {
  test("is what the caller said and what the caller heard, in order", () => {
    const history = new History();
    history.addAssistant(0, "Hello.");
    history.addUser("a table");
    history.addAssistant(1, "   ");
    history.addUser("for two");
    history.addAssistant(2, "Sure.", { signed: true });
    expect(history.messages()).toEqual([
      { role: "assistant", content: "Hello." },
      { role: "user", content: "a table" },
      { role: "user", content: "for two" },
      { role: "assistant", content: "Sure.", providerData: { signed: true } },
    ]);
  });

  test("puts a tool's result behind its call, however late it comes", () => {
    const history = new History();
    history.addToolCalls(1, "Let me see.", [call("a"), call("b")]);
    history.addUser("hello?");
    history.addToolOutcome("b", { content: "no", isError: true });
    history.addToolOutcome("a", { content: "yes", isError: false });
    expect(history.messages()).toEqual([
      { role: "assistant", content: "Let me see.", tool_calls: [call("a"), call("b")] },
      { role: "tool", tool_call_id: "a", content: "yes" },
      { role: "tool", tool_call_id: "b", content: "no", isError: true },
      { role: "user", content: "hello?" },
    ]);
  });

  test("keeps a tool's first result", () => {
    const history = new History();
    history.addToolCalls(1, "", [call("a")]);
    history.addToolOutcome("a", { content: "first", isError: false });
    history.addToolOutcome("a", { content: "second", isError: true });
    expect(history.messages().at(-1)).toEqual({ role: "tool", tool_call_id: "a", content: "first" });
  });

  test("reports a tool that has not answered, and ignores an answer to nothing", () => {
    const history = new History();
    history.addToolCalls(1, "", [call("a")]);
    history.addToolOutcome("z", { content: "for whom?", isError: false });
    expect(history.messages()).toEqual([
      { role: "assistant", content: null, tool_calls: [call("a")] },
      { role: "tool", tool_call_id: "a", content: "The tool has not answered yet.", isError: true },
    ]);
  });

  test("cuts the texts beside a reply's tool calls to what was heard, and no others", () => {
    const history = new History();
    history.addToolCalls(1, "Another reply.", [call("a")]);
    history.addToolCalls(2, "Let me see.", [call("b")]);
    history.addToolCalls(2, "And once more.", [call("c")]);
    expect(history.toolRounds(2)).toBe(2);
    history.settle(2, ["Let me"]);
    expect(history.messages().filter((message) => message.role === "assistant")).toEqual([
      { role: "assistant", content: "Another reply.", tool_calls: [call("a")] },
      { role: "assistant", content: "Let me", tool_calls: [call("b")] },
      { role: "assistant", content: null, tool_calls: [call("c")] },
    ]);
  });

  test("drops what the model wants back behind the first cut, also of replies entered later", () => {
    const history = new History();
    const signed = { signed: true };
    history.addToolCalls(1, "Another reply.", [call("a")], signed);
    history.addToolCalls(2, "Let me see.", [call("b")], signed);
    history.addToolCalls(2, "And once more.", [call("c")], signed);
    history.addToolCalls(3, "", [call("d")], signed);
    history.settle(2, ["Let me see.", "And once"]);
    history.addAssistant(2, "There.", signed);
    history.addAssistant(3, "Done.", signed);
    const kept = history.messages().flatMap((message) => (message.role === "assistant" ? ["providerData" in message] : []));
    expect(kept).toEqual([true, true, true, false, false, true]);
  });

  test("gives messages that later changes do not reach", () => {
    const history = new History();
    history.addToolCalls(1, "Let me see.", [call("a")]);
    const before = structuredClone(history.messages());
    const messages = history.messages();
    history.settle(1, ["Let"]);
    history.addToolOutcome("a", { content: "yes", isError: false });
    history.addUser("hello?");
    expect(messages).toEqual(before);
  });
});

type Step =
  | { readonly type: "user"; readonly text: string }
  | { readonly type: "assistant"; readonly reply: number; readonly text: string }
  | { readonly type: "calls"; readonly reply: number; readonly text: string; readonly ids: readonly string[] }
  | { readonly type: "outcome"; readonly id: string; readonly content: string }
  | { readonly type: "settle"; readonly reply: number; readonly heard: readonly string[] };

const replies = fc.integer({ min: 0, max: 4 });
const texts = fc.constantFrom("", " ", "Yes.", "Let me see.", "And then?");
const ids = fc.constantFrom(..."abcdefghij");
const steps: fc.Arbitrary<Step> = fc.oneof(
  fc.record({ type: fc.constant("user" as const), text: texts }),
  fc.record({ type: fc.constant("assistant" as const), reply: replies, text: texts }),
  fc.record({
    type: fc.constant("calls" as const),
    reply: replies,
    text: texts,
    ids: fc.uniqueArray(ids, { minLength: 1, maxLength: 3 }),
  }),
  fc.record({ type: fc.constant("outcome" as const), id: ids, content: fc.constantFrom("one", "two", "three") }),
  fc.record({ type: fc.constant("settle" as const), reply: replies, heard: fc.array(texts, { maxLength: 3 }) }),
);

/** Runs the steps; a call id is given out once, as the reply loop does it. */
function run(script: readonly Step[]): { readonly messages: ChatMessage[]; readonly results: ReadonlyMap<string, string> } {
  const history = new History();
  const asked = new Set<string>();
  const results = new Map<string, string>();
  for (const step of script) {
    switch (step.type) {
      case "user":
        history.addUser(step.text);
        break;
      case "assistant":
        history.addAssistant(step.reply, step.text);
        break;
      case "calls": {
        const fresh = step.ids.filter((id) => !asked.has(id));
        for (const id of fresh) asked.add(id);
        if (fresh.length > 0)
          history.addToolCalls(
            step.reply,
            step.text,
            fresh.map((id) => call(id)),
          );
        break;
      }
      case "outcome":
        history.addToolOutcome(step.id, { content: step.content, isError: false });
        if (asked.has(step.id) && !results.has(step.id)) results.set(step.id, step.content);
        break;
      case "settle":
        history.settle(step.reply, step.heard);
        break;
    }
  }
  return { messages: history.messages(), results };
}

describe("History, whatever happens in which order", () => {
  test("has exactly one result for every call, directly behind its message and in the order of the calls", () => {
    fc.assert(
      fc.property(fc.array(steps, { maxLength: 40, size: "max" }), (script) => {
        const { messages, results } = run(script);
        const expected = messages.flatMap((message): ChatMessage[] => {
          if (message.role === "tool") return [];
          const calls = message.role === "assistant" ? (message.tool_calls ?? []) : [];
          const answers = calls.map(({ id }): ChatMessage => {
            const content = results.get(id);
            if (content !== undefined) return { role: "tool", tool_call_id: id, content };
            return { role: "tool", tool_call_id: id, content: "The tool has not answered yet.", isError: true };
          });
          return [message, ...answers];
        });
        expect(messages).toEqual(expected);
        const called = messages.flatMap((message) => (message.role === "tool" ? [message.tool_call_id] : []));
        expect(new Set(called).size).toBe(called.length);
      }),
      { numRuns: 500 },
    );
  });

  test("never shows an assistant message without text and without calls", () => {
    fc.assert(
      fc.property(fc.array(steps, { maxLength: 40, size: "max" }), (script) => {
        for (const message of run(script).messages) {
          // Null stands beside calls only: the type of a message without them wants a text.
          if (message.role === "assistant") expect(message.content?.trim()).not.toBe("");
          if (message.role === "assistant" && message.tool_calls === undefined) expect(message.content).not.toBeNull();
        }
      }),
    );
  });
});
