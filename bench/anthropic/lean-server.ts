/**
 * A server that costs as little as it can: the same answer to every request, encoded beforehand, over HTTP/2 or HTTP/1.1
 * as the client asks. A message `{ deltas, gapMs }` sets how many pieces its text has and how far apart they come.
 */
import { createSecureServer, type Http2ServerRequest, type Http2ServerResponse } from "node:http2";
import type { AddressInfo } from "node:net";
import { setTimeout } from "node:timers/promises";
import { CERTIFICATE } from "../../src/testing/anthropic/certificate.js";
import { MODEL } from "./conversation.mjs";
import type { Load } from "./processes.js";

const INPUT_TOKENS = 5200;

let load: Load = { deltas: 1, gapMs: 0 };

const server = createSecureServer({ ...CERTIFICATE, allowHTTP1: true }, (request, response) => {
  void answer(request, response);
});
server.listen(0, "127.0.0.1", () => {
  process.send?.({ result: `https://127.0.0.1:${(server.address() as AddressInfo).port}` });
});
process.on("disconnect", () => process.exit());
process.on("message", (settings: Load) => {
  load = settings;
  process.send?.({ result: "ready" });
});

async function answer(request: Http2ServerRequest, response: Http2ServerResponse): Promise<void> {
  const { deltas, gapMs } = load;
  const { begin, pieces, end } = encoded(deltas);
  request.resume();
  await new Promise((resolve) => {
    request.on("end", resolve);
  });
  response.writeHead(200, { "content-type": "text/event-stream; charset=utf-8", "request-id": "req_bench" });
  for (const each of begin) response.write(each);
  for (const [index, piece] of pieces.entries()) {
    if (gapMs > 0 && index > 0) await setTimeout(gapMs);
    response.write(piece);
  }
  for (const each of end) response.write(each);
  response.end();
}

interface Encoded {
  readonly begin: readonly Buffer[];
  readonly pieces: readonly Buffer[];
  readonly end: readonly Buffer[];
}

const ENCODED = new Map<number, Encoded>();

function encoded(deltas: number): Encoded {
  const known = ENCODED.get(deltas) ?? encode(deltas);
  ENCODED.set(deltas, known);
  return known;
}

function encode(deltas: number): Encoded {
  const usage = {
    input_tokens: INPUT_TOKENS,
    output_tokens: 1,
    cache_creation_input_tokens: 0,
    cache_read_input_tokens: 0,
    cache_creation: { ephemeral_5m_input_tokens: 0, ephemeral_1h_input_tokens: 0 },
    service_tier: "standard",
  };
  const message = { id: "msg_bench", type: "message", role: "assistant", model: MODEL, content: [], usage };
  return {
    begin: [
      event({ type: "message_start", message: { ...message, stop_reason: null, stop_sequence: null } }),
      event({ type: "content_block_start", index: 0, content_block: { type: "text", text: "" } }),
      event({ type: "ping" }),
    ],
    pieces: Array.from({ length: deltas }, (_, index) =>
      event({
        type: "content_block_delta",
        index: 0,
        delta: { type: "text_delta", text: index === deltas - 1 ? " done." : " certainly" },
      }),
    ),
    end: [
      event({ type: "content_block_stop", index: 0 }),
      event({
        type: "message_delta",
        delta: { stop_reason: "end_turn", stop_sequence: null },
        usage: { ...usage, output_tokens: deltas * 2 },
      }),
      event({ type: "message_stop" }),
    ],
  };
}

function event(data: { readonly type: string; readonly [field: string]: unknown }): Buffer {
  return Buffer.from(`event: ${data.type}\ndata: ${JSON.stringify(data)}\n\n`);
}
