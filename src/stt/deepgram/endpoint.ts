import type { AudioFormat } from "../../core/audio-frame.js";
import { ConfigError } from "../../core/errors.js";
import { credential } from "../../provider-kit/credentials.js";
import { parseUrl } from "../../provider-kit/http.js";
import { CLASS_NAME, DEFAULT_MODEL, type DeepgramSTTOptions, isFlux } from "./options.js";

const DEFAULT_BASE_URL = "https://api.deepgram.com";
const DEFAULT_ENDPOINTING_MS = 150;
const DEFAULT_UTTERANCE_END_MS = 1000;

/** The socket's URL without its query. @throws ConfigError for a `baseUrl` that is no URL. */
export function listenUrl({ baseUrl = DEFAULT_BASE_URL, model = DEFAULT_MODEL }: DeepgramSTTOptions): string {
  const url = parseUrl(CLASS_NAME, "baseUrl", baseUrl.replace(/^ws(?=s?:)/, "http"));
  const path = url.pathname.replace(/\/+$/, "");
  return `${url.protocol === "https:" ? "wss:" : "ws:"}//${url.host}${path}/${isFlux(model) ? "v2" : "v1"}/listen`;
}

/** The headers of every handshake. @throws ConfigError without a credential. */
export function handshakeHeaders({ apiKey, headers = {} }: DeepgramSTTOptions): Readonly<Record<string, string>> {
  const key = credential({ provider: CLASS_NAME, option: "apiKey", env: "DEEPGRAM_API_KEY", value: apiKey });
  const own = Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value] as const);
  return { authorization: `Token ${key}`, ...Object.fromEntries(own) };
}

/** The query for one call. @throws ConfigError for a language that the model does not know. */
export function listenQuery(
  options: DeepgramSTTOptions,
  call: { readonly language: string; readonly format: AudioFormat },
): string {
  const { model = DEFAULT_MODEL, keyterms = [], language = call.language } = options;
  const query = new URLSearchParams({
    model,
    encoding: call.format.encoding === "pcm16" ? "linear16" : call.format.encoding,
    sample_rate: String(call.format.sampleRate),
    ...(isFlux(model) ? fluxParameters(options, model, language) : novaParameters(options, language)),
  });
  for (const keyterm of keyterms) query.append("keyterm", keyterm);
  return query.toString();
}

function novaParameters(options: DeepgramSTTOptions, language: string): Record<string, string> {
  const { interimResults = true, smartFormat = true, vadEvents = true, endpointingMs = DEFAULT_ENDPOINTING_MS } = options;
  const { utteranceEndMs = interimResults ? DEFAULT_UTTERANCE_END_MS : null } = options;
  return {
    language,
    endpointing: String(endpointingMs),
    interim_results: String(interimResults),
    smart_format: String(smartFormat),
    vad_events: String(vadEvents),
    ...(utteranceEndMs === null ? {} : { utterance_end_ms: String(utteranceEndMs) }),
  };
}

function fluxParameters(options: DeepgramSTTOptions, model: string, language: string): Record<string, string> {
  const [primary = ""] = language.toLowerCase().split("-");
  const isEnglishOnly = model.endsWith("-en");
  if (isEnglishOnly && primary !== "en")
    throw new ConfigError(
      `${model} knows English and the call is in ${JSON.stringify(language)}: use { model: "flux-general-multi" }.`,
    );
  const { endOfTurnThreshold, eagerEndOfTurnThreshold, endOfTurnTimeoutMs } = options;
  return {
    ...(isEnglishOnly || primary === "multi" ? {} : { language_hint: primary }),
    ...(endOfTurnThreshold === undefined ? {} : { eot_threshold: String(endOfTurnThreshold) }),
    ...(eagerEndOfTurnThreshold === undefined ? {} : { eager_eot_threshold: String(eagerEndOfTurnThreshold) }),
    ...(endOfTurnTimeoutMs === undefined ? {} : { eot_timeout_ms: String(endOfTurnTimeoutMs) }),
  };
}

/** Whether silence of this length ends a turn, and not only a segment. */
export function endsTurn({ endpointingMs = DEFAULT_ENDPOINTING_MS }: DeepgramSTTOptions): boolean {
  return endpointingMs !== false && endpointingMs >= 300;
}
