// Your own code answers each turn: no model at all.
import { Browser, LocalSTT, LocalTTS, type Message, Patter, SileroVAD } from "getpatter";

const phone = new Patter({ carrier: new Browser() });

const agent = phone.agent({
  vad: new SileroVAD(),
  stt: new LocalSTT(),
  tts: new LocalTTS(),
  firstMessage: "Hello! Ask me for the opening hours or for the address.",
});

// #region on-message
function onMessage({ text, history }: Message): string {
  if (/hours|open|close/i.test(text)) return "We are open from nine to five.";
  if (/address|where/i.test(text)) return "We are at twelve Harbour Street.";
  return history.length > 4 ? "I am only a small program. Please call again tomorrow." : "Do you want the hours or the address?";
}
// #endregion

export default { phone, agent, onMessage };
