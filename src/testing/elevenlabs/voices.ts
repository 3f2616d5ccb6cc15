/** A voice as `GET /v1/voices` lists it. */
export interface ElevenLabsVoice {
  readonly voice_id: string;
  readonly name: string;
  readonly category?: string;
}

/** The voices of an account that has added none. */
export const TEST_VOICES: readonly ElevenLabsVoice[] = [
  { voice_id: "EXAVITQu4vr4xnSDxMaL", name: "Sarah", category: "premade" },
  { voice_id: "21m00Tcm4TlvDq8ikWAM", name: "Rachel", category: "premade" },
  { voice_id: "JBFqnCBsd6RMkjVDRZzb", name: "George", category: "premade" },
];
