import type { FollowUp } from "../../provider-kit/http-llm.js";
import type { AnswerBlock } from "./answer-blocks.js";
import type { AnthropicDecoder } from "./events.js";
import type { MessagesBody, UserBlock } from "./wire.js";

/** An answer that ended without a word goes on after a new turn of the user; the same request again would end the same way. */
const PLEASE_ANSWER: UserBlock = { type: "text", text: "[Please answer the caller.]" };
/** How often the vendor may pause one answer. */
const MAX_PAUSES = 3;

/**
 * The request that carries an answer on: with a new user turn after one that ended empty, once; with the content so far
 * after one that the vendor paused, at most three times. `undefined` when the answer is whole.
 */
export function followUp(
  body: MessagesBody,
  complete: AnthropicDecoder,
  earlier: readonly AnthropicDecoder[],
): FollowUp | undefined {
  const parts = [...earlier, complete];
  const wasAsked = earlier.some((part) => part.isEmpty);
  const content = parts.flatMap((part) => part.pausedContent() ?? []);
  if (complete.isEmpty && !wasAsked && !parts.some((part) => part.hasWords))
    return { reason: "empty_answer", body: JSON.stringify(continued(body, content, true)) };
  const pauses = parts.filter((part) => part.pausedContent() !== undefined).length;
  if (complete.pausedContent() !== undefined && pauses <= MAX_PAUSES)
    return { reason: "pause_turn", body: JSON.stringify(continued(body, content, wasAsked)) };
  return undefined;
}

/** The request with what the model has said since, and with a turn that asks it to speak. */
function continued(body: MessagesBody, content: readonly AnswerBlock[], asks: boolean): object {
  const messages = asks ? withRequestToSpeak(body.messages) : body.messages;
  return { ...body, messages: content.length === 0 ? messages : [...messages, { role: "assistant", content }] };
}

function withRequestToSpeak(messages: MessagesBody["messages"]): MessagesBody["messages"] {
  const at = messages.findLastIndex(({ role }) => role === "user");
  const last = messages[at];
  // Instructions may stand behind the user's turn and must stay the last there; the model's own words may not.
  if (last?.role !== "user" || messages.at(-1)?.role === "assistant")
    return [...messages, { role: "user", content: [PLEASE_ANSWER] }];
  return messages.with(at, { ...last, content: [...last.content, PLEASE_ANSWER] });
}
