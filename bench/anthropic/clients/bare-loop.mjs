import { Pool } from "undici";
import { MAX_TOKENS, MODEL, SYSTEM, TOOLS } from "../conversation.mjs";

const tools = TOOLS.map(({ name, description, parameters }) => ({ name, description, input_schema: parameters }));
const HEADERS = { "x-api-key": "bench", "anthropic-version": "2023-06-01", "content-type": "application/json" };

/** The least that reads an answer: one request, split at blank lines, `JSON.parse`, add up the text. No errors, no tools. */
export function open({ url, http2 }) {
  const pool = new Pool(url, http2 ? { allowH2: true, connections: 1, pipelining: 100 } : {});
  return {
    async turn(lines, { signal, onText }) {
      const body = JSON.stringify({ model: MODEL, max_tokens: MAX_TOKENS, stream: true, system: SYSTEM, tools, messages: lines });
      const request = { path: "/v1/messages", method: "POST", headers: HEADERS, body, signal, idempotent: true };
      const response = await pool.request(request);
      if (response.statusCode !== 200) throw new Error(`${response.statusCode} ${await response.body.text()}`);
      const decoder = new TextDecoder();
      let pending = "";
      for await (const chunk of response.body) {
        const events = (pending + decoder.decode(chunk, { stream: true })).split("\n\n");
        pending = events.pop();
        for (const event of events) {
          const data = JSON.parse(event.slice(event.indexOf("\ndata: ") + 7));
          if (data.type === "content_block_delta") onText(data.delta.text);
        }
      }
    },
  };
}
