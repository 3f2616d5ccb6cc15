import { AnthropicLLM } from "../../../dist/llm/anthropic.js";
import { SYSTEM, TOOLS } from "../conversation.mjs";

const tools = TOOLS.map((each) => ({ type: "function", function: each }));

/** `AnthropicLLM` with its defaults; `caching: false` switches prompt caching off. */
export function open({ url, caching }) {
  const llm = new AnthropicLLM({ apiKey: "bench", baseUrl: url, ...(caching === false && { promptCaching: false }) });
  return {
    async turn(lines, { signal, onText }) {
      const messages = [{ role: "system", content: SYSTEM }, ...lines];
      for await (const chunk of llm.stream(messages, tools, { signal })) {
        if (chunk.type === "text") onText(chunk.content);
      }
    },
  };
}
