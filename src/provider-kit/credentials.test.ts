import { afterEach, expect, test } from "vitest";
import { ConfigError } from "../core/errors.js";
import { credential } from "./credentials.js";

const source = { provider: "ExampleLLM", option: "apiKey", env: "GETPATTER_TEST_CREDENTIAL" };

afterEach(() => {
  delete process.env[source.env];
});

test("a credential that was passed wins over the environment", () => {
  process.env[source.env] = "from-env";
  expect(credential({ ...source, value: "passed" })).toBe("passed");
});

test("the environment is read when nothing was passed, and its white space is dropped", () => {
  process.env[source.env] = " from-env\n";
  expect(credential({ ...source, value: undefined })).toBe("from-env");
});

test("a missing or blank credential names the option and the variable", () => {
  const message = "ExampleLLM needs a credential: pass { apiKey } or set GETPATTER_TEST_CREDENTIAL.";
  expect(() => credential({ ...source, value: undefined })).toThrow(new ConfigError(message));
  expect(() => credential({ ...source, value: "  " })).toThrow(message);
});
