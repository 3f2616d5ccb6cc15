import Anthropic from "@anthropic-ai/sdk";
import { MAX_TOKENS, MODEL, SYSTEM, TOOLS } from "../conversation.mjs";
import { http2Fetch } from "../http2-fetch.mjs";

/** `messages.stream`, read event by event. `caching: true` marks the prompt and the last tool, as its documents show. */
export async function open({ url, http2, caching }) {
  const client = new Anthropic({ apiKey: "bench", baseURL: url, ...(http2 && { fetch: await http2Fetch() }) });
  const marker = caching === true ? { cache_control: { type: "ephemeral" } } : {};
  const system = caching === true ? [{ type: "text", text: SYSTEM, ...marker }] : SYSTEM;
  const tools = TOOLS.map(({ name, description, parameters }, index) => ({
    name,
    description,
    input_schema: parameters,
    ...(index === TOOLS.length - 1 && marker),
  }));
  return {
    async turn(lines, { signal, onText }) {
      const body = { model: MODEL, max_tokens: MAX_TOKENS, system, tools, messages: lines };
      const stream = client.messages.stream(body, { signal });
      for await (const event of stream) {
        if (event.type === "content_block_delta" && event.delta.type === "text_delta") onText(event.delta.text);
      }
      await stream.finalMessage();
    },
  };
}
