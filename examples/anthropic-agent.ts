// Claude, in your browser: `npx getpatter serve examples/anthropic-agent.ts`. With `-- --test-server` behind it a server on
// this machine answers in Claude's place, which needs no key and no network.
import { AnthropicLLM, type AnthropicLLMOptions, Browser, LocalSTT, LocalTTS, Patter, SileroVAD } from "getpatter";

const options = process.argv.includes("--test-server") ? await testServer() : {};

// #region agent
const phone = new Patter({ carrier: new Browser() });

const agent = phone.agent({
  vad: new SileroVAD(),
  stt: new LocalSTT(),
  llm: new AnthropicLLM(options), // reads ANTHROPIC_API_KEY
  tts: new LocalTTS(),
  systemPrompt: "You are a helpful assistant.",
  firstMessage: "Hi, how can I help?",
});

export default { phone, agent };
// #endregion

/** Starts a Messages API on this machine that goes through these replies, one a turn, with a model's latency. */
async function testServer(): Promise<AnthropicLLMOptions> {
  const { AnthropicServer } = await import("getpatter/testing");
  const replies = [
    "I am not Claude, only its test server on your machine. What would you like to talk about?",
    "Good choice. Interrupt me whenever you like: I stop, and remember only what you have heard of this sentence so far.",
  ];
  const server = await AnthropicServer.start({
    latency: { firstTokenMs: 300, tokenMs: 15 },
    // The greeting follows a user's turn of its own, and each reply another one.
    defaultReply: ({ body }) => {
      const turns = body.messages?.filter(({ role }) => role === "user").length ?? 0;
      return replies[turns - 2] ?? "That is all I know. Claude knows more: set the key, and leave the flag out.";
    },
  });
  return { apiKey: "unused", baseUrl: server.url };
}
