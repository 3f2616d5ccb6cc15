// What a program hears of its calls, and what it can do to them.
import { Browser, type Call, type CallEnd, LocalSTT, LocalTTS, Patter, SileroVAD, type Transcript } from "getpatter";

const phone = new Patter({ carrier: new Browser() });

const agent = phone.agent({
  vad: new SileroVAD(),
  stt: new LocalSTT(),
  llm: async function* answers() {
    yield "I see. Go on.";
  },
  tts: new LocalTTS(),
  firstMessage: "Hello, I am listening.",
});

// #region callbacks
function onCallStart(call: Call): void {
  console.log(`${call.from} calls ${call.to}`);
  void hangUpOnGoodbye(call);
}

async function hangUpOnGoodbye(call: Call): Promise<void> {
  for await (const event of call.events) {
    if (event.type === "turn_committed" && /goodbye/i.test(event.transcript)) await call.hangUp({ when: "after_reply" });
  }
}

function onTranscript({ role, text }: Transcript): void {
  console.log(`${role}: ${text}`);
}

function onCallEnd({ endReason, turns, transcript }: CallEnd): void {
  console.log(`ended: ${endReason}, ${transcript.length} lines, ${turns.length} answers`);
}
// #endregion

export default { phone, agent, onCallStart, onTranscript, onCallEnd };
