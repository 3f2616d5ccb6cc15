import { describe, expect, test } from "vitest";
import { MESSAGES_URL, post, TURN } from "../../../test/llm/anthropic-requests.js";
import { AnthropicServer } from "./server.js";
import type { AnthropicRequestBody, WireContentBlock } from "./wire.js";

describe("thinking that comes back", () => {
  const model = "claude-haiku-5-5";

  async function think(server: AnthropicServer, body: Partial<AnthropicRequestBody> = {}): Promise<WireContentBlock[]> {
    server.reply({ thinking: { thinking: "Hm." }, text: "Yes." });
    const response = await server.fetch(MESSAGES_URL, post({ ...TURN, model, stream: false, ...body }));
    return ((await response.json()) as { content: WireContentBlock[] }).content;
  }

  async function replay(server: AnthropicServer, content: unknown, body: Partial<AnthropicRequestBody> = {}): Promise<string> {
    const messages = [...(TURN.messages ?? []), { role: "assistant", content }, { role: "user", content: "And?" }];
    const response = await server.fetch(MESSAGES_URL, post({ ...TURN, model, messages, ...body }));
    return response.status === 200 ? "accepted" : ((await response.json()) as { error: { message: string } }).error.message;
  }

  test("is accepted as it was, by another server too", async () => {
    await using server = await AnthropicServer.start();
    await using other = await AnthropicServer.start();
    const content = await think(server);
    expect(content[0]).toMatchObject({ type: "thinking", thinking: "" });
    expect(await replay(other, content)).toBe("accepted");
  });

  test("is refused with a changed signature or changed thoughts", async () => {
    await using server = await AnthropicServer.start();
    const [first, ...rest] = await think(server, { thinking: { type: "adaptive", display: "summarized" } });
    expect(first).toMatchObject({ thinking: "Hm." });
    const changed = { ...first, signature: `${(first as { signature: string }).signature}x` };
    expect(await replay(server, [changed, ...rest])).toBe("messages.1.content.0: Invalid `signature` in `thinking` block");
    expect(await replay(server, [{ ...first, thinking: "Ha." }, ...rest])).toContain("cannot be modified");
    expect(await replay(server, [{ type: "redacted_thinking", data: "AAAA" }, ...rest])).toContain("Invalid `data`");
  });

  test("is bound to its conversation on the models that sign it so, and forgotten by other models", async () => {
    await using server = await AnthropicServer.start();
    const content = await think(server);
    expect(await replay(server, content, { system: "Be brief." })).toContain("bound to a different conversation");
    expect(await replay(server, content, { system: "Be brief.", model: "claude-sonnet-4-6" })).toBe("accepted");
    const loose = await think(server, { model: "claude-sonnet-4-6" });
    expect(await replay(server, loose, { system: "Be brief.", model: "claude-sonnet-4-6" })).toBe("accepted");
  });

  test("is accepted behind an answer that was cut before the next request", async () => {
    await using server = await AnthropicServer.start();
    const messages = [
      { role: "user", content: "Hello" },
      { role: "assistant", content: [{ type: "text", text: "Ye" }] },
      { role: "user", content: "What?" },
    ] as const;
    const content = await think(server, { messages });
    const response = await server.fetch(
      MESSAGES_URL,
      post({ ...TURN, model, messages: [...messages, { role: "assistant", content }, { role: "user", content: "And?" }] }),
    );
    expect(response.status).toBe(200);
  });
});
