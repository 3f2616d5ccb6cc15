import { ConfigError } from "../core/errors.js";
import type { Agent } from "./agent.js";

/** Checks that an agent can hear and speak. @throws ConfigError that names what is missing. */
export function requireSpeech(agent: Agent): void {
  const missing = (["stt", "tts"] as const).filter((name) => agent[name] === undefined);
  if (missing.length > 0) throw new ConfigError(`A spoken call needs ${missing.join(" and ")}: pass it to phone.agent({ … }).`);
}

/** Loads the models an agent hears and speaks with. */
export async function prepareSpeech({ stt, tts, vad }: Agent, signal: AbortSignal): Promise<void> {
  await Promise.all([stt, tts, vad].map(async (provider) => provider?.prepare?.({ signal })));
}
