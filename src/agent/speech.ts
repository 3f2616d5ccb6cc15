import { ConfigError } from "../core/errors.js";
import type { Agent } from "./agent.js";

/** Checks that an agent can hear and speak. @throws ConfigError that names what is missing. */
export function requireSpeech(agent: Agent): void {
  const missing = (["stt", "tts"] as const).filter((name) => agent[name] === undefined);
  const them = missing.length === 1 ? "it" : "them";
  if (missing.length > 0)
    throw new ConfigError(`A spoken call needs ${missing.join(" and ")}: pass ${them} to phone.agent({ … }).`);
}

/** Loads the models an agent hears and speaks with. @throws ConfigError that names all that is missing. */
export async function prepareSpeech({ stt, tts, vad }: Agent, signal: AbortSignal): Promise<void> {
  const found = await Promise.all([stt, tts, vad].map((provider) => configProblem(provider, signal)));
  const problems = found.filter((problem) => problem !== undefined);
  const [first] = problems;
  if (first === undefined) return;
  const messages = new Set(problems.map(({ message }) => message));
  throw messages.size === 1 ? first : new ConfigError([...messages].join(" "), { cause: first });
}

async function configProblem(provider: Agent["stt" | "tts" | "vad"], signal: AbortSignal): Promise<ConfigError | undefined> {
  try {
    await provider?.prepare?.({ signal });
    return undefined;
  } catch (error) {
    if (error instanceof ConfigError) return error;
    throw error;
  }
}
