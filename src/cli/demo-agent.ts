import type { AgentOptions } from "../agent/agent.js";
import { endCallTool } from "../agent/call-tools.js";
import { systemClock } from "../core/clock.js";
import type { LLM } from "../core/llm.js";
import { restaurantGreeting, restaurantPrompt, restaurantScript, restaurantTools } from "./restaurant/restaurant.js";

/** What the demo thinks with, and how it says so. */
export interface DemoModel {
  readonly llm: LLM;
  /** In words for a person, honest about what it is. */
  readonly description: string;
}

/** The best model at hand: Claude with a key, else a model server on this machine, else a script. */
export async function demoModel(env: NodeJS.ProcessEnv): Promise<DemoModel> {
  if ((env["ANTHROPIC_API_KEY"] ?? "").trim() !== "") {
    const { AnthropicLLM } = await import("../llm/anthropic.js");
    const llm = new AnthropicLLM();
    return { llm, description: `Claude (${llm.model})` };
  }
  const { findLocalModel, OpenAICompatibleLLM } = await import("../llm/openai-compatible.js");
  const local = env["GETPATTER_PROBE_LOCAL_MODELS"] === "0" ? undefined : await findLocalModel();
  if (local !== undefined) return { llm: new OpenAICompatibleLLM(local), description: `${local.model} at ${local.baseUrl}` };
  const { ScriptedLLM } = await import("../llm/scripted.js");
  return {
    llm: new ScriptedLLM({ script: restaurantScript({ clock: systemClock }) }),
    description: "a script, no model: it understands bookings only. Set ANTHROPIC_API_KEY for Claude",
  };
}

/** The restaurant, whatever it hears and speaks with. Its bookings are in `tables.json` in `folder`. */
export function restaurantAgent({ llm }: DemoModel, folder: string): AgentOptions {
  return {
    llm,
    systemPrompt: restaurantPrompt,
    firstMessage: restaurantGreeting,
    tools: [...restaurantTools({ clock: systemClock, folder }), endCallTool()],
  };
}

/** The restaurant with the speech of this machine. */
export async function spokenRestaurant(model: DemoModel, folder: string): Promise<AgentOptions> {
  const [{ SileroVAD }, { LocalSTT }, { LocalTTS }] = await Promise.all([
    import("../vad/silero.js"),
    import("../stt/local.js"),
    import("../tts/local.js"),
  ]);
  return { ...restaurantAgent(model, folder), vad: new SileroVAD(), stt: new LocalSTT(), tts: new LocalTTS() };
}
