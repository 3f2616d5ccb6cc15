import { afterEach, expect, test, vi } from "vitest";
import { AuthenticationError, ConfigError, ProviderError } from "../../core/errors.js";
import { explained, messagesUrl, modelsUrl, requestHeaders } from "./endpoint.js";

afterEach(() => vi.unstubAllEnvs());

test.each([
  [undefined, "https://api.anthropic.com/v1/messages"],
  ["https://gateway.example", "https://gateway.example/v1/messages"],
  ["https://gateway.example/", "https://gateway.example/v1/messages"],
  ["https://gateway.example/anthropic/v1/", "https://gateway.example/anthropic/v1/messages"],
  ["https://gateway.example/v1/messages", "https://gateway.example/v1/messages"],
  ["https://gateway.example/v1/messages?beta=true", "https://gateway.example/v1/messages?beta=true"],
  ["api.anthropic.com", "https://api.anthropic.com/v1/messages"],
  ["gateway.example/v1/messages", "https://gateway.example/v1/messages"],
  ["gateway.example:8443/anthropic", "https://gateway.example:8443/anthropic/v1/messages"],
  ["gateway:8443", "https://gateway:8443/v1/messages"],
  ["localhost", "http://localhost/v1/messages"],
  ["localhost:8080", "http://localhost:8080/v1/messages"],
  ["127.0.0.1:8080/v1", "http://127.0.0.1:8080/v1/messages"],
  ["[::1]:8080", "http://[::1]:8080/v1/messages"],
])("the base URL %s leads to %s", (baseUrl, expected) => {
  expect(messagesUrl(baseUrl === undefined ? {} : { baseUrl })).toBe(expected);
});

test.each(["anthropic", "the API", "ftp://api.anthropic.com", "mailto:me@example.com", "//gateway.example", "https://"])(
  "the base URL %s is refused",
  (baseUrl) => {
    expect(() => messagesUrl({ baseUrl })).toThrow(
      new ConfigError(
        `AnthropicLLM cannot use { baseUrl: ${JSON.stringify(baseUrl)} }: pass a URL that begins with https:// or http://.`,
      ),
    );
  },
);

test("the connection is opened on the same host, whatever the endpoint's query", () => {
  expect(modelsUrl("https://gateway.example/v1/messages")).toBe("https://gateway.example/v1/models?limit=1");
  expect(modelsUrl("https://gateway.example/v1/messages?key=1")).toBe("https://gateway.example/v1/models?key=1&limit=1");
});

test("the key comes from the options, else from the environment; a token is sent instead of either", () => {
  vi.stubEnv("ANTHROPIC_API_KEY", "sk-ant-env");
  expect(requestHeaders({})["x-api-key"]).toBe("sk-ant-env");
  expect(requestHeaders({ apiKey: "sk-ant-own" })["x-api-key"]).toBe("sk-ant-own");
  const bearer = requestHeaders({ authToken: "token" });
  expect(bearer["authorization"]).toBe("Bearer token");
  expect(bearer).not.toHaveProperty("x-api-key");
});

test("without a credential the error names both options and the variable", () => {
  vi.stubEnv("ANTHROPIC_API_KEY", "");
  expect(() => requestHeaders({})).toThrow(
    new ConfigError("AnthropicLLM needs a credential: pass { apiKey } or { authToken }, or set ANTHROPIC_API_KEY."),
  );
});

test.each([
  [{}, "prompt-caching-2024-07-31"],
  [{ promptCaching: false }, undefined],
  [{ betas: ["a-1", "b-2"] }, "a-1,b-2"],
  [{ betas: [] }, undefined],
  [{ betas: ["a-1"], promptCaching: false }, "a-1"],
])("with %j the betas are %s", (options, expected) => {
  expect(requestHeaders({ apiKey: "k", ...options })["anthropic-beta"]).toBe(expected);
});

test("own headers come on top, and win over those of the same name in any spelling", () => {
  const headers = { "X-Trace": "1", "Anthropic-Version": "2026-10-21" };
  expect(requestHeaders({ apiKey: "k", betas: [], headers })).toEqual({
    "x-api-key": "k",
    "anthropic-version": "2026-10-21",
    "content-type": "application/json",
    "x-trace": "1",
  });
});

const NOW = Date.parse("2026-11-22T12:00:00Z");
const NOT_FOUND = new ProviderError("AnthropicLLM was answered with 404 (not_found_error: model: x).", {
  provider: "anthropic",
  status: 404,
  vendorCode: "not_found_error",
  requestId: "req_1",
});

test("a 404 for a retired model names its successor and the option", () => {
  const error = explained(NOT_FOUND, "claude-3-5-haiku-latest", NOW);
  expect(error.message).toBe(
    'AnthropicLLM asked for claude-3-5-haiku-latest, which the vendor retired on 2026-02-19. Pass { model: "claude-haiku-4-5-20251001" }.',
  );
  expect(error).toMatchObject({ status: 404, requestId: "req_1", retryable: false, cause: NOT_FOUND });
});

test("a model is not called retired before its day has come", () => {
  const retirement = (now: string): string => explained(NOT_FOUND, "claude-sonnet-4-5", Date.parse(now)).message;
  expect(retirement("2026-11-29T23:59:59Z")).toContain("which was not found; the vendor retires it on 2026-11-30.");
  expect(retirement("2026-11-30T00:00:00Z")).toContain("which the vendor retired on 2026-11-30.");
});

test("a 404 for any other model names the option and the default", () => {
  expect(explained(NOT_FOUND, "claude-hiaku-4-5", NOW).message).toBe(
    'AnthropicLLM was answered with 404 (not_found_error: model: x). Check { model: "claude-hiaku-4-5" } for a typing error; the default is "claude-haiku-4-5-20251001".',
  );
});

test("other errors stay as they are", () => {
  const refused = new AuthenticationError("no", { provider: "anthropic", status: 401 });
  expect(explained(refused, "claude-3-5-haiku-latest", NOW)).toBe(refused);
  const page = new ProviderError("no", { provider: "anthropic", status: 404 });
  expect(explained(page, "claude-3-5-haiku-latest", NOW)).toBe(page);
});
