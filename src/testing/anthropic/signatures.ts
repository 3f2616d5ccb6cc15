import { createHash } from "node:crypto";
import { type AnthropicProblem, invalid } from "./errors.js";
import type { ModelRules } from "./model-rules.js";
import { type PromptBlock, promptBlocks } from "./prompt.js";
import type { AnthropicRequestBody, WireContentBlock } from "./wire.js";

/**
 * Signs the thinking of one answer. A signature says which thoughts it was issued for, by which model and behind which
 * conversation, and needs no memory: one server accepts what another has signed.
 */
export class ThinkingSigner {
  readonly #rules: ModelRules;
  #before: string;

  constructor(body: AnthropicRequestBody, rules: ModelRules) {
    this.#rules = rules;
    this.#before = promptBlocks(body).reduce((key, { text }) => digest(key, text), "");
  }

  /** For the next block of the answer. */
  sign(thoughts: string): string {
    const fields = [this.#rules.id, digest("thoughts", thoughts), this.#before].join(".");
    return `${fields}.${seal(fields)}`;
  }

  /** Takes note of a block of the answer, which the next ones stand behind. */
  add(block: WireContentBlock): void {
    this.#before = digest(this.#before, replayed(block));
  }
}

/** The block as it is read when a client sends it back. */
function replayed(block: WireContentBlock): string {
  const content = [block as unknown as Readonly<Record<string, unknown>> & { type: string }];
  return promptBlocks({ messages: [{ role: "assistant", content }] })[0]?.text ?? "";
}

/** What is wrong with the thinking that a request sends back. Thinking of another model is ignored, as the API does. */
export function signatureProblem(body: AnthropicRequestBody, rules: ModelRules): AnthropicProblem | undefined {
  let before = "";
  for (const block of promptBlocks(body)) {
    const found = blockProblem(block, before, rules);
    if (found !== undefined) return found;
    before = digest(before, block.text);
  }
  return undefined;
}

function blockProblem({ type, path, block }: PromptBlock, before: string, rules: ModelRules): AnthropicProblem | undefined {
  if (type !== "thinking" && type !== "redacted_thinking") return undefined;
  const name = type === "thinking" ? "signature" : "data";
  const [model = "", thoughts = "", prefix = "", mark = ""] = (block[name] as string).split(".");
  if (mark !== seal([model, thoughts, prefix].join("."))) return invalid(`${path}: Invalid \`${name}\` in \`${type}\` block`);
  if (thoughts !== digest("thoughts", block.thinking ?? "")) {
    return invalid(
      `${path}: \`thinking\` or \`redacted_thinking\` blocks cannot be modified. These blocks must remain as they were in the original response.`,
    );
  }
  if (model !== rules.id || !rules.bindsThinking || prefix === before) return undefined;
  return invalid(`${path}: Invalid \`${name}\` in \`${type}\` block: it is bound to a different conversation.`);
}

function seal(fields: string): string {
  return digest("seal", fields);
}

function digest(before: string, text: string): string {
  return createHash("sha256").update(before).update(text).digest("base64url").slice(0, 22);
}
