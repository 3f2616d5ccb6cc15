import { PassThrough } from "node:stream";
import { expect, test } from "vitest";
import type { CallEventBody } from "../core/call-event.js";
import { CallLog } from "./call-log.js";
import { Output } from "./output.js";

type Timed = readonly [atMs: number, body: CallEventBody];

const ASKED: readonly Timed[] = [
  [1400, { type: "turn_committed", transcript: "A table.", reason: "silence", speechEndedAtMs: 1000 }],
  [1405, { type: "reply_started", reply: 1, source: "llm" }],
  [1410, { type: "llm_requested", reply: 1, provider: "test", model: "test", messages: 2 }],
];
const TOKEN: CallEventBody = { type: "llm_first_token", reply: 1 };

function spoken(atMs: number, isHold = false): Timed[] {
  const ended = { reply: 1, reason: "completed", text: "Hm.", heard: "Hm.", isEstimated: false, audioMs: 500 } as const;
  return [
    [atMs, { type: "sentence_ready", reply: 1, text: "Hm.", ...(isHold && { isHold: true }) }],
    [atMs + 100, { type: "tts_first_audio", reply: 1 }],
    [atMs + 120, { type: "playout_started", reply: 1 }],
    [atMs + 9000, { type: "reply_ended", ...ended }],
  ];
}

/** The last line that a log of these events prints. */
function lastLine(...events: readonly Timed[]): string | undefined {
  const lines: string[] = [];
  const stream = new PassThrough().on("data", (chunk: Buffer) => lines.push(...chunk.toString().trim().split("\n")));
  const log = new CallLog(new Output(stream));
  const ordered = events.toSorted(([a], [b]) => a - b);
  for (const [sequence, [atMs, body]] of ordered.entries()) log.show({ ...body, atMs, callId: "call", sequence, turn: 1 });
  return lines.at(-1)?.trim();
}

test("an answer shows where its time went", () => {
  expect(lastLine(...ASKED, [1460, TOKEN], ...spoken(1470))).toBe("after 590 ms: endpointing 400, model 50, voice 100, rest 40");
});

test("an answer behind the hold line shows what the caller waited for, and nothing below zero", () => {
  expect(lastLine(...ASKED, [9000, TOKEN], ...spoken(3400, true))).toBe(
    "after 2520 ms, with the hold line: endpointing 400, voice 100",
  );
});

test("the time of a tool is not called the rest", () => {
  const tool: Timed = [1500, { type: "tool_started", reply: 1, toolCallId: "c1", name: "book", arguments: {} }];
  expect(lastLine(...ASKED, [1460, TOKEN], tool, ...spoken(2600))).toBe("after 1720 ms: endpointing 400, model 50, voice 100");
});

const USED: Timed = [
  1480,
  {
    type: "llm_usage",
    reply: 1,
    provider: "anthropic",
    model: "claude-haiku-4-5",
    usage: { inputTokens: 1000, outputTokens: 100, cacheReadTokens: 9000 },
  },
];

test("an answer shows what it cost and how much of its prompt came from the cache", () => {
  expect(lastLine(...ASKED, [1460, TOKEN], USED, ...spoken(1470))).toBe(
    "after 590 ms: endpointing 400, model 50, voice 100, rest 40; 90 % cached, $0.0024",
  );
});

test("a call ends with what its model cost", () => {
  const ended: Timed = [12_000, { type: "call_ended", reason: "caller_hung_up", durationMs: 12_000, endedAt: 0 }];
  expect(lastLine(USED, ended)).toBe("Cost of the model: $0.0024. Prompts read from its cache: 90 %.");
  expect(lastLine(ended)).toBe("The call ended after 0:12: the caller hung up.");
});
