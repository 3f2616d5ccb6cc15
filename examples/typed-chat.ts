// A call without audio: the caller types. Run it with `npx tsx examples/typed-chat.ts`.
import { Browser, Patter } from "getpatter";

const phone = new Patter({ carrier: new Browser() });

await phone.test({
  agent: phone.agent({
    llm: async function* countdown(messages) {
      yield `That was message ${messages.filter((message) => message.role === "user").length}.`;
    },
    firstMessage: "Type something, or /quit.",
  }),
});
