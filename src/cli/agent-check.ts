import type { Agent } from "../agent/agent.js";
import { systemClock } from "../core/clock.js";
import { errorMessage } from "../core/errors.js";
import type { LLM } from "../core/llm.js";
import type { STT } from "../core/stt.js";
import type { TTS } from "../core/tts.js";
import type { VAD } from "../core/vad.js";
import { modelRules } from "../llm/anthropic/models.js";
import { Pricing } from "../observe/pricing.js";
import { type AgentFile, closeModel, loadAgentFile } from "./agent-file.js";
import type { CommandContext } from "./command.js";
import { Failure, isForTheUser } from "./failure.js";
import { fail, type Finding, ok, warn } from "./findings.js";

/** Vendors' speech is not tried: nothing is sent. */
const ON_THIS_MACHINE = ["local", "silero"];

/** Loads an agent's file, as `serve` does, and looks at the models that the agent asks, hears and speaks with. Nothing is sent. */
export async function checkAgent(file: string, context: CommandContext): Promise<Finding[]> {
  let loaded: AgentFile;
  try {
    loaded = await loadAgentFile(file, context);
  } catch (error) {
    if (!isForTheUser(error)) throw error;
    return [fail(error instanceof Failure ? error.message : `${file}: ${errorMessage(error)}`)];
  }
  const speech = await checkSpeech(file, loaded.agent);
  await closeModel(loaded.agent);
  return [answers(file, loaded), ...speech];
}

function answers(file: string, { agent, onMessage, pricing }: AgentFile): Finding {
  if (agent.llm !== undefined) return checkModel(file, agent.llm, systemClock.epochMs(), new Pricing(pricing));
  return onMessage === undefined
    ? fail(`${file}: the agent has neither llm nor onMessage, so nothing can answer: give it one.`)
    : ok(`${file}: answers by itself, without a model`);
}

/** Loads what the agent hears and speaks with on this machine, as `serve` would. */
async function checkSpeech(file: string, { stt, tts, vad }: Agent): Promise<Finding[]> {
  if (stt === undefined || tts === undefined)
    return [warn(`${file}: for spoken calls the agent lacks ${stt ? "tts" : tts ? "stt" : "stt and tts"}; it can be typed with`)];
  const loaded = [stt, tts, vad].filter((each) => each !== undefined && ON_THIS_MACHINE.includes(each.provider));
  const problems = await Promise.all(loaded.map(loadProblem));
  const failures = [...new Set(problems)]
    .filter((problem) => problem !== undefined)
    .map((problem) => fail(`${file}: ${problem}`));
  if (failures.length > 0 || loaded.length === 0) return failures;
  return [ok(`${file}: its local speech loads`)];
}

async function loadProblem(provider: STT | TTS | VAD | undefined): Promise<string | undefined> {
  try {
    await provider?.prepare?.({ signal: new AbortController().signal });
    return undefined;
  } catch (error) {
    if (!isForTheUser(error)) throw error;
    return errorMessage(error);
  } finally {
    if (provider !== undefined && Symbol.asyncDispose in provider) await (provider as AsyncDisposable)[Symbol.asyncDispose]();
  }
}

/** What is known of the model that an agent asks, at a time in ms since 1970. */
export function checkModel(
  file: string,
  { provider, model }: Pick<LLM, "provider" | "model">,
  nowMs: number,
  pricing = new Pricing(),
): Finding {
  if (provider !== "anthropic") return ok(`${file}: asks ${model} (${provider})`);
  const rules = modelRules(model);
  if (rules === undefined)
    return warn(`${file}: asks ${model}, which is not known here: it gets every option as it is, and what it costs is unknown`);
  const { cacheMinTokens, retired } = rules;
  if (retired === undefined) {
    const what = `${file}: asks ${model}, which caches prompts of ${cacheMinTokens} tokens or more`;
    if (pricing.priceOf(provider, model) !== undefined) return ok(what);
    return warn(`${what}. What it costs is unknown: export pricing beside the agent`);
  }
  const { date, successor } = retired;
  const remedy = `set new AnthropicLLM({ model: "${successor}" })`;
  const isOver = nowMs >= Date.parse(date);
  return isOver
    ? fail(`${file}: asks ${model}, which its vendor retired on ${date}: ${remedy}`)
    : warn(`${file}: asks ${model}, which its vendor retires on ${date}: ${remedy} before then`);
}
