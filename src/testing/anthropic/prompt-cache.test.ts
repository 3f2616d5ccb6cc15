import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { VirtualClock } from "../../core/clock.js";
import { type ModelRules, modelRules } from "./model-rules.js";
import { promptBlocks, withoutOldThinking } from "./prompt.js";
import { PromptCache, promptTokens } from "./prompt-cache.js";
import { validateMessagesRequest } from "./validate.js";
import type { AnthropicRequestBlock, AnthropicRequestBody, AnthropicRequestMessage } from "./wire.js";

const MARKED = { cache_control: { type: "ephemeral" } } as const;
const MARKED_1H = { cache_control: { type: "ephemeral", ttl: "1h" } } as const;
/** 1,000 tokens. */
const SYSTEM = "Speak. ".repeat(572).slice(0, 4000);
const TOOL = { name: "look_up", description: "d".repeat(4400), input_schema: { type: "object" } };

function text(content: string, marker: object = {}): AnthropicRequestBlock {
  return { type: "text", text: content, ...marker };
}

function user(...content: AnthropicRequestBlock[]): AnthropicRequestMessage {
  return { role: "user", content };
}

function assistant(...content: AnthropicRequestBlock[]): AnthropicRequestMessage {
  return { role: "assistant", content };
}

interface Seen {
  readonly input: number;
  readonly read: number;
  readonly write5m: number;
  readonly write1h: number;
}

class Workspace {
  readonly clock = new VirtualClock();
  readonly cache = new PromptCache(this.clock);

  /** Answers a request; its response begins at once. */
  send(body: Partial<AnthropicRequestBody>): Seen {
    const { commit, ...seen } = this.prepare(body);
    commit();
    return seen;
  }

  prepare(body: Partial<AnthropicRequestBody>): ReturnType<PromptCache["use"]> {
    const whole = { model: "claude-sonnet-4-6", max_tokens: 100, messages: [user(text("Hello"))], ...body };
    expect(validateMessagesRequest(whole)).toBeUndefined();
    const use = this.cache.use(whole, modelRules(whole.model) as ModelRules);
    expect(use.input + use.read + use.write5m + use.write1h).toBeLessThanOrEqual(promptTokens(whole));
    return use;
  }
}

/** A conversation whose last user message carries the marker, as does the user message before it with `spare`. */
class Conversation {
  readonly #workspace: Workspace;
  readonly #messages: AnthropicRequestMessage[] = [];
  readonly #spare: boolean;

  constructor(workspace: Workspace, spare = false) {
    this.#workspace = workspace;
    this.#spare = spare;
  }

  ask(...blocks: AnthropicRequestBlock[]): Seen {
    this.#messages.push(user(...blocks));
    const users = this.#messages.filter(({ role }) => role === "user");
    const marked = users.slice(this.#spare ? -2 : -1);
    const messages = this.#messages.map((message) => {
      if (!marked.includes(message)) return message;
      const content = message.content as readonly AnthropicRequestBlock[];
      const last = content.at(-1) as AnthropicRequestBlock;
      return { ...message, content: [...content.slice(0, -1), { ...last, ...MARKED }] };
    });
    return this.#workspace.send({ system: [text(SYSTEM, MARKED)], tools: [TOOL], messages });
  }

  answer(...blocks: AnthropicRequestBlock[]): void {
    this.#messages.push(assistant(...blocks));
  }
}

test("the cache grows every turn of a conversation of twenty, and only the new part is written", () => {
  const conversation = new Conversation(new Workspace());
  let before = 0;
  for (let turn = 0; turn < 20; turn++) {
    const seen = conversation.ask(text(`Question number ${turn}: ${"what ".repeat(20)}`));
    conversation.answer(text(`Answer number ${turn}. ${"that ".repeat(30)}`));
    expect(seen.read).toBe(before);
    expect(seen.input).toBe(0);
    if (turn > 0) expect(seen.write5m).toBeLessThan(100);
    before = seen.read + seen.write5m;
  }
});

describe("a turn of thirty tool blocks", () => {
  function manyTools(spare: boolean): Seen {
    const conversation = new Conversation(new Workspace(), spare);
    conversation.ask(text("Look everything up."));
    const ids = Array.from({ length: 15 }, (_, index) => `toolu_${index}`);
    conversation.answer(...ids.map((id) => ({ type: "tool_use", id, name: "look_up", input: {} })));
    return conversation.ask(...ids.map((id) => ({ type: "tool_result", tool_use_id: id, content: "found" })));
  }

  test("is past what one marker looks back, so that only the system prompt is read", () => {
    expect(manyTools(false).read).toBe(2121);
  });

  test("is found from the spare marker where the last request ended", () => {
    expect(manyTools(true).read).toBe(2126);
  });
});

test("a marker finds an entry nineteen blocks before its own, and not one twenty before", () => {
  for (const [added, expected] of [
    [19, true],
    [20, false],
  ] as const) {
    const workspace = new Workspace();
    const head = text(SYSTEM.repeat(2), MARKED);
    workspace.send({ messages: [user(head)] });
    const more = Array.from({ length: added }, (_, index) => text(`more ${index}`, index === added - 1 ? MARKED : {}));
    const { read } = workspace.send({ messages: [user(text(SYSTEM.repeat(2)), ...more)] });
    expect(read > 0).toBe(expected);
  }
});

test("nothing is written without a marker, and nothing read without one", () => {
  const workspace = new Workspace();
  expect(workspace.send({ system: SYSTEM.repeat(2) })).toMatchObject({ read: 0, write5m: 0, input: 2002 });
  workspace.send({ system: [text(SYSTEM.repeat(2), MARKED)] });
  expect(workspace.send({ system: SYSTEM.repeat(2) })).toMatchObject({ read: 0, write5m: 0 });
});

test("a beginning under the model's minimum is not cached, without an error", () => {
  const system = [text("x".repeat(4 * 1023), MARKED)];
  const enough = [text("x".repeat(4 * 1024), MARKED)];
  const workspace = new Workspace();
  expect(workspace.send({ system })).toMatchObject({ write5m: 0, read: 0, input: 1025 });
  expect(workspace.send({ system })).toMatchObject({ write5m: 0, read: 0 });
  expect(workspace.send({ system: enough })).toMatchObject({ write5m: 1024 });
  expect(workspace.send({ system: enough, model: "claude-haiku-4-5" })).toMatchObject({ write5m: 0 });
  expect(workspace.send({ system, model: "claude-haiku-5-5" })).toMatchObject({ write5m: 1023 });
});

test("the minimum counts everything up to the marker", () => {
  const workspace = new Workspace();
  const half = "x".repeat(4 * 600);
  const body = { system: [text(half, MARKED)], messages: [user(text(half, MARKED))] };
  expect(workspace.send(body)).toMatchObject({ write5m: 1200 });
  expect(workspace.send(body)).toMatchObject({ read: 1200 });
});

test("each model has its own cache, and a snapshot is the same model", () => {
  const workspace = new Workspace();
  const system = [text(SYSTEM.repeat(5), MARKED)];
  workspace.send({ system, model: "claude-haiku-4-5" });
  expect(workspace.send({ system, model: "claude-haiku-4-5-20251001" }).read).toBe(5000);
  expect(workspace.send({ system, model: "claude-opus-4-5" }).read).toBe(0);
});

test("an entry lives five minutes from the start of the request that wrote or read it", async () => {
  const workspace = new Workspace();
  const system = [text(SYSTEM.repeat(2), MARKED)];
  workspace.send({ system });
  await workspace.clock.advance(299_999);
  expect(workspace.send({ system }).read).toBe(2000);
  await workspace.clock.advance(299_999);
  expect(workspace.send({ system }).read).toBe(2000);
  await workspace.clock.advance(300_000);
  expect(workspace.send({ system })).toMatchObject({ read: 0, write5m: 2000 });
});

test("an entry of an hour lives an hour, and is counted apart", async () => {
  const workspace = new Workspace();
  const body = { system: [text(SYSTEM.repeat(2), MARKED_1H)], messages: [user(text("Hello there", MARKED))] };
  expect(workspace.send(body)).toMatchObject({ write1h: 2000, write5m: 3 });
  await workspace.clock.advance(3_599_999);
  expect(workspace.send(body)).toMatchObject({ read: 2000, write1h: 0, write5m: 3 });
});

test("an entry that is read keeps its own lifetime, whatever the marker that reads it", async () => {
  const workspace = new Workspace();
  workspace.send({ system: [text(SYSTEM.repeat(2), MARKED)] });
  const longer = { system: [text(SYSTEM.repeat(2), MARKED_1H)] };
  expect(workspace.send(longer)).toMatchObject({ read: 2000, write1h: 0 });
  await workspace.clock.advance(300_000);
  expect(workspace.send(longer)).toMatchObject({ read: 0, write1h: 2000 });
});

test("the lifetime runs from the start of a request whose response takes its time", async () => {
  const workspace = new Workspace();
  const system = [text(SYSTEM.repeat(2), MARKED)];
  const slow = workspace.prepare({ system });
  await workspace.clock.advance(60_000);
  slow.commit();
  await workspace.clock.advance(240_000);
  expect(workspace.send({ system }).read).toBe(0);
});

test("requests at the same time all pay for the write, until the first response has begun", () => {
  const workspace = new Workspace();
  const system = [text(SYSTEM.repeat(2), MARKED)];
  const first = workspace.prepare({ system });
  const second = workspace.prepare({ system });
  expect([first.write5m, second.write5m]).toEqual([2000, 2000]);
  first.commit();
  expect(workspace.prepare({ system })).toMatchObject({ read: 2000, write5m: 0 });
});

test("a request whose response never begins renews nothing", async () => {
  const workspace = new Workspace();
  const system = [text(SYSTEM.repeat(2), MARKED)];
  workspace.send({ system });
  await workspace.clock.advance(200_000);
  expect(workspace.prepare({ system }).read).toBe(2000);
  await workspace.clock.advance(100_000);
  expect(workspace.prepare({ system }).read).toBe(0);
});

test("moving a marker changes nothing that stands before it", () => {
  const workspace = new Workspace();
  workspace.send({ messages: [user(text(SYSTEM.repeat(2), MARKED))] });
  const { read } = workspace.send({
    messages: [user(text(SYSTEM.repeat(2))), assistant(text("Yes.")), user(text("And now?", MARKED))],
  });
  expect(read).toBe(2000);
});

test("however a conversation grows and is marked, the three parts of its prompt make the whole, and no more is read than was written", () => {
  const blocks = fc.array(fc.record({ length: fc.integer({ min: 1, max: 6000 }), marked: fc.boolean() }), {
    minLength: 1,
    maxLength: 6,
  });
  fc.assert(
    fc.property(fc.array(blocks, { minLength: 1, maxLength: 8 }), (turns) => {
      const workspace = new Workspace();
      const messages: AnthropicRequestMessage[] = [];
      let longestWritten = 0;
      for (const turn of turns) {
        let markers = 0;
        const content = turn.map(({ length, marked }) => text("x".repeat(length), marked && markers++ < 4 ? MARKED : {}));
        const body = { messages: [...messages, user(...content)] };
        const seen = workspace.send(body);
        expect(seen.input + seen.read + seen.write5m + seen.write1h).toBe(promptTokens(body));
        expect(seen.read).toBeLessThanOrEqual(longestWritten);
        longestWritten = Math.max(longestWritten, seen.read + seen.write5m);
        messages.push(user(...content.map(({ text: said = "" }) => text(said))), assistant(text("Yes.")));
      }
    }),
    { numRuns: 100 },
  );
});

describe("what changes and what it loses", () => {
  const body = {
    tools: [{ ...TOOL, ...MARKED }],
    system: [text(SYSTEM.repeat(2), MARKED)],
    messages: [user(text("Hello", MARKED))],
  } satisfies Partial<AnthropicRequestBody>;
  const whole = promptTokens(body);
  const messages = 2;
  const system = 2000;
  const tools = whole - system - messages;

  function readAfter(change: Partial<AnthropicRequestBody>, before: Partial<AnthropicRequestBody> = {}): number {
    const workspace = new Workspace();
    workspace.send({ ...body, ...before });
    return workspace.send({ ...body, ...change }).read;
  }

  const image = { type: "image", source: { type: "base64", media_type: "image/png", data: "AAAA" } };

  test.each<[string, Partial<AnthropicRequestBody>, number]>([
    ["nothing", {}, whole],
    ["another tool", { tools: [{ ...TOOL, name: "find", ...MARKED }] }, 0],
    ["another system text", { system: [text(`${SYSTEM}!`, MARKED)] }, tools],
    ["another message", { messages: [user(text("Hallo", MARKED))] }, tools + system],
    ["tool_choice", { tool_choice: { type: "any" } }, tools + system],
    ["the parallel flag", { tool_choice: { type: "auto", disable_parallel_tool_use: true } }, tools + system],
    ["a default that is said", { tool_choice: { type: "auto" } }, whole],
    ["thinking", { thinking: { type: "adaptive" } }, tools + system],
    ["thinking off where it is off", { thinking: { type: "disabled" } }, whole],
    ["effort", { output_config: { effort: "low" } }, tools + system],
    ["the default effort", { output_config: { effort: "high" } }, whole],
    ["an image", { messages: [user(text("Hello"), image, text("See.", MARKED))] }, tools + system],
    ["max_tokens", { max_tokens: 7 }, whole],
    ["streaming", { stream: true }, whole],
  ])("%s", (_, change, read) => {
    expect(readAfter(change)).toBe(read);
  });
});

test("a string and a list of one text are the same prompt", () => {
  const workspace = new Workspace();
  workspace.send({ system: [text(SYSTEM.repeat(2), MARKED)] });
  const body = { system: SYSTEM.repeat(2), messages: [user(text("Hello", MARKED))] };
  expect(workspace.send(body).read).toBe(2000);
});

test("the automatic marker stands on the last block that can carry one", () => {
  const workspace = new Workspace();
  const cache_control = { type: "ephemeral" } as const;
  const first = [user(text(SYSTEM.repeat(2)))];
  expect(workspace.send({ cache_control, messages: first })).toMatchObject({ write5m: 2000, input: 0 });
  const second = [...first, assistant(text("Yes.")), user(text("And now?"))];
  expect(workspace.send({ cache_control, messages: second })).toMatchObject({ read: 2000, write5m: 3, input: 0 });
});

test("older models forget the thinking of earlier turns, which moves what stands behind it", () => {
  const thinking = { type: "thinking", thinking: "Well.", signature: "s" };
  const call = { type: "tool_use", id: "toolu_1", name: "look_up", input: {} };
  const result = { type: "tool_result", tool_use_id: "toolu_1", content: "found" };
  const loop = [user(text("Hello")), assistant(thinking, call), user(result)];
  const types = (messages: readonly AnthropicRequestMessage[]): string[] =>
    withoutOldThinking(promptBlocks({ messages })).map(({ type }) => type);
  expect(types(loop)).toEqual(["text", "thinking", "tool_use", "tool_result"]);
  expect(types([...loop, assistant(text("Yes.")), user(text("And?"))])).toEqual([
    "text",
    "tool_use",
    "tool_result",
    "text",
    "text",
  ]);
});
