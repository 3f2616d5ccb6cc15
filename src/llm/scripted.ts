import type { ChatMessage, ToolSpec } from "../core/chat.js";
import { systemClock } from "../core/clock.js";
import { ConfigError } from "../core/errors.js";
import type { LLM, LlmChunk, LlmOptions } from "../core/llm.js";
import type { Dialogue } from "./scripted/dialogue.js";
import { replay } from "./scripted/replay.js";
import { planReply, replyText } from "./scripted/reply.js";

export { type ChoiceSlotOptions, choiceSlot, type YesNoSlotOptions, yesNoSlot } from "./scripted/choice-slot.js";
export { type DateSlotOptions, dateSlot } from "./scripted/date-slot.js";
export {
  type Action,
  type Dialogue,
  type DialogueDefinition,
  type DialogueLines,
  dialogue,
  type Intent,
  type Outcome,
  type Question,
  type ToolAnswer,
  type TransferLine,
} from "./scripted/dialogue.js";
export { type NumberSlotOptions, numberSlot } from "./scripted/number-slot.js";
export type { Slot, SlotMatch, SlotOptions, Slots, SlotValues } from "./scripted/slot.js";
export { type TimeSlotOptions, timeSlot } from "./scripted/time-slot.js";

/** Options of `ScriptedLLM`. */
export interface ScriptedLLMOptions {
  readonly script: Dialogue;
  /** Speaks at a model's pace, counting a word as a token. Default: as fast as it is read. */
  readonly tokensPerSecond?: number;
}

/** Words in one chunk: models send a few at a time. */
const CHUNK_WORDS = 3;

/**
 * A dialogue engine in the place of a model: it follows a script, in English, and understands only what the script
 * asks for. It needs no key and no network, and it says so where it stands: `provider` is `scripted`.
 *
 * It keeps nothing between requests: where the dialogue stands follows from the conversation it is given, so a reply
 * that was interrupted counts only as far as it was heard. It uses no tokens and reports no usage.
 */
export class ScriptedLLM implements LLM {
  readonly provider = "scripted";
  readonly model: string;
  readonly #script: Dialogue;
  readonly #msPerWord: number;

  /** @throws ConfigError for a pace that is not above 0. */
  constructor(options: ScriptedLLMOptions) {
    const { tokensPerSecond } = options;
    if (tokensPerSecond !== undefined && !(tokensPerSecond > 0)) {
      throw new ConfigError(
        `ScriptedLLM cannot use { tokensPerSecond: ${tokensPerSecond} }: pass a number above 0, or leave it out.`,
      );
    }
    this.#script = options.script;
    this.#msPerWord = tokensPerSecond === undefined ? 0 : 1000 / tokensPerSecond;
    this.model = options.script.name;
  }

  async *stream(
    messages: readonly ChatMessage[],
    tools?: readonly ToolSpec[] | null,
    options: LlmOptions = {},
  ): AsyncGenerator<LlmChunk, void, undefined> {
    const { signal, clock = systemClock } = options;
    if (isAborted(signal)) return;
    const names = new Set((tools ?? []).map((tool) => tool.function.name));
    const state = replay(this.#script, messages, names);
    const reply = planReply(this.#script, state, names);
    for (const content of pieces(replyText(reply))) {
      if (this.#msPerWord > 0) await sleepUnlessAborted(clock.sleep(wordCount(content) * this.#msPerWord, signal), signal);
      if (isAborted(signal)) return;
      yield { type: "text", content };
    }
    if (reply.call !== undefined) {
      // Counted, not random: the same conversation makes the same call, so a repeated request cannot act twice.
      const id = `scripted_${state.toolCalls + 1}`;
      yield { type: "tool_call", index: 0, id, name: reply.call.tool, arguments: JSON.stringify(reply.call.arguments) };
    }
    if (isAborted(signal)) return;
    yield { type: "done", stopReason: reply.call === undefined ? "end_turn" : "tool_use" };
  }
}

export { ScriptedLLM as LLM };

/** The text in pieces of a few words, spaces included: together they are the text. */
function pieces(text: string): string[] {
  const words = text.match(/\S+\s*/g) ?? [];
  return Array.from({ length: Math.ceil(words.length / CHUNK_WORDS) }, (_, index) =>
    words.slice(index * CHUNK_WORDS, (index + 1) * CHUNK_WORDS).join(""),
  );
}

function wordCount(text: string): number {
  return text.match(/\S+/g)?.length ?? 0;
}

function isAborted(signal: AbortSignal | undefined): boolean {
  return signal?.aborted === true;
}

async function sleepUnlessAborted(sleep: Promise<void>, signal: AbortSignal | undefined): Promise<void> {
  try {
    await sleep;
  } catch (error) {
    // An abort ends the stream without an error.
    if (!isAborted(signal)) throw error;
  }
}
