import { isRecord, parseJson } from "../../core/json.js";

/** How a response ended: `complete`; `refused` with an error; `cut` by the server; `aborted` by the client. */
export type ElevenLabsOutcome = "complete" | "refused" | "cut" | "aborted";

/** One HTTP request that the server received. */
export interface ElevenLabsRequest {
  readonly method: string;
  /** Path and query. */
  readonly path: string;
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string>>;
  /** Of speech: the request as it came. */
  readonly body: Readonly<Record<string, unknown>>;
  /** When it came, by the server's clock. */
  readonly atMs: number;
  /** `undefined` while the response is going on. */
  readonly outcome: ElevenLabsOutcome | undefined;
  /** The audio that was sent, in ms. */
  readonly sentMs: number;
}

interface BodyProblem {
  readonly loc: readonly string[];
  readonly msg: string;
  readonly type: string;
}

const KINDS: Readonly<Record<string, (value: unknown) => boolean>> = {
  text: (value) => typeof value === "string",
  model_id: (value) => typeof value === "string",
  language_code: (value) => value === null || typeof value === "string",
  previous_text: (value) => value === null || typeof value === "string",
  next_text: (value) => value === null || typeof value === "string",
  seed: (value) => value === null || Number.isInteger(value),
  apply_text_normalization: (value) => value === "auto" || value === "on" || value === "off",
  voice_settings: (value) => value === null || isRecord(value),
};

const RANGES: Readonly<Record<string, readonly [number, number]>> = {
  stability: [0, 1],
  similarity_boost: [0, 1],
  style: [0, 1],
  speed: [0.7, 1.2],
};

/** The body of a request for speech, or what is wrong with it. */
export function speechBody(bodyText: string): {
  readonly body: Readonly<Record<string, unknown>>;
  readonly problems: BodyProblem[];
} {
  const body = parseJson(bodyText);
  if (!isRecord(body)) return { body: {}, problems: [{ loc: ["body"], msg: "JSON decode error", type: "json_invalid" }] };
  const problems: BodyProblem[] = [];
  if (body["text"] === undefined) problems.push({ loc: ["body", "text"], msg: "Field required", type: "missing" });
  for (const [name, value] of Object.entries(body)) {
    const fits = KINDS[name];
    if (fits === undefined)
      problems.push({ loc: ["body", name], msg: "Extra inputs are not permitted", type: "extra_forbidden" });
    else if (!fits(value)) problems.push({ loc: ["body", name], msg: "Input has the wrong type", type: "type_error" });
  }
  return { body, problems: [...problems, ...voiceSettingsProblems(body["voice_settings"])] };
}

/** What is wrong with a request's voice settings. */
export function voiceSettingsProblems(settings: unknown): BodyProblem[] {
  if (!isRecord(settings)) return [];
  return Object.entries(settings).flatMap(([name, value]) => {
    const loc = ["body", "voice_settings", name];
    if (name === "use_speaker_boost")
      return typeof value === "boolean" ? [] : [{ loc, msg: "Input should be a valid boolean", type: "bool_type" }];
    const range = RANGES[name];
    if (range === undefined) return [{ loc, msg: "Extra inputs are not permitted", type: "extra_forbidden" }];
    const fits = typeof value === "number" && value >= range[0] && value <= range[1];
    return fits ? [] : [{ loc, msg: `Input should be from ${range[0]} to ${range[1]}`, type: "value_error" }];
  });
}
