import { parseJson } from "../../core/json.js";
import type { AnswerPart } from "./replay.js";
import type { ThinkingBlock } from "./wire.js";

/** A block of an answer as it goes back to the vendor, with all of its fields. */
export type AnswerBlock = Readonly<Record<string, unknown>>;

/** What a block is to the caller: only text and tool calls reach the ear or the program. */
type BlockKind = "text" | "tool_call" | "thinking" | "other";

const KINDS: Readonly<Record<string, BlockKind>> = {
  text: "text",
  tool_use: "tool_call",
  thinking: "thinking",
  redacted_thinking: "thinking",
};

/** One block of an answer, from its start event on; its pieces are appended as they come. */
export class OpenBlock {
  readonly kind: BlockKind;
  /** The block as its start event gave it. */
  readonly fields: AnswerBlock;
  readonly citations: unknown[] = [];
  text = "";
  /** Pieces of the input of a tool call, as JSON text. */
  json = "";
  thinking: string;
  signature: string;
  /** Which of the answer's tool calls this is. */
  call = 0;
  isClosed = false;

  constructor(fields: AnswerBlock) {
    this.kind = KINDS[asText(fields["type"])] ?? "other";
    this.fields = fields;
    if (this.kind === "text") this.text = asText(fields["text"]);
    this.thinking = asText(fields["thinking"]);
    this.signature = asText(fields["signature"]);
  }

  /** The block with all its pieces, to be sent back unchanged. `undefined` for a blank text, which the vendor refuses. */
  whole(): AnswerBlock | undefined {
    if (this.kind === "thinking") return this.wholeThinking();
    if (this.kind === "text") {
      if (this.text.trim() === "") return undefined;
      return { ...this.fields, text: this.text, ...(this.citations.length === 0 ? {} : { citations: this.citations }) };
    }
    return this.json === "" ? this.fields : { ...this.fields, input: parseJson(this.json) ?? {} };
  }

  /** What the conversation keeps of the block, for the place of the thinking in it; nothing of what the vendor's own tools did. */
  part(): AnswerPart | undefined {
    if (this.kind === "text") return { type: "text", text: this.text };
    return this.kind === "tool_call" ? { type: "tool_use" } : this.wholeThinking();
  }

  /** The thinking of a block that ended; `undefined` for any other. */
  wholeThinking(): ThinkingBlock | undefined {
    if (this.kind !== "thinking" || !this.isClosed) return undefined;
    if (this.fields["type"] === "redacted_thinking") return { type: "redacted_thinking", data: asText(this.fields["data"]) };
    return { type: "thinking", thinking: this.thinking, signature: this.signature };
  }
}

/** The value if it is a text, else an empty one. */
export function asText(value: unknown): string {
  return typeof value === "string" ? value : "";
}
