// Any async generator of text is a model. Cancelling, sentence by sentence speech and the history come for free.
import { Browser, type LlmFunction, LocalSTT, LocalTTS, Patter, SileroVAD } from "getpatter";

// #region model
const parrot: LlmFunction = async function* parrot(messages) {
  const last = messages.findLast((message) => message.role === "user");
  yield "You said: ";
  yield last?.content ?? "nothing";
  yield ". What else?";
};
// #endregion

const phone = new Patter({ carrier: new Browser() });

const agent = phone.agent({
  vad: new SileroVAD(),
  stt: new LocalSTT(),
  llm: parrot,
  tts: new LocalTTS(),
  firstMessage: "Hello, I am a parrot. Say something.",
});

export default { phone, agent };
