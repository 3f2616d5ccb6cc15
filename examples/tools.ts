// A function that the model may call, its arguments typed and checked by a zod schema.
import { AnthropicLLM, Browser, endCallTool, LocalSTT, LocalTTS, Patter, SileroVAD, tool } from "getpatter";
import { z } from "zod";

const stock = new Map([
  ["hammer", 12],
  ["ladder", 0],
]);

// #region tool
const checkStock = tool({
  name: "check_stock",
  description: "Says how many pieces of an article are in the shop.",
  parameters: z.object({ article: z.string().describe("In the singular, such as hammer.") }),
  handler: async ({ article }) => ({ article, pieces: stock.get(article.toLowerCase()) ?? 0 }),
});
// #endregion

const phone = new Patter({ carrier: new Browser() });

const agent = phone.agent({
  vad: new SileroVAD(),
  stt: new LocalSTT(),
  llm: new AnthropicLLM(),
  tts: new LocalTTS(),
  systemPrompt:
    "You answer the phone of a hardware shop. Look up what is in stock; say goodbye and end the call when the caller is done.",
  firstMessage: "Hello, this is the hardware shop. What are you looking for?",
  tools: [checkStock, endCallTool()],
});

export default { phone, agent };
