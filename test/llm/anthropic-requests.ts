import type { VirtualClock } from "../../src/core/clock.js";
import type { AnthropicServer } from "../../src/testing/anthropic/server.js";
import type { AnthropicRequestBody } from "../../src/testing/anthropic/wire.js";

/** Requests to `AnthropicServer`, and what its streams say. */

export const HEADERS = { "x-api-key": "test", "anthropic-version": "2023-06-01", "content-type": "application/json" };
export const MESSAGES_URL = "https://api.anthropic.com/v1/messages";
export const TURN: AnthropicRequestBody = {
  model: "claude-haiku-4-5",
  max_tokens: 100,
  messages: [{ role: "user", content: "Hello" }],
  stream: true,
};

export function post(body: unknown = TURN, signal?: AbortSignal): RequestInit {
  return { method: "POST", headers: HEADERS, body: JSON.stringify(body), ...(signal === undefined ? {} : { signal }) };
}

export interface SeenEvent {
  readonly atMs: number;
  readonly type: string;
  readonly [field: string]: unknown;
}

/** The events of a stream in process, each with its time. */
export async function eventsOf(
  server: AnthropicServer,
  clock: VirtualClock,
  body: AnthropicRequestBody = TURN,
): Promise<SeenEvent[]> {
  const events: SeenEvent[] = [];
  const reading = async (): Promise<void> => {
    const response = await server.fetch(MESSAGES_URL, post(body));
    const decoder = new TextDecoder();
    for await (const piece of response.body as unknown as AsyncIterable<Uint8Array>) {
      for (const [, data = ""] of decoder.decode(piece).matchAll(/data: (.*)\n/g)) {
        events.push({ atMs: clock.now(), ...(JSON.parse(data) as { type: string }) });
      }
    }
  };
  await clock.runUntil(reading());
  return events;
}
