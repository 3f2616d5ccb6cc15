// What else an agent with Claude can be told, and what its calls tell: figures per turn, cost per call.
import { Browser, type Call, type CallEnd, LocalSTT, LocalTTS, Patter, SileroVAD } from "getpatter";
// #region usage
import * as anthropic from "getpatter/llm/anthropic";

let llm = new anthropic.LLM(); // reads ANTHROPIC_API_KEY
llm = new anthropic.LLM({ apiKey: "sk-ant-...", model: "claude-haiku-4-5-20251001" });
llm = new anthropic.LLM({ promptCaching: false }); // opt out of caching
// #endregion

// #region short-prompt
llm = new anthropic.LLM({ model: "claude-haiku-5-5" }); // caches from 512 tokens on
// #endregion

// #region hedge
llm = new anthropic.LLM({ hedgeAfterMs: 900 });
// #endregion

const phone = new Patter({ carrier: new Browser() });

// #region variables
const agent = phone.agent({
  vad: new SileroVAD(),
  stt: new LocalSTT(),
  llm,
  tts: new LocalTTS(),
  systemPrompt: "You are a helpful assistant. Today's specials: {specials}.",
  variables: { specials: "soup, pasta" },
  firstMessage: "Hi, how can I help?",
});
// #endregion

// #region pricing
const pricing = {
  "claude-opus-4-7": { input: 5, output: 25, cacheRead: 0.5, cacheWrite5m: 6.25, cacheWrite1h: 10 },
};
// #endregion

// #region figures
async function onCallStart(call: Call): Promise<void> {
  void printTimings(call);
}

async function printTimings(call: Call): Promise<void> {
  for await (const event of call.events) {
    if (event.type === "llm_ended") console.log(event.requestId, event.stopReason, event.timing, event.retries ?? []);
  }
}

function onCallEnd({ turns, cost }: CallEnd): void {
  for (const { turn, llmFirstTokenMs, tokens, cacheHitShare, costUsd } of turns) {
    console.log({ turn, llmFirstTokenMs, tokens, cacheHitShare, costUsd });
  }
  // Not known is not 0.
  console.log("Claude cost", cost.llmUsd === undefined ? "an unknown amount" : `$${cost.llmUsd.toFixed(4)}`, cost.providers);
}
// #endregion

export default { phone, agent, pricing, onCallStart, onCallEnd };
