import { type AnswerBlock, type AnswerLimits, answerContent } from "./answer-blocks.js";
import type { CacheUse } from "./prompt-cache.js";
import type { AnthropicAnswer } from "./replies.js";
import type { AnthropicUsage, WireContentBlock, WireEvent, WireMessage, WireMessageEvent, WireStopReason } from "./wire.js";

/** An event of a stream, and how long the server waits before it. */
export interface TimedEvent {
  readonly event: WireEvent;
  readonly waitMs: number;
  /** Output tokens sent once this event has been; undefined where it brings no content. */
  readonly contentTokens: number | undefined;
}

/** One answer, in both of its forms. */
export interface PlannedAnswer {
  readonly message: WireMessage;
  readonly start: WireMessageEvent;
  /** Everything behind `message_start`. */
  readonly events: readonly TimedEvent[];
}

export interface AnswerRequest {
  readonly id: string;
  readonly model: string;
  readonly use: CacheUse;
  readonly limits: AnswerLimits;
}

/** Plans an answer to a request. */
export function planAnswer(answer: AnthropicAnswer, request: AnswerRequest): PlannedAnswer {
  const { blocks, stoppedBy } = answerContent(answer, request.limits);
  const characters = blocks.reduce((sum, block) => sum + block.characters, 0);
  const thinkingCharacters = blocks.reduce((sum, block) => sum + block.thinkingCharacters, 0);
  const outputTokens = answer.outputTokens ?? Math.min(Math.ceil(characters / 4), request.limits.maxTokens);
  const usage: AnthropicUsage = {
    ...inputUsage(request.use, answer.usage === "nulls"),
    output_tokens: outputTokens,
    output_tokens_details: { thinking_tokens: Math.ceil(thinkingCharacters / 4) },
  };
  const stop = {
    // A reason that no client knows is sent as if it were one.
    stop_reason: (answer.stopReason ?? stoppedBy?.reason ?? naturalReason(blocks)) as WireStopReason,
    stop_sequence: stoppedBy?.sequence ?? null,
    stop_details: answer.stopDetails ?? null,
  };
  const content = blocks.map((block) => block.content).filter((block): block is WireContentBlock => block !== undefined);
  const message: WireMessage = { ...emptyMessage(request), content, ...stop, usage };
  const end: WireEvent[] = [
    { type: "message_delta", delta: { ...stop, container: null }, usage: deltaUsage(usage, answer.usage ?? "cumulative") },
    { type: "message_stop" },
  ];
  const started = {
    ...emptyMessage(request),
    stop_reason: null,
    usage: { ...usage, output_tokens: Math.min(1, outputTokens), output_tokens_details: null },
  };
  return {
    message,
    start: { type: "message_start", message: started },
    events: [timed({ type: "ping" }), ...contentEvents(blocks, answer), ...end.map((event) => timed(event))],
  };
}

/** The answer to a warm-up, which asks for no token: nothing. */
export function emptyMessage({ id, model, use }: AnswerRequest): WireMessage {
  return {
    id,
    type: "message",
    role: "assistant",
    model,
    content: [],
    container: null,
    diagnostics: null,
    stop_reason: "max_tokens",
    stop_sequence: null,
    stop_details: null,
    usage: { ...inputUsage(use, false), output_tokens: 0, output_tokens_details: null },
  };
}

function inputUsage(use: CacheUse, withNulls: boolean): Omit<AnthropicUsage, "output_tokens" | "output_tokens_details"> {
  const written = use.write5m + use.write1h;
  const isUnused = withNulls && use.read + written === 0;
  return {
    input_tokens: use.input,
    cache_read_input_tokens: isUnused ? null : use.read,
    cache_creation_input_tokens: isUnused ? null : written,
    cache_creation: isUnused ? null : { ephemeral_5m_input_tokens: use.write5m, ephemeral_1h_input_tokens: use.write1h },
    server_tool_use: null,
    service_tier: "standard",
    inference_geo: null,
    speed: null,
  };
}

type DeltaUsage = (WireMessageEvent & { readonly type: "message_delta" })["usage"];

function deltaUsage(usage: AnthropicUsage, form: NonNullable<AnthropicAnswer["usage"]>): DeltaUsage {
  const { output_tokens, output_tokens_details } = usage;
  // What the API sent before it repeated the input: a shape that today's types do not know.
  if (form === "output_only") return { output_tokens } as DeltaUsage;
  const { input_tokens, cache_creation_input_tokens, cache_read_input_tokens } = usage;
  const nulls = { input_tokens: null, cache_creation_input_tokens: null, cache_read_input_tokens: null };
  const input = form === "nulls" ? nulls : { input_tokens, cache_creation_input_tokens, cache_read_input_tokens };
  return {
    ...input,
    output_tokens,
    output_tokens_details: form === "nulls" ? null : output_tokens_details,
    server_tool_use: null,
  };
}

function naturalReason(blocks: readonly AnswerBlock[]): WireStopReason {
  return blocks.some(({ content }) => content?.type === "tool_use") ? "tool_use" : "end_turn";
}

function timed(event: WireEvent, waitMs = 0, contentTokens?: number): TimedEvent {
  return { event, waitMs, contentTokens };
}

/** The events of all blocks: `firstTokenMs` before the first of them, `tokenMs` before each further delta. */
function contentEvents(blocks: readonly AnswerBlock[], answer: AnthropicAnswer): TimedEvent[] {
  const pacer = new Pacer(answer);
  const parts = blocks.map((block, index) => blockEvents(block, index));
  if (answer.interleave !== true) return parts.flatMap(({ open, deltas, close }) => pacer.pace([...open, ...deltas, ...close]));
  const turns = Math.max(0, ...parts.map(({ deltas }) => deltas.length));
  const mixed = Array.from({ length: turns }, (_, turn) => parts.flatMap(({ deltas }) => deltas.slice(turn, turn + 1))).flat();
  return pacer.pace([...parts.flatMap(({ open }) => open), ...mixed, ...parts.flatMap(({ close }) => close)]);
}

interface UntimedEvent {
  readonly event: WireEvent;
  readonly holdMs: number;
  readonly characters: number | undefined;
}

interface BlockEvents {
  readonly open: readonly UntimedEvent[];
  readonly deltas: readonly UntimedEvent[];
  readonly close: readonly UntimedEvent[];
}

function blockEvents(block: AnswerBlock, index: number): BlockEvents {
  const untimed = (event: WireEvent, holdMs = 0, characters?: number): UntimedEvent => ({ event, holdMs, characters });
  if (block.opening === undefined) {
    return { open: [], deltas: (block.events?.(index) ?? []).map((event) => untimed(event)), close: [] };
  }
  const each = block.characters / Math.max(1, block.deltas.length);
  return {
    open: [untimed({ type: "content_block_start", index, content_block: block.opening })],
    deltas: block.deltas.map((delta) => untimed({ type: "content_block_delta", index, delta }, 0, each)),
    close: [
      ...block.closing.map((delta) => untimed({ type: "content_block_delta", index, delta }, block.openMs)),
      untimed({ type: "content_block_stop", index }, block.closing.length === 0 ? block.openMs : 0),
    ],
  };
}

/** Gives events their times. */
class Pacer {
  readonly #tokenMs: number;
  #firstMs: number;
  #isFirstDelta = true;
  #characters = 0;

  constructor({ firstTokenMs = 0, tokenMs = 0 }: AnthropicAnswer) {
    this.#firstMs = firstTokenMs;
    this.#tokenMs = tokenMs;
  }

  pace(events: readonly UntimedEvent[]): TimedEvent[] {
    return events.map(({ event, holdMs, characters }) => {
      const waitMs = holdMs + this.#firstMs + (characters === undefined || this.#isFirstDelta ? 0 : this.#tokenMs);
      this.#firstMs = 0;
      if (characters === undefined) return timed(event, waitMs);
      this.#isFirstDelta = false;
      this.#characters += characters;
      return timed(event, waitMs, Math.ceil(this.#characters / 4));
    });
  }
}
