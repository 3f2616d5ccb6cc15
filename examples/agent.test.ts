// Tests of an agent that thinks with Claude, without a key and without a network. Run them with `npx vitest`.
// #region call
import { PassThrough, Readable } from "node:stream";
import { AnthropicLLM, Browser, Patter, tool } from "getpatter";
import { AnthropicServer } from "getpatter/testing";
import { expect, test } from "vitest";
import { z } from "zod";

const checkStock = tool({
  name: "check_stock",
  description: "Says how many pieces of an article are in the shop.",
  parameters: z.object({ article: z.string() }),
  handler: async ({ article }) => ({ article, pieces: 12 }),
});

/** Holds a call with the agent, typed: what the caller says, line by line. Returns what was said on both sides. */
async function call(server: AnthropicServer, ...lines: string[]): Promise<string[]> {
  const phone = new Patter({ carrier: new Browser() });
  await using llm = new AnthropicLLM({ apiKey: "test", baseUrl: server.url });
  const said: string[] = [];
  await phone.test({
    agent: phone.agent({ llm, systemPrompt: "You answer for a hardware shop.", tools: [checkStock] }),
    input: Readable.from(lines.map((line) => `${line}\n`)),
    output: new PassThrough().resume(),
    onTranscript: ({ text }) => void said.push(text),
  });
  return said;
}
// #endregion

// #region tool
test("what is in stock is looked up, and the model is told", async () => {
  await using server = await AnthropicServer.start({
    replies: [{ toolCalls: [{ name: "check_stock", arguments: { article: "hammer" } }] }, "We have twelve."],
  });
  expect(await call(server, "Do you have hammers?")).toEqual(["Do you have hammers?", "We have twelve."]);
  const [, second] = server.requests.filter(({ path }) => path === "/v1/messages");
  expect(second?.body.messages?.at(-1)?.content).toMatchObject([
    { type: "tool_result", content: JSON.stringify({ article: "hammer", pieces: 12 }) },
  ]);
});
// #endregion

// #region failure
test("the caller hears an apology when the model stays overloaded, and an answer to the next question", async () => {
  await using server = await AnthropicServer.start({ replies: [{ status: 529 }, { status: 529 }, "We open at nine."] });
  expect(await call(server, "When do you open?", "Are you there?")).toEqual([
    "When do you open?",
    expect.stringContaining("I'm sorry, something went wrong"),
    "Are you there?",
    "We open at nine.",
  ]);
});
// #endregion
