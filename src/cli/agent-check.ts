import { systemClock } from "../core/clock.js";
import { errorMessage } from "../core/errors.js";
import type { LLM } from "../core/llm.js";
import { modelRules } from "../llm/anthropic/models.js";
import { type AgentFile, closeModel, loadAgentFile } from "./agent-file.js";
import type { CommandContext } from "./command.js";
import { Failure, isForTheUser } from "./failure.js";
import { fail, type Finding, ok, warn } from "./findings.js";

/** Loads an agent's file, as `serve` does, and looks at the model that the agent asks. Nothing is sent to it. */
export async function checkAgent(file: string, context: CommandContext): Promise<Finding> {
  let loaded: AgentFile;
  try {
    loaded = await loadAgentFile(file, context);
  } catch (error) {
    if (!isForTheUser(error)) throw error;
    return fail(error instanceof Failure ? error.message : `${file}: ${errorMessage(error)}`);
  }
  const { agent, onMessage } = loaded;
  await closeModel(agent);
  if (agent.llm !== undefined) return checkModel(file, agent.llm, systemClock.epochMs());
  return onMessage === undefined
    ? fail(`${file}: the agent has neither llm nor onMessage, so nothing can answer: give it one.`)
    : ok(`${file}: answers by itself, without a model`);
}

/** What is known of the model that an agent asks, at a time in ms since 1970. */
export function checkModel(file: string, { provider, model }: Pick<LLM, "provider" | "model">, nowMs: number): Finding {
  if (provider !== "anthropic") return ok(`${file}: asks ${model} (${provider})`);
  const rules = modelRules(model);
  if (rules === undefined)
    return warn(`${file}: asks ${model}, which is not known here: it gets every option as it is, and what it costs is unknown`);
  const { cacheMinTokens, retired } = rules;
  if (retired === undefined) return ok(`${file}: asks ${model}, which caches prompts of ${cacheMinTokens} tokens or more`);
  const { date, successor } = retired;
  const remedy = `set new AnthropicLLM({ model: "${successor}" })`;
  const isOver = nowMs >= Date.parse(date);
  return isOver
    ? fail(`${file}: asks ${model}, which its vendor retired on ${date}: ${remedy}`)
    : warn(`${file}: asks ${model}, which its vendor retires on ${date}: ${remedy} before then`);
}
