/** A handshake as it came. */
export interface Handshake {
  readonly path: string;
  readonly query: URLSearchParams;
  readonly authorization: string | undefined;
}

/** Why a handshake is refused. */
export interface Refused {
  readonly status: number;
  readonly message?: string;
}

const SHARED = ["model", "encoding", "sample_rate", "keyterm", "mip_opt_out", "tag", "redact", "profanity_filter", "numerals"];
const NOVA_ONLY = [
  "callback",
  "callback_method",
  "channels",
  "detect_entities",
  "diarize",
  "diarize_model",
  "dictation",
  "endpointing",
  "extra",
  "interim_results",
  "keywords",
  "language",
  "multichannel",
  "punctuate",
  "replace",
  "search",
  "smart_format",
  "utterance_end_ms",
  "vad_events",
  "version",
];
const FLUX_ONLY = ["eager_eot_threshold", "eot_threshold", "eot_timeout_ms", "language_hint"];
const FLAGS = ["interim_results", "smart_format", "vad_events", "punctuate", "mip_opt_out", "numerals", "profanity_filter"];
const FLUX_MODELS = ["flux-general-en", "flux-general-multi"];
/** What this server can measure in ms. */
const ENCODINGS = ["linear16", "mulaw", "alaw"];

/** What Deepgram would not accept. `undefined`: it is welcome. */
export function refusalOf({ path, query, authorization }: Handshake, apiKey: string | undefined): Refused | undefined {
  if (path !== "/v1/listen" && path !== "/v2/listen") return { status: 404, message: "Not found." };
  if (!isAuthorized(authorization, apiKey)) return { status: 401 };
  const problem = path === "/v1/listen" ? novaProblem(query) : fluxProblem(query);
  return problem === undefined ? undefined : { status: 400, message: `Bad Request: ${problem}` };
}

function isAuthorized(authorization: string | undefined, apiKey: string | undefined): boolean {
  const [, key] = /^(?:Token|Bearer) +(\S+)$/i.exec(authorization ?? "") ?? [];
  return key !== undefined && (apiKey === undefined || key === apiKey);
}

function novaProblem(query: URLSearchParams): string | undefined {
  const model = query.get("model") ?? "";
  if (model === "" || FLUX_MODELS.includes(model)) return `the model "${model}" is not served here.`;
  if (query.has("keyterm") && !model.startsWith("nova-3")) return "keyterm is only available for Nova-3 models.";
  if (query.has("utterance_end_ms") && query.get("interim_results") !== "true")
    return "utterance_end_ms needs interim_results=true.";
  const endpointing = query.get("endpointing");
  if (endpointing !== null && !/^(?:true|false|\d+)$/.test(endpointing)) return "endpointing is a count of ms or false.";
  if (!/^\d*$/.test(query.get("utterance_end_ms") ?? "")) return "utterance_end_ms is a count of ms.";
  return sharedProblem(query, [...SHARED, ...NOVA_ONLY]);
}

function fluxProblem(query: URLSearchParams): string | undefined {
  const model = query.get("model") ?? "";
  if (!FLUX_MODELS.includes(model)) return `the model "${model}" is not served here.`;
  if (query.has("language_hint") && model !== "flux-general-multi")
    return "language_hint is only available for flux-general-multi.";
  const problem =
    outside(query, "eot_threshold", 0.5, 1) ??
    outside(query, "eager_eot_threshold", 0.3, 0.9) ??
    outside(query, "eot_timeout_ms", 500, 60_000);
  if (problem !== undefined) return problem;
  if (Number(query.get("eager_eot_threshold") ?? 0) > Number(query.get("eot_threshold") ?? 0.7))
    return "eager_eot_threshold may not exceed eot_threshold.";
  return sharedProblem(query, [...SHARED, ...FLUX_ONLY]);
}

function sharedProblem(query: URLSearchParams, known: readonly string[]): string | undefined {
  for (const [name, value] of query) {
    if (!known.includes(name)) return `there is no parameter "${name}".`;
    if (FLAGS.includes(name) && value !== "true" && value !== "false") return `${name} is true or false.`;
  }
  if (!ENCODINGS.includes(query.get("encoding") ?? "")) return `the encoding "${query.get("encoding")}" is not known.`;
  return /^[1-9]\d*$/.test(query.get("sample_rate") ?? "") ? undefined : "raw audio needs a sample_rate.";
}

function outside(query: URLSearchParams, name: string, least: number, most: number): string | undefined {
  const text = query.get(name);
  const value = Number(text);
  return text === null || (value >= least && value <= most) ? undefined : `${name} is a number from ${least} to ${most}.`;
}
