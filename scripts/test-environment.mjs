/** Whose variables may carry a key or an address: a test that read one would depend on the machine, or cost money. */
const VENDORS =
  /^(ANTHROPIC|ASSEMBLYAI|CARTESIA|CEREBRAS|DEEPGRAM|ELEVENLABS|GEMINI|GOOGLE|GROQ|INWORLD|LMNT|OLLAMA|OPENAI|PATTER|PLIVO|RIME|SONIOX|SPEECHMATICS|TELNYX|TWILIO)_/;

/** Makes tests independent of whose machine they run on: no credentials, no model found on localhost. */
export function isolateEnvironment(env) {
  for (const name of Object.keys(env)) if (VENDORS.test(name)) delete env[name];
  env.GETPATTER_PROBE_LOCAL_MODELS = "0";
}
