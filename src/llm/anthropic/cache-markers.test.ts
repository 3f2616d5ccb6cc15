import { expect, test } from "vitest";
import type { ChatMessage, ToolSpec } from "../../core/chat.js";
import { VirtualClock } from "../../core/clock.js";
import { modelRules } from "../../testing/anthropic/model-rules.js";
import { PromptCache } from "../../testing/anthropic/prompt-cache.js";
import type { AnthropicRequestBody } from "../../testing/anthropic/wire.js";
import { type BodyOptions, messagesBody, warmupBody } from "./messages.js";
import type { CacheTtl, MessagesBody } from "./wire.js";

const MODEL = "claude-haiku-5-5";

function options(ttl: CacheTtl = "5m"): BodyOptions {
  return {
    parameters: { model: MODEL, max_tokens: 100 },
    caching: { ttl },
    acceptsPrefill: false,
    acceptsMidCallSystem: true,
    warn: () => {},
  };
}

const TOOLS: readonly ToolSpec[] = ["hours", "book_table"].map((name) => ({
  type: "function",
  function: { name, parameters: { type: "object", properties: {} } },
}));
const SYSTEM: ChatMessage = { role: "system", content: "Be brief." };
const user = (content: string): ChatMessage => ({ role: "user", content });
const agent = (content: string): ChatMessage => ({ role: "assistant", content });
/** A message that calls tools, and their results. */
const round = (...ids: readonly string[]): readonly ChatMessage[] => [
  {
    role: "assistant",
    content: null,
    tool_calls: ids.map((id) => ({ id, type: "function", function: { name: "hours", arguments: "{}" } })),
  },
  ...ids.map((id): ChatMessage => ({ role: "tool", tool_call_id: id, content: "5 to 10" })),
];

/** Where the markers stand and how long they last, such as `messages.2.0 5m`. */
function markers({ tools = [], system = [], messages }: Pick<MessagesBody, "tools" | "system" | "messages">): string[] {
  const found: string[] = [];
  const look = (path: string, block: object): void => {
    const { cache_control: control } = block as { readonly cache_control?: { readonly ttl?: string } };
    if (control !== undefined) found.push(`${path} ${control.ttl ?? "5m"}`);
  };
  for (const [index, tool] of tools.entries()) look(`tools.${index}`, tool);
  for (const [index, block] of system.entries()) look(`system.${index}`, block);
  for (const [index, { content }] of messages.entries())
    for (const [at, block] of content.entries()) look(`messages.${index}.${at}`, block);
  return found;
}

const body = (messages: readonly ChatMessage[], changes: Partial<BodyOptions> = {}): MessagesBody =>
  messagesBody(messages, TOOLS, { ...options(), ...changes });

test("tools, system prompt, the user's last message and the one before it are marked, at their ends", () => {
  const messages = [
    SYSTEM,
    agent("Luna."),
    user("Hi"),
    agent("Hello."),
    user("A table"),
    user("for two"),
    agent("When?"),
    user("At 8"),
  ];
  expect(markers(body(messages))).toEqual(["tools.1 5m", "system.0 5m", "messages.4.1 5m", "messages.6.0 5m"]);
});

test("one hour is asked for what all calls have in common, and stands before five minutes", () => {
  const messages = [SYSTEM, user("Hi"), agent("Hello."), user("Bye")];
  expect(markers(body(messages, options("1h")))).toEqual(["tools.1 1h", "system.0 1h", "messages.0.0 5m", "messages.2.0 5m"]);
});

test("the values of one call in the second system message are never marked", () => {
  const perCall: ChatMessage = { role: "system", content: "For this call: name = Ann" };
  expect(markers(body([SYSTEM, perCall, user("Hi")]))).toEqual(["tools.1 5m", "system.0 5m", "messages.0.0 5m"]);
});

test("tool results are the user's: the last of them is marked, also one without content", () => {
  const messages = [
    SYSTEM,
    user("Hi"),
    ...round("a", "b").slice(0, -1),
    { role: "tool", tool_call_id: "b", content: "" } as const,
  ];
  expect(markers(body(messages)).slice(2)).toEqual(["messages.0.0 5m", "messages.2.1 5m"]);
});

test("neither instructions behind the user's turn nor the turn that is put behind the agent's carry a marker", () => {
  const waiter: ChatMessage = { role: "system", content: "You are the waiter now." };
  expect(markers(body([user("Hi"), waiter])).at(-1)).toBe("messages.0.0 5m");
  const silent = body([user("Hi"), agent("Hello.")]);
  expect(silent.messages).toHaveLength(3);
  expect(markers(silent).at(-1)).toBe("messages.0.0 5m");
});

test("words that may still change are not marked, nor is thinking: the marker stands on the last block before them", () => {
  const speculative = { speculative: true };
  const messages = [SYSTEM, user("Hi"), agent("Hello."), user("A tab")];
  expect(markers(body(messages, speculative)).slice(2)).toEqual(["messages.0.0 5m", "messages.1.0 5m"]);
  expect(markers(body([user("Hi"), ...round("a"), user("and"), user("then")], speculative)).slice(1)).toEqual([
    "messages.0.0 5m",
    "messages.2.1 5m",
  ]);
  expect(markers(body([SYSTEM, user("Hel")], speculative))).toEqual(["tools.1 5m", "system.0 5m"]);
  // Nothing new has been said: all of it is settled.
  expect(markers(body([user("Hi"), ...round("a")], speculative)).slice(1)).toEqual(["messages.0.0 5m", "messages.2.0 5m"]);
});

test("without caching nothing is marked", () => {
  const { caching: _, ...uncached } = options();
  const messages = [SYSTEM, user("Hi"), agent("Hello."), user("Bye")];
  expect(JSON.stringify(messagesBody(messages, TOOLS, uncached))).not.toContain("cache_control");
  expect(JSON.stringify(warmupBody(messages, TOOLS, uncached))).not.toContain("cache_control");
});

test("a warm-up marks tools and system prompt, and nothing of its placeholder", () => {
  const warmup = warmupBody([SYSTEM, user("Hi")], TOOLS, options("1h"));
  expect(warmup).toMatchObject({ model: MODEL, max_tokens: 0, messages: [{ role: "user" }] });
  expect(warmup).not.toHaveProperty("stream");
  expect(markers(warmup)).toEqual(["tools.1 1h", "system.0 1h"]);
});

/** How many tokens of each request's prompt the server reads from its cache, and how many it has. */
function reads(requests: readonly object[]): { readonly read: number; readonly total: number }[] {
  const cache = new PromptCache(new VirtualClock());
  const rules = modelRules(MODEL);
  if (rules === undefined) throw new Error(`The test server does not know ${MODEL}.`);
  return requests.map((request) => {
    const { read, input, write5m, write1h, commit } = cache.use(
      JSON.parse(JSON.stringify(request)) as AnthropicRequestBody,
      rules,
    );
    commit();
    return { read, total: read + input + write5m + write1h };
  });
}

const LONG_SYSTEM: ChatMessage = { role: "system", content: "Be brief. ".repeat(400) };

test("each request reads all of the one before it, also behind a round of forty blocks", () => {
  const ids = Array.from({ length: 20 }, (_, index) => `call_${index}`);
  const turns = [
    [user("Hi")],
    [agent("Hello."), user("A table")],
    [agent("When?"), user("At eight, and all your hours")],
    round(...ids),
    [agent("Done."), user("Thanks")],
    [agent("Bye."), user("Bye")],
  ];
  const bodies = turns.map((_, index) => body([LONG_SYSTEM, ...turns.slice(0, index + 1).flat()]));
  const [warmup, ...requests] = reads([warmupBody([LONG_SYSTEM], TOOLS, options()), ...bodies]);
  expect(warmup?.read).toBe(0);
  expect(requests[0]?.read).toBeGreaterThan(1000);
  expect(requests.slice(1).map(({ read }) => read)).toEqual(requests.slice(0, -1).map(({ total }) => total));
});

test("a guess at the caller's words reads what is there, and spoils nothing for the request that follows", () => {
  const settled = [LONG_SYSTEM, user("Hi"), agent("Hello."), user("A table")];
  const [first, guess, second] = reads([
    body(settled),
    body([...settled, agent("When?"), user("At ei")], { speculative: true }),
    body([...settled, agent("When?"), user("At eight")]),
  ]);
  expect(guess?.read).toBe(first?.total);
  // The agent's words have been written by the guess.
  expect(second?.read).toBeGreaterThan(first?.total ?? 0);
});
