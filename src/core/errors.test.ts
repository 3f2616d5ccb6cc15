import { describe, expect, it } from "vitest";
import * as errors from "./errors.js";

describe("errors", () => {
  it("carry their own class's name, a stable code and the cause", () => {
    const cause = new Error("ECONNRESET");
    const error = new errors.CarrierError("Twilio refused the call.", { cause });
    expect(error).toBeInstanceOf(errors.PatterError);
    expect(error.name).toBe("CarrierError");
    expect(error.code).toBe("carrier");
    expect(error.cause).toBe(cause);
    expect(error.retryable).toBe(false);
  });

  it("of a rate limit or a timeout may be retried, unless the provider knows better", () => {
    const options = { provider: "anthropic" };
    expect(new errors.RateLimitError("429", options).retryable).toBe(true);
    expect(new errors.ProviderTimeoutError("timeout", options).retryable).toBe(true);
    expect(new errors.ProviderTimeoutError("timeout", { ...options, retryable: false }).retryable).toBe(false);
    expect(new errors.AuthenticationError("401", options).retryable).toBe(false);
  });

  it("of a provider keep what its support asks for", () => {
    const error = new errors.ProtocolError("cut short", {
      provider: "deepgram",
      status: 502,
      requestId: "req_1",
      retryAfterMs: 200,
    });
    expect(error).toMatchObject({ code: "protocol", provider: "deepgram", status: 502, requestId: "req_1", retryAfterMs: 200 });
  });

  it("have no cause property when there was none", () => {
    expect("cause" in new errors.ConfigError("bad port")).toBe(false);
  });

  it("give a message for anything that was thrown", () => {
    expect(errors.errorMessage(new Error("no route"))).toBe("no route");
    expect(errors.errorMessage("no route")).toBe("no route");
  });
});
