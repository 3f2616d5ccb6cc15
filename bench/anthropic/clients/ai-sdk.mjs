import { createAnthropic } from "@ai-sdk/anthropic";
import { jsonSchema, streamText, tool } from "ai";
import { MAX_TOKENS, MODEL, SYSTEM, TOOLS } from "../conversation.mjs";
import { http2Fetch } from "../http2-fetch.mjs";

/** `streamText`, read by its `textStream`. `caching: true` marks the prompt and the last tool, as its documents show. */
export async function open({ url, http2, caching }) {
  const anthropic = createAnthropic({ apiKey: "bench", baseURL: `${url}/v1`, ...(http2 && { fetch: await http2Fetch() }) });
  const model = anthropic(MODEL);
  const marker = caching === true ? { providerOptions: { anthropic: { cacheControl: { type: "ephemeral" } } } } : {};
  const system = caching === true ? { role: "system", content: SYSTEM, ...marker } : SYSTEM;
  const tools = Object.fromEntries(
    TOOLS.map(({ name, description, parameters }, index) => [
      name,
      tool({ description, inputSchema: jsonSchema(parameters), ...(index === TOOLS.length - 1 && marker) }),
    ]),
  );
  return {
    async turn(lines, { signal, onText }) {
      let failure;
      const result = streamText({
        model,
        system,
        tools,
        messages: lines,
        maxOutputTokens: MAX_TOKENS,
        abortSignal: signal,
        onError: ({ error }) => {
          failure = error;
        },
      });
      for await (const text of result.textStream) onText(text);
      if (failure !== undefined) throw new Error("streamText failed", { cause: failure });
      if (!signal.aborted) await result.usage;
    },
  };
}
