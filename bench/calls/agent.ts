/** The program under test: a telephone agent as the README has it. */
import { Patter } from "../../src/index.js";
import { Twilio } from "../../src/carriers/twilio.js";
import type { Call } from "../../src/core/call.js";
import type { CallEvent } from "../../src/core/call-event.js";
import { silentLogger } from "../../src/core/logger.js";
import { AnthropicLLM } from "../../src/llm/anthropic.js";
import { turnLatencies } from "../../src/observe/latency.js";
import { DeepgramSTT } from "../../src/stt/deepgram.js";
import { ElevenLabsWebSocketTTS } from "../../src/tts/elevenlabs.js";
import { CLAUDE_MODEL, FLUX_MODEL, NUMBER, PUBLIC_URL, SYSTEM_PROMPT } from "./conversation.js";
import { type OwnTimes, serveSubject, settings } from "./subject.js";

const { vendors, account } = settings();
const times: OwnTimes = { overheadMs: [], modelMs: [], voiceMs: [], clearMs: [] };
const running = new Set<CallEvent[]>();

const phone = new Patter({ carrier: new Twilio(account), phoneNumber: NUMBER, logger: silentLogger });
const agent = phone.agent({
  stt: new DeepgramSTT({ apiKey: "bench", baseUrl: vendors.deepgram, model: FLUX_MODEL }),
  llm: new AnthropicLLM({ apiKey: "bench", baseUrl: vendors.anthropic, model: CLAUDE_MODEL, promptCaching: false }),
  tts: ElevenLabsWebSocketTTS.forTwilio({ apiKey: "bench", baseUrl: vendors.elevenLabs }),
  systemPrompt: SYSTEM_PROMPT,
});
await phone.serve({
  agent,
  port: 0,
  webhookUrl: PUBLIC_URL,
  manageWebhook: false,
  onCallStart: (call) => {
    void follow(call);
  },
});
serveSubject(await phone.ready, times, () => {
  for (const events of running) collect(events);
});

/** Keeps a call's events while it runs. Those of a call that was not asked about go with it. */
async function follow(call: Call): Promise<void> {
  const events: CallEvent[] = [];
  running.add(events);
  for await (const event of call.events) events.push(event);
  running.delete(events);
}

function collect(events: readonly CallEvent[]): void {
  for (const { overheadMs, llmFirstTokenMs, ttsFirstAudioMs } of turnLatencies(events)) {
    if (overheadMs !== undefined) times.overheadMs.push(overheadMs);
    if (llmFirstTokenMs !== undefined) times.modelMs.push(llmFirstTokenMs);
    if (ttsFirstAudioMs !== undefined) times.voiceMs.push(ttsFirstAudioMs);
  }
  let wordsMs = 0;
  let isInterrupted = false;
  for (const { type, atMs } of events) {
    if (type === "transcript_partial" && !isInterrupted) wordsMs = atMs;
    if (type === "barge_in") isInterrupted = true;
    // It comes once `clear` is on the wire.
    if (type !== "reply_ended" || !isInterrupted) continue;
    times.clearMs.push(atMs - wordsMs);
    isInterrupted = false;
  }
}
