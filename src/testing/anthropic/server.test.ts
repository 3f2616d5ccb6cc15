import { expect, test } from "vitest";
import { AnthropicServer } from "./server.js";

const HEADERS = { "x-api-key": "test", "anthropic-version": "2023-06-01", "content-type": "application/json" };
const TURN = { model: "claude-haiku-4-5", max_tokens: 100, messages: [{ role: "user", content: "Hello" }], stream: true };

test("an answer in process and over a socket is the same stream", async () => {
  await using server = await AnthropicServer.start({ replies: ["We open at nine.", "We open at nine."] });
  const request = { method: "POST", headers: HEADERS, body: JSON.stringify(TURN) };
  const inProcess = await (await server.fetch("https://api.anthropic.com/v1/messages", request)).text();
  const overSocket = await (await fetch(`${server.url}/v1/messages`, request)).text();
  expect(overSocket.replaceAll("msg_000002", "msg_000001")).toBe(inProcess);
  expect(inProcess).toContain('"text":" at"');
  expect(server.connections).toBe(1);
  expect(server.requests.map(({ status, outcome, protocol }) => ({ status, outcome, protocol }))).toEqual([
    { status: 200, outcome: "complete", protocol: "in-process" },
    { status: 200, outcome: "complete", protocol: "HTTP/1.1" },
  ]);
});
