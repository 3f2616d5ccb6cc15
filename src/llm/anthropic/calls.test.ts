import { describe, expect, test } from "vitest";
import { type AgentOptions, createAgent } from "../../agent/agent.js";
import { type AnyTool, tool } from "../../agent/tools.js";
import { runCall } from "../../call/session.js";
import type { CallEndReason, CallEvent, CallEventBody } from "../../core/call-event.js";
import { VirtualClock } from "../../core/clock.js";
import type { LlmUsage } from "../../core/llm.js";
import type { AnthropicReply } from "../../testing/anthropic/replies.js";
import type { AnthropicRequest } from "../../testing/anthropic/request.js";
import { AnthropicServer } from "../../testing/anthropic/server.js";
import { SpokenWords } from "../../testing/spoken-words.js";
import { TestPhone } from "../../testing/test-phone.js";
import { TestSTT, TestTTS, TestVAD } from "../../testing/test-speech.js";
import { AnthropicLLM, type AnthropicLLMOptions, type AnthropicToolChoice } from "../anthropic.js";

/** About 5,000 tokens, above the 4,096 that the default model caches. */
const LONG_PROMPT = "You answer the telephone of a small restaurant, kindly and in short sentences. ".repeat(260);

interface Rig extends AsyncDisposable {
  readonly clock: VirtualClock;
  readonly phone: TestPhone;
  readonly server: AnthropicServer;
  readonly events: CallEvent[];
  /** The caller says something and waits. */
  say(text: string, thenMs?: number): Promise<void>;
  /** The streamed requests, without the warm-up. */
  asked(): AnthropicRequest[];
  eventsOf<Type extends CallEventBody["type"]>(type: Type): Extract<CallEvent, { readonly type: Type }>[];
}

interface RigOptions {
  readonly replies?: readonly AnthropicReply[];
  /** To the warm-up. */
  readonly warmup?: AnthropicReply;
  readonly agent?: AgentOptions;
  readonly llm?: AnthropicLLMOptions;
  readonly clock?: VirtualClock;
}

/** A call with Claude as the agent's model, all on virtual time. Disposing it hangs up and looks for what was left behind. */
async function rig(options: RigOptions = {}): Promise<Rig> {
  const { replies = [], warmup, agent, clock = new VirtualClock() } = options;
  const server = await AnthropicServer.start({ clock, replies });
  if (warmup !== undefined) server.replyTo(({ body }) => body.max_tokens === 0, warmup);
  const spoken = new SpokenWords();
  const phone = new TestPhone({ clock, spoken });
  const llm = new AnthropicLLM({ apiKey: "test-key", fetch: server.fetch, ...options.llm });
  const events: CallEvent[] = [];
  const ended: Promise<CallEndReason> = runCall({
    agent: createAgent({
      stt: new TestSTT({ spoken }),
      tts: new TestTTS({ spoken }),
      vad: new TestVAD({ spoken }),
      llm,
      systemPrompt: LONG_PROMPT,
      llmErrorMessage: "Sorry about that.",
      longTurnMessage: "Please hold on.",
      ...agent,
    }),
    incoming: phone.incoming(),
    carrier: "test",
    clock,
    signal: new AbortController().signal,
    onEvents: (stream) => {
      stream.subscribe((event) => events.push(event));
    },
  });
  await clock.advance(2000);
  return {
    clock,
    phone,
    server,
    events,
    say: async (text, thenMs = 6000) => {
      await clock.runUntil(phone.say(text));
      await clock.advance(thenMs);
    },
    asked: () => server.requests.filter(({ body }) => body.stream === true),
    eventsOf: <Type extends CallEventBody["type"]>(type: Type) =>
      events.filter((event): event is Extract<CallEvent, { readonly type: Type }> => event.type === type),
    [Symbol.asyncDispose]: async () => {
      phone.hangUp();
      expect(await clock.runUntil(ended)).toBe("caller_hung_up");
      await llm[Symbol.asyncDispose]();
      expect(clock.pendingTimers).toBe(0);
      await server[Symbol.asyncDispose]();
    },
  };
}

/** The messages of a request as plain turns, without cache markers. */
function turnsOf(request: AnthropicRequest | undefined): string[] {
  return (request?.body.messages ?? []).map(({ role, content }) => {
    const blocks = typeof content === "string" ? [{ type: "text", text: content }] : content;
    return `${role}: ${blocks.map((block) => ("text" in block ? block.text : block.type)).join(" | ")}`;
  });
}

/** How long after the caller's last turn the first error came, in ms. */
function errorAfterMs({ eventsOf }: Rig): number {
  return (eventsOf("call_error")[0]?.atMs ?? Number.NaN) - (eventsOf("turn_committed")[0]?.atMs ?? Number.NaN);
}

describe("a call answered by Claude", () => {
  test("begins with the greeting, and reads more from the cache with every turn", async () => {
    const replies = ["Sure. For how many?", "And at what time?", "It is booked.", "Goodbye."];
    await using call = await rig({ replies, agent: { firstMessage: "Good evening." } });
    for (const words of ["a table please", "for four", "at eight", "that was all"]) await call.say(words);
    expect(call.phone.heard).toBe(`Good evening. ${replies.join(" ")}`);
    const asked = call.asked();
    expect(asked.map(({ status }) => status)).toEqual([200, 200, 200, 200]);
    expect(turnsOf(asked[1]).slice(-4)).toEqual([
      "assistant: Good evening.",
      "user: a table please",
      "assistant: Sure. For how many?",
      "user: for four",
    ]);
    const [warmedUp] = call.eventsOf("llm_warmed_up");
    expect(warmedUp?.usage?.cacheWrite5mTokens).toBeGreaterThan(4096);
    const reads = call.eventsOf("llm_usage").map(({ usage }: { readonly usage: LlmUsage }) => usage.cacheReadTokens ?? 0);
    expect(reads[0]).toBeGreaterThanOrEqual(warmedUp?.usage?.cacheWrite5mTokens ?? Number.NaN);
    for (const [turn, read] of reads.entries()) if (turn > 0) expect(read).toBeGreaterThan(reads[turn - 1] ?? Number.NaN);
  });

  test("keeps the call's own values out of the cached prompt", async () => {
    await using call = await rig({ agent: { variables: { caller: "Ann" } } });
    await call.say("hello there");
    const [warmup, first] = call.server.requests;
    expect(first?.body.system).toEqual(warmup?.body.system);
    expect(first?.body.system).toMatchObject([
      { cache_control: { type: "ephemeral" } },
      { text: expect.stringContaining("Ann") },
    ]);
    expect(call.eventsOf("llm_usage")[0]?.usage.cacheReadTokens).toBeGreaterThan(4096);
  });

  test("runs the tools of one answer side by side, and gives back their results in order", async () => {
    const clock = new VirtualClock();
    const runs: string[] = [];
    const check = (name: string, durationMs: number): AnyTool =>
      tool({
        name,
        parameters: { type: "object", properties: { at: { type: "string" } }, required: ["at"] },
        handler: async ({ at }) => {
          await clock.sleep(durationMs);
          runs.push(`${name} ${String(at)}`);
          return `${name} is free`;
        },
      });
    const tools = [check("indoors", 900), check("outdoors", 300)];
    const calls = [
      { name: "indoors", arguments: { at: "eight" } },
      { name: "outdoors", arguments: { at: "eight" } },
    ];
    const replies = [{ text: "Let me look.", toolCalls: calls }, "Both are free."];
    await using call = await rig({ replies, agent: { tools }, clock });
    await call.say("a table at eight");
    expect(call.phone.heard).toBe("Let me look. Both are free.");
    expect(runs).toEqual(["outdoors eight", "indoors eight"]);
    const [, second] = call.asked();
    expect(turnsOf(second).slice(-2)).toEqual([
      "assistant: Let me look. | tool_use | tool_use",
      "user: tool_result | tool_result",
    ]);
    expect(second?.body.messages?.at(-1)?.content).toMatchObject([
      { content: "indoors is free" },
      { content: "outdoors is free" },
    ]);
  });

  test.each<AnthropicToolChoice>(["any", { name: "hours" }])(
    "speaks of what a tool found that had to be called: %j",
    async (toolChoice) => {
      let runs = 0;
      const hours = tool({ name: "hours", handler: () => `nine to five, ${++runs}` });
      await using call = await rig({ agent: { tools: [hours] }, llm: { toolChoice } });
      const isDemanded = ({ body }: AnthropicRequest): boolean => body.tool_choice?.type !== "auto" && body.stream === true;
      call.server.replyTo(isDemanded, ...Array.from({ length: 12 }, () => ({ toolCalls: [{ name: "hours" }] })));
      call.server.replyTo(({ body }) => body.tool_choice?.type === "auto", "From nine to five.");
      await call.say("when are you open");
      expect([call.phone.heard, runs]).toEqual(["From nine to five.", 1]);
      expect(call.asked()).toHaveLength(2);
      expect(call.eventsOf("call_error")).toEqual([]);
    },
  );

  test("tells the model what the caller heard of a reply they interrupted, and keeps the cache of what came before", async () => {
    const long = "We have fish today. We have soup and bread. We have cake with cream. And we have coffee too.";
    await using call = await rig({ replies: ["Hello.", { text: long, tokenMs: 20 }, "Of course."] });
    await call.say("good evening");
    await call.say("what do you have", 1500);
    await call.say("no stop please");
    const [bargeIn] = call.eventsOf("barge_in");
    expect(bargeIn).toBeDefined();
    const interrupted = call.eventsOf("reply_ended").find(({ reason }) => reason === "barge_in");
    expect(long.startsWith(interrupted?.heard ?? "-")).toBe(true);
    const [first, second, third] = call.asked();
    expect(turnsOf(third).slice(-2)).toEqual([`assistant: ${interrupted?.heard}`, "user: no stop please"]);
    expect(turnsOf(third).slice(0, -2)).toEqual(turnsOf(second));
    const [, before, after] = call.eventsOf("llm_usage");
    expect(after?.usage.cacheReadTokens).toBeGreaterThan(before?.usage.cacheReadTokens ?? Number.NaN);
    expect(first?.outcome).toBe("complete");
    expect(call.phone.heard.endsWith("Of course.")).toBe(true);
  });

  test("aborts the request of a reply that is interrupted while it is written, and still counts its tokens", async () => {
    const slow = { text: "One two three four five six seven eight nine ten. Eleven.", tokenMs: 400 };
    await using call = await rig({ replies: [slow, "Of course."] });
    await call.say("count for me", 2500);
    await call.say("no stop please");
    expect(call.asked().map(({ outcome }) => outcome)).toEqual(["aborted", "complete"]);
    expect(call.eventsOf("llm_usage")[0]?.usage).toMatchObject({ isEstimated: true, cacheReadTokens: expect.any(Number) });
    expect(call.phone.heard.endsWith("Of course.")).toBe(true);
    expect(call.eventsOf("call_error")).toEqual([]);
  });
});

describe("a call when Claude fails", () => {
  const OVERLOADED = { type: "overloaded_error", message: "Overloaded" } as const;

  test("hears the answer when an overload comes before it", async () => {
    const overload: AnthropicReply = { cut: { after: "message_start", with: OVERLOADED } };
    await using call = await rig({ replies: [overload, "We are open."] });
    await call.say("are you open");
    expect(call.phone.heard).toBe("We are open.");
    expect(call.eventsOf("call_error")).toEqual([]);
    expect(call.eventsOf("llm_ended")[0]?.retries).toHaveLength(1);
  });

  test("hears the whole sentences, then the error line, when an overload comes within the answer", async () => {
    const overload: AnthropicReply = { text: "We are open. From nine to", cut: { after: 4, with: OVERLOADED } };
    await using call = await rig({ replies: [overload, "From nine."] });
    await call.say("are you open");
    expect(call.phone.heard).toBe("We are open. Sorry about that.");
    await call.say("since when");
    expect(call.phone.heard).toBe("We are open. Sorry about that. From nine.");
    expect(turnsOf(call.asked()[1]).at(-2)).toBe("assistant: We are open. Sorry about that.");
    expect(call.eventsOf("call_error")).toHaveLength(1);
  });

  test.each<[string, AnthropicReply]>([
    ["never answers", { connection: "silence" }],
    ["sends nothing behind the beginning", { cut: { after: "message_start", with: "silence" } }],
    ["sends pings and nothing else", { cut: { after: "message_start", with: "pings" } }],
  ])("hears the hold line, and the error line within 14 s, of a server that %s", async (_, silence) => {
    await using call = await rig({ replies: [silence, silence, silence, "Here I am."] });
    await call.say("are you there", 14_500);
    expect(call.eventsOf("call_error")).toEqual([expect.objectContaining({ stage: "llm", code: "timeout" })]);
    expect(errorAfterMs(call)).toBeLessThanOrEqual(14_000);
    await call.clock.advance(2000);
    expect(call.phone.heard).toMatch(/^(Please hold on\. ){2,3}Sorry about that\.$/);
  });

  test("hears the error line within 8 s of a server that falls silent within the answer", async () => {
    const silence: AnthropicReply = { text: "We are open. From nine to five.", cut: { after: 4, with: "silence" } };
    await using call = await rig({ replies: [silence] });
    await call.say("are you open", 12_000);
    expect(call.phone.heard).toMatch(/^We are open\. (Please hold on\. )+Sorry about that\.$/);
    expect(errorAfterMs(call)).toBeLessThanOrEqual(8100);
    expect(call.eventsOf("call_error")).toHaveLength(1);
  });

  test("waits for a model that thinks for long, and gives up one that never ends once", async () => {
    const replies: AnthropicReply[] = [
      { thinking: { openMs: 12_500 }, text: "Forty two." },
      { thinking: { openMs: 100_000 }, text: "Never said." },
    ];
    await using call = await rig({ replies, llm: { model: "claude-opus-5-5" }, agent: { longTurnMessage: null } });
    await call.say("what is the answer", 15_000);
    expect(call.phone.heard).toBe("Forty two.");
    await call.say("are you sure", 40_000);
    expect(call.phone.heard).toBe("Forty two. Sorry about that.");
    expect(call.eventsOf("call_error")).toEqual([expect.objectContaining({ code: "timeout" })]);
    expect(call.asked()).toHaveLength(2);
  });

  test("hears the error line when the model refuses, which is named", async () => {
    const stopDetails = { type: "refusal", category: "cyber", explanation: "It may harm a computer." } as const;
    await using call = await rig({ replies: [{ text: "", stopReason: "refusal", stopDetails }, "Gladly."] });
    await call.say("break into it");
    expect(call.phone.heard).toBe("Sorry about that.");
    expect(call.eventsOf("call_error")).toEqual([expect.objectContaining({ stage: "llm", code: "refusal" })]);
    expect(call.eventsOf("call_error")[0]?.message).toContain("cyber");
    expect(call.eventsOf("llm_ended")[0]).toMatchObject({ stopReason: "refusal", stopDetail: expect.stringContaining("cyber") });
    await call.say("then tell me a joke");
    expect(call.phone.heard).toBe("Sorry about that. Gladly.");
  });

  test("hears the second answer when the first was empty, and the error line when both were", async () => {
    await using call = await rig({ replies: [{ text: "" }, "We are open.", { text: "" }, { text: "" }] });
    await call.say("are you open");
    expect(call.phone.heard).toBe("We are open.");
    expect(call.eventsOf("llm_ended")[0]?.retries).toEqual(["empty_answer"]);
    await call.say("are you sure");
    expect(call.phone.heard).toBe("We are open. Sorry about that.");
    expect(call.eventsOf("call_error")).toEqual([expect.objectContaining({ code: "empty_answer" })]);
  });

  test("runs no tool whose arguments the token limit cut, and says that something went wrong", async () => {
    let runs = 0;
    const book = tool({ name: "book", handler: () => `booked ${++runs}` });
    const cut: AnthropicReply = { toolCalls: [{ name: "book", arguments: ['{"sea'] }], stopReason: "max_tokens" };
    await using call = await rig({ replies: [cut], agent: { tools: [book] } });
    await call.say("book it");
    expect([call.phone.heard, runs]).toEqual(["Sorry about that.", 0]);
    expect(call.eventsOf("call_error")).toEqual([expect.objectContaining({ code: "max_tokens" })]);
  });

  test("is none the worse for a warm-up that the vendor refuses", async () => {
    await using call = await rig({ replies: ["We are open."], warmup: { status: 529 } });
    expect(call.server.requests.map(({ status }) => status)).toEqual([529]);
    expect(call.eventsOf("llm_warmed_up")).toEqual([]);
    await call.say("are you open");
    expect(call.phone.heard).toBe("We are open.");
    expect(call.eventsOf("call_error")).toEqual([]);
  });
});
