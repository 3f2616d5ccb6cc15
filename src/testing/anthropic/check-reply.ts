import { checkOptionNames } from "../../core/option-names.js";
import type { AnthropicAnswer, AnthropicHttpError, AnthropicLatency, AnthropicOutage, AnthropicReply } from "./replies.js";

const LATENCY: readonly (keyof AnthropicLatency)[] = ["headersMs", "firstTokenMs", "tokenMs"];
const ANSWER: readonly (keyof AnthropicAnswer)[] = [
  ...LATENCY,
  "thinking",
  "text",
  "toolCalls",
  "content",
  "interleave",
  "stopReason",
  "stopDetails",
  "outputTokens",
  "usage",
  "pingEveryMs",
  "cut",
  "headers",
];
const HTTP_ERROR: readonly (keyof AnthropicHttpError)[] = [
  "status",
  "type",
  "message",
  "details",
  "headers",
  "body",
  "headersMs",
];
const OUTAGE: readonly (keyof AnthropicOutage)[] = ["connection", "headersMs"];

/** Refuses a reply whose fields would be ignored. @throws ConfigError */
export function checkReply(reply: AnthropicReply): void {
  if (typeof reply === "string" || typeof reply === "function") return;
  if ("status" in reply) checkOptionNames(reply, { where: "error reply", known: HTTP_ERROR });
  else if ("connection" in reply) checkOptionNames(reply, { where: "outage reply", known: OUTAGE });
  else checkOptionNames(reply, { where: "reply", known: ANSWER });
}
