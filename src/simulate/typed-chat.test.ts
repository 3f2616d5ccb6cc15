import { PassThrough } from "node:stream";
import { describe, expect, test } from "vitest";
import { type AgentOptions, createAgent } from "../agent/agent.js";
import { endCallTool } from "../agent/call-tools.js";
import { tool } from "../agent/tools.js";
import type { Call } from "../core/call.js";
import type { CallEvent } from "../core/call-event.js";
import { Browser } from "../carriers/browser.js";
import { VirtualClock } from "../core/clock.js";
import { ConfigError } from "../core/errors.js";
import type { LLM } from "../core/llm.js";
import { silentLogger } from "../core/logger.js";
import type { CallRecord } from "../observe/recorder.js";
import { Patter } from "../patter.js";
import { TestLLM } from "../testing/test-llm.js";
import { typedChat, type TypedChatOptions } from "./typed-chat.js";

interface Rig {
  readonly clock: VirtualClock;
  readonly ended: () => Promise<CallRecord>;
  readonly llm: TestLLM;
  readonly shown: () => string;
  type(line: string): Promise<void>;
  close(): void;
}

function chat(
  answers: ConstructorParameters<typeof TestLLM>[0],
  agentOptions: AgentOptions = {},
  options: Partial<TypedChatOptions> & { readonly llm?: TestLLM } = {},
): Rig {
  const clock = new VirtualClock();
  const input = new PassThrough();
  const output = new PassThrough();
  const llm = options.llm ?? new TestLLM(answers);
  const record = typedChat({ agent: createAgent({ llm, ...agentOptions }), clock, input, output, ...options });
  let shown = "";
  output.on("data", (chunk: Buffer) => {
    shown += chunk.toString();
  });
  return {
    clock,
    ended: () => clock.runUntil(record),
    llm,
    shown: () => shown,
    type: async (line) => {
      input.write(`${line}\n`);
      await clock.advance(0);
      await clock.advance(0);
    },
    close: () => input.end(),
  };
}

describe("a typed chat", () => {
  test("greets, answers and says who hung up", async () => {
    const { type, ended, shown } = chat(["Sure. Which day?"], { firstMessage: "Hello {name}!", variables: { name: "Ann" } });
    await type("a table for two");
    await type("/hangup");
    expect((await ended()).transcript.map(({ role, text }) => `${role}: ${text}`)).toEqual([
      "assistant: Hello Ann!",
      "user: a table for two",
      "assistant: Sure. Which day?",
    ]);
    expect(shown()).toBe(
      "agent  Hello Ann!\nyou    a table for two\nagent  Sure. Which day?\nyou    /hangup\n       You hung up.\n       Cost of the model: unknown.\n",
    );
  });

  test("shows tool calls and their results, and sends them to the model", async () => {
    const book = tool({ name: "book", description: "Books.", handler: async () => "table 4" });
    const { type, ended, shown, llm } = chat(
      [{ text: "One moment.", toolCalls: [{ name: "book", arguments: { guests: 2 } }] }, "Table four is yours."],
      {
        tools: [book],
      },
    );
    await type("book it");
    await type("/quit");
    expect((await ended()).endReason).toBe("shutdown");
    expect(shown()).toContain(
      'agent  One moment.\n       book({"guests":2})\n       book -> table 4\nagent  Table four is yours.\n',
    );
    expect(llm.requests[1]?.slice(1)).toMatchObject([
      { role: "assistant", content: "One moment.", tool_calls: [{ function: { name: "book" } }] },
      { role: "tool", content: "table 4" },
    ]);
  });

  test("writes the hold line while nothing else comes, a few times at most", async () => {
    const slow = tool({ name: "slow", description: "Slow.", timeoutMs: 60_000, handler: () => clock.sleep(9500) });
    const { type, ended, shown, clock } = chat([{ text: "I will look.", toolCalls: [{ name: "slow" }] }, "Found it."], {
      tools: [slow],
      longTurnMessage: "One moment.",
      longTurnMessageAfterS: 2,
    });
    await type("look it up");
    await clock.advance(1900);
    expect(shown()).not.toContain("One moment.");
    await clock.advance(8000);
    await type("/quit");
    const { transcript } = await ended();
    expect(transcript.at(-1)?.text).toBe("I will look. One moment. One moment. One moment. Found it.");
    expect(shown()).toContain("agent  One moment. One moment. One moment.\n");
  });

  test("writes at once what a tool says, while the reply waits for the tool", async () => {
    const look = tool({
      name: "look",
      description: "Looks.",
      handler: async (_args, { call }) => {
        await call.say("Looking it up.");
        await clock.sleep(1000);
        return "table 4";
      },
    });
    const { type, ended, shown, clock } = chat([{ toolCalls: [{ name: "look" }] }, "Found it."], { tools: [look] });
    await type("look it up");
    expect(shown()).toContain("Looking it up.");
    await clock.advance(1100);
    await type("/quit");
    expect((await ended()).transcript.at(-1)?.text).toBe("Looking it up. Found it.");
  });

  test("tells what a telephone call would do when a tool transfers or presses keys", async () => {
    const act = tool({
      name: "act",
      description: "Acts.",
      handler: async (_args, { call }) => {
        await call.sendDtmf("12#");
        await call.transfer("+15550199");
        return "done";
      },
    });
    const { type, ended, shown } = chat([{ toolCalls: [{ name: "act" }] }], { tools: [act] });
    await type("a person, please");
    expect((await ended()).endReason).toBe("transferred");
    expect(shown()).toContain("would send the keys 12# now");
    expect(shown()).toMatch(
      /would be transferred to \+15550199 now\.\n {7}act -> done\n {7}The call was handed over[^\n]*\n {7}Cost of the model: unknown\.\n$/,
    );
  });

  test("ends after the goodbye when the model hangs up", async () => {
    const { type, ended, shown } = chat([{ toolCalls: [{ name: "end_call" }] }, "Goodbye!"], { tools: [endCallTool()] });
    await type("that was all");
    expect((await ended()).endReason).toBe("agent_hung_up");
    expect(shown()).toMatch(/agent {2}Goodbye!\n {7}The agent hung up\.\n {7}Cost of the model: unknown\.\n$/);
  });

  test("/history shows the conversation, /transfer hands over, an unknown command lists them all", async () => {
    const { type, ended, shown } = chat(["Hi."]);
    await type("/history");
    await type("hello");
    await type("/history");
    await type("/help");
    await type("/transfer");
    await type("/transfer +15550123");
    expect((await ended()).endReason).toBe("transferred");
    expect(shown()).toContain("The history is empty.");
    expect(shown()).toContain("       user: hello\n       assistant: Hi.\n");
    expect(shown()).toContain("/quit leaves");
    expect(shown()).toContain("Say where to: /transfer +15550100");
  });

  test("a program says something while the caller thinks", async () => {
    let call: Call | undefined;
    const { clock, ended, shown, type } = chat(
      [],
      {},
      {
        onStart: (started) => {
          call = started;
        },
      },
    );
    await clock.advance(10);
    const said = call?.say("Still there?");
    await clock.advance(10);
    expect(await said).toBe("Still there?");
    expect(shown()).toBe("agent  Still there?");
    await type("/quit");
    await ended();
    await expect(call?.say("Hello?")).rejects.toThrow("has ended");
  });

  test("says the error line when the model fails, and goes on", async () => {
    const { type, ended, shown } = chat([new Error("no credit left"), "Back again."], {
      llmErrorMessage: "Sorry, say that again?",
    });
    await type("hello");
    await type("hello");
    await type("/quit");
    expect((await ended()).errors).toMatchObject([{ stage: "llm", message: "no credit left" }]);
    expect(shown()).toContain("llm error: no credit left\nagent  Sorry, say that again?\n");
    expect(shown()).toContain("agent  Back again.\n");
  });

  test("hanging up ends a request that is still running", async () => {
    const llm = new TestLLM(["Never said."], { firstTokenMs: 60_000 });
    const shutdown = new AbortController();
    const { type, ended, clock } = chat([], {}, { llm, signal: shutdown.signal });
    await type("hello");
    shutdown.abort();
    expect((await ended()).endReason).toBe("shutdown");
    expect(llm.aborted).toBe(1);
    expect(clock.pendingTimers).toBe(0);
  });

  test("the end of the input hangs up after the last answer", async () => {
    const { type, ended, close, shown } = chat(["Hi there."]);
    void type("hello");
    close();
    expect((await ended()).endReason).toBe("caller_hung_up");
    expect(shown()).toContain("agent  Hi there.\n");
  });

  test("warms its model up while the caller reads the greeting, and reports it", async () => {
    const asked: unknown[] = [];
    const llm = Object.assign(new TestLLM(["Hi."]), {
      warmup: async (...[messages, tools, options]: Parameters<NonNullable<LLM["warmup"]>>) => {
        asked.push(messages, tools);
        options?.onUsage?.({ inputTokens: 9, outputTokens: 0 });
        await options?.clock?.sleep(200);
      },
    });
    const events: CallEvent[] = [];
    const { type, ended, clock, shown } = chat(
      [],
      { firstMessage: "Hello!", systemPrompt: "Be brief." },
      { llm, onEvent: (event) => void events.push(event) },
    );
    await clock.advance(300);
    expect(shown()).toContain("agent  Hello!");
    await type("/quit");
    await ended();
    expect(asked).toEqual([[{ role: "system", content: "Be brief." }], null]);
    expect(events.filter((event) => event.type === "llm_warmed_up")).toEqual([
      expect.objectContaining({ durationMs: 200, usage: { inputTokens: 9, outputTokens: 0 } }),
    ]);
  });

  test("an agent without a model is refused", async () => {
    const options = { clock: new VirtualClock(), input: new PassThrough(), output: new PassThrough() };
    await expect(typedChat({ agent: createAgent({}), ...options })).rejects.toThrow(ConfigError);
  });

  test("phone.test() answers with onMessage and reports the call like a served one", async () => {
    const clock = new VirtualClock();
    const input = new PassThrough();
    const output = new PassThrough();
    const heard: string[] = [];
    const phone = new Patter({ carrier: new Browser(), clock, logger: silentLogger });
    const tested = phone.test({
      agent: phone.agent({ firstMessage: "Hello!" }),
      onMessage: ({ text, history }) => `You said ${text} after ${history.length} messages.`,
      onTranscript: ({ role, text }) => void heard.push(`${role}: ${text}`),
      onCallEnd: ({ endReason, caller }) => void heard.push(`${caller} ${endReason}`),
      input,
      output,
    });
    input.end("hi\n");
    await clock.runUntil(tested);
    await clock.advance(0);
    expect(heard).toEqual([
      "assistant: Hello!",
      "user: hi",
      "assistant: You said hi after 1 messages.",
      "terminal caller_hung_up",
    ]);
    await expect(phone.test({ agent: phone.agent({}) })).rejects.toThrow("Nothing can answer");
  });
});
