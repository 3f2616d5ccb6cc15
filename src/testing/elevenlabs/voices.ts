/** A voice as `GET /v1/voices` lists it. */
export interface ElevenLabsVoice {
  readonly voice_id: string;
  readonly name: string;
  readonly category?: string;
}

/** The voices of an account that has added none, and Rachel, which older accounts have kept. */
export const TEST_VOICES: readonly ElevenLabsVoice[] = [
  premade("CwhRBWXzGAHq8TQ4Fs17", "Roger"),
  premade("EXAVITQu4vr4xnSDxMaL", "Sarah"),
  premade("FGY2WhTYpPnrIDTdsKH5", "Laura"),
  premade("IKne3meq5aSn9XLyUdCD", "Charlie"),
  premade("JBFqnCBsd6RMkjVDRZzb", "George"),
  premade("N2lVS1w4EtoT3dr4eOWO", "Callum"),
  premade("SAz9YHcvj6GT2YYXdXww", "River"),
  premade("SOYHLrjzK2X1ezoPC6cr", "Harry"),
  premade("TX3LPaxmHKxFdv7VOQHJ", "Liam"),
  premade("Xb7hH8MSUJpSbSDYk0k2", "Alice"),
  premade("XrExE9yKIg1WjnnlVkGX", "Matilda"),
  premade("bIHbv24MWmeRgasZH58o", "Will"),
  premade("cgSgspJ2msm6clMCkdW9", "Jessica"),
  premade("cjVigY5qzO86Huf0OWal", "Eric"),
  premade("hpp4J3VqNfWAUOO0d1Us", "Bella"),
  premade("iP95p4xoKVk53GoZ742B", "Chris"),
  premade("nPczCjzI2devNBz1zQrb", "Brian"),
  premade("onwK4e9ZLuTAKqWW03F9", "Daniel"),
  premade("pFZP5JQG7iQjIQuC4Bku", "Lily"),
  premade("pNInz6obpgDQGcFmaJgB", "Adam"),
  premade("pqHfZKP75CvOlQylNhV4", "Bill"),
  premade("21m00Tcm4TlvDq8ikWAM", "Rachel"),
];

function premade(id: string, name: string): ElevenLabsVoice {
  return { voice_id: id, name, category: "premade" };
}
