import { expect, test } from "vitest";
import type { ChatMessage, ToolCallMessage } from "../core/chat.js";
import { toolArguments, validText, wellFormed } from "./conversation.js";

const call = (id: string): ToolCallMessage => ({ id, type: "function", function: { name: "look_up", arguments: "{}" } });
const calls = (...ids: readonly string[]): ChatMessage => ({ role: "assistant", content: null, tool_calls: ids.map(call) });
const result = (id: string, content = `result of ${id}`): ChatMessage => ({ role: "tool", tool_call_id: id, content });
const user = (content: string): ChatMessage => ({ role: "user", content });

test("results come right behind their calls and in their order, whatever was said in between", () => {
  expect(wellFormed([user("hi"), calls("a", "b"), user("hello?"), result("b"), result("a")])).toEqual([
    user("hi"),
    calls("a", "b"),
    result("a"),
    result("b"),
    user("hello?"),
  ]);
});

test("a call without a result gets an error result", () => {
  expect(wellFormed([user("hi"), calls("a"), user("never mind")])[2]).toMatchObject({
    role: "tool",
    tool_call_id: "a",
    isError: true,
  });
});

test("an orphan result and a second result are dropped", () => {
  expect(wellFormed([result("x"), user("hi"), calls("a"), result("a"), result("a", "again")])).toEqual([
    user("hi"),
    calls("a"),
    result("a"),
  ]);
});

test("an id that is used again takes the result behind its own call", () => {
  const messages = [user("hi"), calls("call_0"), result("call_0", "first"), calls("call_0"), result("call_0", "second")];
  expect(wellFormed(messages)).toEqual(messages);
});

test("calls that share an id take their results in turn", () => {
  expect(wellFormed([calls("a", "a"), result("a", "first"), user("hm"), result("a", "second"), result("a", "third")])).toEqual([
    calls("a", "a"),
    result("a", "first"),
    result("a", "second"),
    user("hm"),
  ]);
});

test("a result that comes before its call belongs to nothing", () => {
  expect(wellFormed([result("a"), calls("a")]).at(-1)).toMatchObject({ isError: true });
});

test("blank texts are dropped, and blank text beside a tool call becomes none", () => {
  const spoken: ChatMessage = { role: "assistant", content: " ", tool_calls: [call("a")] };
  expect(
    wellFormed([user(" "), { role: "assistant", content: "\n" }, { role: "system", content: "" }, spoken, result("a")]),
  ).toEqual([{ ...spoken, content: null }, result("a")]);
});

test("arguments that are no JSON object are read as none", () => {
  expect(toolArguments('{"a":1}')).toEqual({ a: 1 });
  for (const text of ["", '{"a":', "[1]", "null", '"text"']) expect(toolArguments(text)).toEqual({});
});

test("half of an emoji is replaced, also where the model has escaped it", () => {
  expect(validText("Hi \uD83D!\u{1F600}")).toBe("Hi \uFFFD!\u{1F600}");
  expect(toolArguments(String.raw`{"half":"\ud83d","whole":"\ud83d\ude00"}`)).toEqual({ half: "\uFFFD", whole: "\u{1F600}" });
});
