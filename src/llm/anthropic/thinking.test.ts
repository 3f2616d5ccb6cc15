import { expect, test } from "vitest";
import { collect } from "../../../test/llm/vendor.js";
import type { AssistantMessage, ChatMessage, ToolSpec } from "../../core/chat.js";
import type { AnthropicReply } from "../../testing/anthropic/replies.js";
import type { AnthropicRequest } from "../../testing/anthropic/request.js";
import { AnthropicServer } from "../../testing/anthropic/server.js";
import { AnthropicLLM } from "../anthropic.js";

const HELLO: ChatMessage = { role: "user", content: "Hello" };
const TOOLS: readonly ToolSpec[] = [{ type: "function", function: { name: "look", parameters: { type: "object" } } }];
/** A model whose thinking is bound to all that stood before it. */
const BINDING = "claude-opus-5-5";

interface Conversation {
  /** What the model is asked first. */
  readonly before: readonly ChatMessage[];
  readonly reply: AnthropicReply;
  /** The answer as the history holds it. */
  readonly answer: Omit<AssistantMessage, "role">;
  readonly after: ChatMessage;
  readonly model?: string;
}

/** Asks twice, the second time with the first answer; gives the second request. The server refuses thinking out of its place. */
async function secondRequest({ before, reply, answer, after, model = BINDING }: Conversation): Promise<AnthropicRequest> {
  await using server = await AnthropicServer.start({ replies: [reply] });
  await using llm = new AnthropicLLM({ apiKey: "k", fetch: server.fetch, model, promptCaching: false });
  const done = (await collect(llm.stream(before, TOOLS))).at(-1);
  const providerData = done?.type === "done" ? done.providerData : undefined;
  await collect(llm.stream([...before, { role: "assistant", ...answer, providerData }, after], TOOLS));
  return server.requests[1] as AnthropicRequest;
}

function blockTypes(request: AnthropicRequest, message: number): string[] {
  const content = request.body.messages?.[message]?.content as readonly { type: string }[] | undefined;
  return (content ?? []).map(({ type }) => type);
}

test("thinking about the caller's silence is not kept: the next request has no such turn", async () => {
  const request = await secondRequest({
    before: [HELLO, { role: "assistant", content: "One moment." }],
    reply: { thinking: {}, text: "Are you still there?" },
    answer: { content: "Are you still there?" },
    after: { role: "user", content: "Yes." },
  });
  expect(request.status).toBe(200);
  expect(blockTypes(request, 1)).toEqual(["text", "text"]);
});

test("thinking behind the last words of an answer does not go back", async () => {
  const request = await secondRequest({
    before: [HELLO],
    reply: { content: [{ type: "text", text: "Sure." }, { type: "thinking" }] },
    answer: { content: "Sure." },
    after: { role: "user", content: "Go on." },
  });
  expect(request.status).toBe(200);
  expect(blockTypes(request, 1)).toEqual(["text"]);
});

test("while tools run, an answer goes back byte for byte, though its sentences were spoken one by one", async () => {
  const call = { id: "toolu_000001", type: "function", function: { name: "look", arguments: "{}" } } as const;
  const text = "Let me look.\n\nOne moment. ";
  const request = await secondRequest({
    before: [HELLO],
    reply: { content: [{ type: "thinking" }, { type: "text", text }, { type: "thinking" }, { type: "tool_use", name: "look" }] },
    answer: { content: "Let me look. One moment.", tool_calls: [call] },
    after: { role: "tool", tool_call_id: call.id, content: "found" },
  });
  expect(request.status).toBe(200);
  expect(blockTypes(request, 1)).toEqual(["thinking", "text", "thinking", "tool_use"]);
  expect(request.body.messages?.[1]?.content[1]).toMatchObject({ text });
});
