import { ProviderError } from "../../core/errors.js";
import { credential } from "../../provider-kit/credentials.js";
import { parseUrl } from "../../provider-kit/http.js";
import { DEFAULT_MODEL, retiredModel } from "./models.js";
import { type AnthropicLLMOptions, CLASS_NAME } from "./options.js";

const DEFAULT_BASE_URL = "https://api.anthropic.com";
const DEFAULT_VERSION = "2023-06-01";
/** Long since part of the API; sent for the same behaviour with every snapshot of a model. */
const CACHING_BETA = "prompt-caching-2024-07-31";

/** A host as people write it: a name with a dot in it, or any host with a port; a path may follow. */
const HOST = /^(?<name>\[[\da-f:.]+\]|[\w-]+(?:\.[\w-]+)+|localhost|[\w-]+(?=:\d))(?::\d+)?(?:[/?].*)?$/i;
const THIS_MACHINE = /^(localhost|127(\.\d+){3}|\[::1\])$/i;

/** The URL of the Messages endpoint. @throws ConfigError for what is neither a URL nor a host. */
export function messagesUrl({ baseUrl = DEFAULT_BASE_URL }: AnthropicLLMOptions): string {
  const url = parseUrl(CLASS_NAME, "baseUrl", withScheme(baseUrl.trim()));
  const path = url.pathname.replace(/\/+$/, "");
  if (path.endsWith("/messages")) url.pathname = path;
  else url.pathname = path.endsWith("/v1") ? `${path}/messages` : `${path}/v1/messages`;
  return url.href;
}

function withScheme(address: string): string {
  const host = HOST.exec(address)?.groups?.["name"];
  if (host === undefined) return address;
  return `${THIS_MACHINE.test(host) ? "http" : "https"}://${address}`;
}

/** A URL beside the Messages endpoint whose answer is small and free. */
export function modelsUrl(messages: string): string {
  const url = new URL(messages);
  url.pathname = url.pathname.replace(/\/messages$/, "/models");
  url.searchParams.set("limit", "1");
  return url.href;
}

/** The headers of every request. @throws ConfigError without a credential. */
export function requestHeaders(options: AnthropicLLMOptions): Readonly<Record<string, string>> {
  const { betas = options.promptCaching === false ? [] : [CACHING_BETA], headers = {} } = options;
  const own = Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value] as const);
  return {
    ...authorization(options),
    "anthropic-version": options.anthropicVersion ?? DEFAULT_VERSION,
    "content-type": "application/json",
    ...(betas.length === 0 ? {} : { "anthropic-beta": betas.join(",") }),
    ...Object.fromEntries(own),
  };
}

function authorization({ apiKey, authToken }: AnthropicLLMOptions): Readonly<Record<string, string>> {
  if (authToken !== undefined) return { authorization: `Bearer ${authToken.trim()}` };
  const key = credential({
    provider: CLASS_NAME,
    option: "apiKey",
    alternative: "authToken",
    env: "ANTHROPIC_API_KEY",
    value: apiKey,
  });
  return { "x-api-key": key };
}

/** Says more about the vendor's error, which came at `epochMs`, where the model's name is at fault. */
export function explained(error: ProviderError, model: string, epochMs: number): ProviderError {
  if (error.status !== 404 || error.vendorCode !== "not_found_error") return error;
  const { provider, status, vendorCode, requestId } = error;
  const message = retirementMessage(model, new Date(epochMs).toISOString()) ?? `${error.message} ${spellingHint(model)}`;
  return new ProviderError(message, { provider, status, vendorCode, requestId, cause: error });
}

/** Dates in this form stand in the order of time. */
function retirementMessage(model: string, now: string): string | undefined {
  const retirement = retiredModel(model);
  if (retirement === undefined) return undefined;
  const { date, successor } = retirement;
  const fate = now < date ? `was not found; the vendor retires it on ${date}` : `the vendor retired on ${date}`;
  return `${CLASS_NAME} asked for ${model}, which ${fate}. Pass { model: "${successor}" }.`;
}

function spellingHint(model: string): string {
  return `Check { model: ${JSON.stringify(model)} } for a typing error; the default is "${DEFAULT_MODEL}".`;
}
