import { type AnthropicProblem, invalid } from "./errors.js";
import { contentBlocks } from "./prompt.js";
import type { AnthropicRequestBlock, AnthropicRequestMessage } from "./wire.js";

interface Turn {
  readonly role: AnthropicRequestMessage["role"];
  readonly blocks: readonly { readonly block: AnthropicRequestBlock; readonly path: string }[];
  /** Of its first message. */
  readonly index: number;
  /** Of its last message. */
  readonly lastIndex: number;
}

/** What is wrong with the pairs of tool calls and results: each call has one result, first in the turn behind it. */
export function toolPairsProblem(messages: readonly AnthropicRequestMessage[]): AnthropicProblem | undefined {
  const turns = turnsOf(messages);
  const seen = new Set<string>();
  for (const [position, turn] of turns.entries()) {
    const calls = idsOf(turn, "tool_use", "id");
    const duplicate = calls.find((id, index) => seen.has(id) || calls.indexOf(id) !== index);
    if (duplicate !== undefined) return invalid("messages: `tool_use` ids must be unique");
    for (const id of calls) seen.add(id);
    const found = resultsProblem(turn, turns[position - 1]) ?? missingProblem(turn, turns[position + 1]);
    if (found !== undefined) return found;
  }
  return undefined;
}

/** The API reads neighbouring messages of one role as one turn. */
function turnsOf(messages: readonly AnthropicRequestMessage[]): Turn[] {
  const turns: Turn[] = [];
  for (const [index, { role, content }] of messages.entries()) {
    const blocks = contentBlocks(content).map((block, position) => ({ block, path: `messages.${index}.content.${position}` }));
    const last = turns.at(-1);
    if (last?.role === role) turns[turns.length - 1] = { ...last, blocks: [...last.blocks, ...blocks], lastIndex: index };
    else turns.push({ role, blocks, index, lastIndex: index });
  }
  return turns;
}

function resultsProblem(turn: Turn, before: Turn | undefined): AnthropicProblem | undefined {
  const calls = before === undefined ? [] : idsOf(before, "tool_use", "id");
  const results = new Set<string>();
  for (const { block, path } of turn.blocks) {
    if (block.type !== "tool_result") continue;
    const id = block.tool_use_id as string;
    if (!calls.includes(id)) {
      return invalid(
        `${path}: unexpected \`tool_use_id\` found in \`tool_result\` blocks: ${id}. Each \`tool_result\` block must have a corresponding \`tool_use\` block in the previous message.`,
      );
    }
    if (results.has(id)) {
      return invalid(`${path}: each tool_use must have a single result. Found multiple \`tool_result\` blocks with id: ${id}`);
    }
    results.add(id);
  }
  return undefined;
}

function missingProblem(turn: Turn, next: Turn | undefined): AnthropicProblem | undefined {
  const answered = new Set(next === undefined ? [] : leadingResults(next));
  const missing = idsOf(turn, "tool_use", "id").filter((id) => !answered.has(id));
  return missing.length === 0
    ? undefined
    : invalid(
        `messages.${turn.lastIndex}: \`tool_use\` ids were found without \`tool_result\` blocks immediately after: ${missing.join(", ")}. Each \`tool_use\` block must have a corresponding \`tool_result\` block in the next message.`,
      );
}

/** Results behind other content do not count. */
function leadingResults(turn: Turn): string[] {
  const end = turn.blocks.findIndex(({ block }) => block.type !== "tool_result");
  return idsOf({ ...turn, blocks: end < 0 ? turn.blocks : turn.blocks.slice(0, end) }, "tool_result", "tool_use_id");
}

function idsOf({ blocks }: Turn, type: string, field: "id" | "tool_use_id"): string[] {
  return blocks.filter(({ block }) => block.type === type).map(({ block }) => block[field] as string);
}
