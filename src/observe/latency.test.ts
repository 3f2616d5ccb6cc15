import { describe, expect, test } from "vitest";
import type { CallEvent, CallEventBody } from "../core/call-event.js";
import { type TurnLatency, turnLatencies } from "./latency.js";

type Timed = readonly [atMs: number, body: CallEventBody];

const NAMES = { reply: 1, provider: "test", model: "test" } as const;
const ASKED: readonly Timed[] = [
  [1400, { type: "turn_committed", transcript: "A table.", reason: "silence", speechEndedAtMs: 1000 }],
  [1405, { type: "reply_started", reply: 1, source: "llm" }],
  [1410, { type: "llm_requested", ...NAMES, messages: 2 }],
];
const TOOL: readonly Timed[] = [
  [1500, { type: "tool_started", reply: 1, toolCallId: "c1", name: "book", arguments: {} }],
  [2500, { type: "tool_ended", reply: 1, toolCallId: "c1", name: "book", result: "", isError: false, durationMs: 1000 }],
];

/** A reply that is spoken from `atMs` on. */
function spoken(atMs: number, isHold = false): Timed[] {
  return [
    [atMs, { type: "sentence_ready", reply: 1, text: "Hm.", ...(isHold && { isHold: true }) }],
    [atMs + 100, { type: "tts_first_audio", reply: 1 }],
    [atMs + 120, { type: "playout_started", reply: 1 }],
  ];
}

function latencyOf(...events: readonly Timed[]): TurnLatency | undefined {
  const stream = events.map(([atMs, body], sequence): CallEvent => ({ ...body, atMs, callId: "call", sequence, turn: 1 }));
  return turnLatencies(stream)[0];
}

describe("the latency of a turn", () => {
  test("is split into endpointing, model, voice and the rest", () => {
    expect(latencyOf(...ASKED, [1460, { type: "llm_first_token", reply: 1 }], ...spoken(1470))).toEqual({
      turn: 1,
      reply: 1,
      endpointingMs: 400,
      llmFirstTokenMs: 50,
      ttsFirstAudioMs: 100,
      overheadMs: 40,
      voiceToVoiceMs: 590,
    });
  });

  test("ends at the hold line where one was said, and says so, with nothing split off from it", () => {
    expect(latencyOf(...ASKED, ...spoken(3400, true), [9000, { type: "llm_first_token", reply: 1 }])).toEqual({
      turn: 1,
      reply: 1,
      endpointingMs: 400,
      llmFirstTokenMs: 7590,
      ttsFirstAudioMs: 100,
      voiceToVoiceMs: 2520,
      wasHeld: true,
    });
  });

  test("has no overhead where a tool ran before the first sentence", () => {
    const latency = latencyOf(...ASKED, [1460, { type: "llm_first_token", reply: 1 }], ...TOOL, ...spoken(2600));
    expect(latency).toMatchObject({ llmFirstTokenMs: 50, voiceToVoiceMs: 1720 });
    expect(latency).not.toHaveProperty("overheadMs");
    expect(latency).not.toHaveProperty("wasHeld");
  });

  test("has no overhead where a tool's own words come first", () => {
    const [started] = TOOL;
    const latency = latencyOf(
      ...ASKED,
      [1460, { type: "llm_first_token", reply: 1 }],
      ...(started ? [started] : []),
      ...spoken(2000),
    );
    expect(latency).not.toHaveProperty("overheadMs");
  });

  test("is not changed by a tool that runs behind the first sentence", () => {
    const token: Timed = [1460, { type: "llm_first_token", reply: 1 }];
    expect(latencyOf(...ASKED, token, ...spoken(1470), ...TOOL)).toMatchObject({ overheadMs: 40, voiceToVoiceMs: 590 });
  });
});
