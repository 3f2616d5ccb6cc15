import { describe, expect, test } from "vitest";
import type { CallStage } from "../core/call-event.js";
import { ProviderTimeoutError, RateLimitError } from "../core/errors.js";
import { errorEvent } from "./error-event.js";

describe("the event of an error", () => {
  test("has the error's own code, and is not fatal unless it is said to be", () => {
    const error = new ProviderTimeoutError("too late", { provider: "test" });
    expect(errorEvent("tts", error)).toEqual({
      type: "call_error",
      stage: "tts",
      code: "timeout",
      message: "too late",
      fatal: false,
    });
    expect(errorEvent("stt", error, { fatal: true })).toMatchObject({ code: "timeout", fatal: true });
  });

  test("names the vendor's id and status of a failed request", () => {
    const error = new RateLimitError("too many", { provider: "test", status: 429, requestId: "req_1" });
    expect(errorEvent("llm", error)).toMatchObject({ code: "rate_limit", requestId: "req_1", status: 429 });
  });

  test.each<[CallStage, string]>([
    ["llm", "provider"],
    ["stt", "provider"],
    ["vad", "provider"],
    ["callback", "call"],
    ["call", "call"],
    ["carrier", "carrier"],
    ["tool", "tool"],
  ])("of the stage %s has the code %s when the error has none", (stage, code) => {
    expect(errorEvent(stage, "out of order")).toMatchObject({ code, message: "out of order" });
  });
});
