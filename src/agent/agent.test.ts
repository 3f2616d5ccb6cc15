import { describe, expect, test } from "vitest";
import type { LlmChunk } from "../core/llm.js";
import { ConfigError } from "../core/errors.js";
import { SpokenWords } from "../testing/spoken-words.js";
import { TestLLM } from "../testing/test-llm.js";
import { TestSTT } from "../testing/test-speech.js";
import { type AgentOptions, createAgent } from "./agent.js";
import { endCallTool } from "./call-tools.js";
import { tool } from "./tools.js";

const book = tool({ name: "book", handler: () => "booked" });

async function chunksOf(stream: AsyncIterable<LlmChunk>): Promise<LlmChunk[]> {
  const chunks: LlmChunk[] = [];
  for await (const chunk of stream) chunks.push(chunk);
  return chunks;
}

describe("createAgent", () => {
  test("fills in what was left out", () => {
    expect(createAgent({})).toEqual({
      systemPrompt: "",
      firstMessage: undefined,
      language: "en",
      stt: undefined,
      llm: undefined,
      tts: undefined,
      vad: undefined,
      tools: [],
      variables: {},
      textTransforms: [],
      endpointing: { silenceMs: 400, finalTimeoutMs: 1000 },
      llmErrorMessage: expect.any(String),
      longTurnMessage: "One moment, please.",
      longTurnMessageAfterMs: 2000,
    });
  });

  test("keeps what was given", () => {
    const llm = new TestLLM([]);
    const stt = new TestSTT({ spoken: new SpokenWords() });
    const agent = createAgent({
      llm,
      stt,
      tools: [book, endCallTool()],
      longTurnMessage: null,
      longTurnMessageAfterS: 0.5,
      endpointing: { silenceMs: 700 },
    });
    expect(agent.llm).toBe(llm);
    expect(agent.stt).toBe(stt);
    expect(agent.tools.map(({ name }) => name)).toEqual(["book", "end_call"]);
    expect(agent.longTurnMessage).toBeNull();
    expect(agent.longTurnMessageAfterMs).toBe(500);
    expect(agent.endpointing).toEqual({ silenceMs: 700, finalTimeoutMs: 1000 });
  });

  test("takes an option that is undefined for one that was left out", () => {
    const endpointing = { silenceMs: undefined } as unknown as NonNullable<AgentOptions["endpointing"]>;
    expect(createAgent({ endpointing, longTurnMessage: undefined as never }).endpointing).toEqual({
      silenceMs: 400,
      finalTimeoutMs: 1000,
    });
  });

  test.each<[string, object, string]>([
    ["an option that is not built", { guardrails: [] }, 'The agent option "guardrails" is not supported yet: remove it.'],
    ["a newer one that is not built", { maxHistory: 10 }, 'The agent option "maxHistory" is not supported yet: remove it.'],
    ["a typo", { firstMesage: "Hi." }, 'There is no agent option "firstMesage": did you mean "firstMessage"?'],
    ["a typo inside", { endpointing: { silence: 1 } }, 'There is no endpointing option "silence"'],
    ["two tools of one name", { tools: [book, book] }, 'Two tools are named "book": give each its own name.'],
    ["tools that are no array", { tools: book }, "The agent option tools must be an array"],
    ["a tool that is none", { tools: [{ name: "x y" }] }, 'A tool is named "x y"'],
    ["a variable that is no string", { variables: { seats: 2 } }, 'The variable "seats" is number: variables are strings.'],
    ["a model without stream()", { llm: { generate: () => {} } }, "The agent option llm needs a stream() method"],
    ["null as a model", { llm: null }, "The agent option llm needs a stream() method"],
    [
      "a silence that is no number",
      { endpointing: { silenceMs: "400" } },
      'endpointing.silenceMs is "400": pass a number of ms from 0.',
    ],
    ["a silence below 0", { endpointing: { silenceMs: -1 } }, "endpointing.silenceMs is -1: pass a number of ms from 0."],
    [
      "a timeout that is NaN",
      { endpointing: { finalTimeoutMs: Number.NaN } },
      "endpointing.finalTimeoutMs is NaN: pass a number of ms from 0.",
    ],
    [
      "a hold line that is never late",
      { longTurnMessageAfterS: "2" },
      'longTurnMessageAfterS is "2": pass a number of seconds from 0.',
    ],
  ])("refuses %s and says what to do", (_, options, message) => {
    expect(() => createAgent(options)).toThrow(ConfigError);
    expect(() => createAgent(options)).toThrow(message);
  });
});

describe("a model written as a generator", () => {
  test("is named after its function and may yield text or chunks", async () => {
    async function* parrot(messages: readonly { content: string | null }[]): AsyncGenerator<string | LlmChunk> {
      yield "You said ";
      yield { type: "text", content: messages.at(-1)?.content ?? "" };
    }
    const { llm } = createAgent({ llm: parrot });
    expect([llm?.provider, llm?.model]).toEqual(["function", "parrot"]);
    expect(await chunksOf(llm!.stream([{ role: "user", content: "hi" }]))).toEqual([
      { type: "text", content: "You said " },
      { type: "text", content: "hi" },
    ]);
  });

  test("is closed when its answer is not wanted any more", async () => {
    let closed = false;
    const { llm } = createAgent({
      llm: async function* () {
        try {
          for (;;) yield "word ";
        } finally {
          closed = true;
        }
      },
    });
    for await (const _ of llm!.stream([])) break;
    expect(closed).toBe(true);
  });
});
