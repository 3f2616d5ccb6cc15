import type { AnthropicAnswer, AnthropicBlock, AnthropicThinking, AnthropicToolCall } from "./replies.js";
import type { ThinkingSigner } from "./signatures.js";
import type { WireContentBlock, WireDelta, WireEvent } from "./wire.js";

/** One block of an answer and the deltas that it is sent in. */
export interface AnswerBlock {
  /** The block as it stands in the finished message; none for events given as they are. */
  readonly content: WireContentBlock | undefined;
  /** The block as it opens. */
  readonly opening: WireContentBlock | undefined;
  readonly deltas: readonly WireDelta[];
  readonly closing: readonly WireDelta[];
  /** How long it stays open before the closing deltas, in ms. */
  readonly openMs: number;
  /** Characters that count as output. */
  readonly characters: number;
  readonly thinkingCharacters: number;
  readonly events: ((index: number) => readonly WireEvent[]) | undefined;
}

/** The blocks of an answer, and why it stopped where a limit of the request stopped it. */
export interface AnswerContent {
  readonly blocks: readonly AnswerBlock[];
  readonly stoppedBy: { readonly reason: "max_tokens" | "stop_sequence"; readonly sequence: string | null } | undefined;
}

/** The request's limits on an answer. */
export interface AnswerLimits {
  readonly maxTokens: number;
  readonly stopSequences: readonly string[];
  /** Whether thoughts are shown; the API's newer models leave them out unless they are asked for. */
  readonly showsThinking: boolean;
  readonly signer: ThinkingSigner;
  readonly nextToolId: () => string;
}

/** Makes the blocks of an answer, cut where the request's limits cut them. */
export function answerContent(answer: AnthropicAnswer, limits: AnswerLimits): AnswerContent {
  const blocks: AnswerBlock[] = [];
  let charactersLeft = limits.maxTokens * 4;
  for (const scripted of scriptedBlocks(answer)) {
    if (charactersLeft <= 0) return { blocks, stoppedBy: { reason: "max_tokens", sequence: null } };
    const stop = scripted.type === "text" ? stopSequenceIn(pieces(scripted.text), limits.stopSequences) : undefined;
    const length = Math.min(charactersLeft, stop?.at ?? Number.POSITIVE_INFINITY);
    const block = answerBlock(scripted, length, limits);
    blocks.push(block.made);
    if (block.made.content !== undefined) limits.signer.add(block.made.content);
    charactersLeft -= block.made.characters;
    if (block.isCut && length === stop?.at) return { blocks, stoppedBy: { reason: "stop_sequence", sequence: stop.sequence } };
    if (block.isCut) return { blocks, stoppedBy: { reason: "max_tokens", sequence: null } };
  }
  return { blocks, stoppedBy: undefined };
}

function scriptedBlocks({ content, thinking, text, toolCalls = [] }: AnthropicAnswer): readonly AnthropicBlock[] {
  if (content !== undefined) return content;
  return [
    ...(thinking === undefined ? [] : [{ type: "thinking" as const, ...thinking }]),
    ...(text === undefined || text === "" ? [] : [{ type: "text" as const, text }]),
    ...toolCalls.map((call) => ({ type: "tool_use" as const, ...call })),
  ];
}

interface MadeBlock {
  readonly made: AnswerBlock;
  readonly isCut: boolean;
}

function answerBlock(scripted: AnthropicBlock, length: number, limits: AnswerLimits): MadeBlock {
  switch (scripted.type) {
    case "text":
      return textBlock(cut(pieces(scripted.text), length));
    case "thinking":
      return { made: thinkingBlock(scripted, limits), isCut: false };
    case "tool_use":
      return toolBlock(scripted, cut(argumentPieces(scripted.arguments), length), limits);
    case "events":
      return { made: { ...NOTHING, events: scripted.events }, isCut: false };
  }
}

const NOTHING = {
  content: undefined,
  opening: undefined,
  deltas: [],
  closing: [],
  openMs: 0,
  characters: 0,
  thinkingCharacters: 0,
  events: undefined,
};

interface CutPieces {
  readonly pieces: readonly string[];
  readonly isCut: boolean;
}

function textBlock({ pieces: texts, isCut }: CutPieces): MadeBlock {
  const text = texts.join("");
  const made: AnswerBlock = {
    ...NOTHING,
    content: { type: "text", text, citations: null },
    opening: { type: "text", text: "", citations: null },
    deltas: texts.map((piece) => ({ type: "text_delta", text: piece })),
    characters: text.length,
  };
  return { made, isCut };
}

function thinkingBlock(scripted: AnthropicThinking, { showsThinking, signer }: AnswerLimits): AnswerBlock {
  const thoughts = pieces(scripted.thinking ?? []);
  const characters = scripted.tokens === undefined ? thoughts.join("").length : scripted.tokens * 4;
  const counted = { ...NOTHING, openMs: scripted.openMs ?? 0, characters, thinkingCharacters: characters };
  if (scripted.redacted === true) {
    const block: WireContentBlock = { type: "redacted_thinking", data: signer.sign("") };
    return { ...counted, content: block, opening: block };
  }
  const shown = showsThinking ? thoughts : [];
  const signature = signer.sign(shown.join(""));
  return {
    ...counted,
    content: { type: "thinking", thinking: shown.join(""), signature },
    opening: { type: "thinking", thinking: "", signature: "" },
    deltas: shown.map((piece) => ({ type: "thinking_delta", thinking: piece })),
    closing: [{ type: "signature_delta", signature }],
  };
}

function toolBlock({ name, id }: AnthropicToolCall, { pieces: texts, isCut }: CutPieces, limits: AnswerLimits): MadeBlock {
  const start = { type: "tool_use" as const, id: id ?? limits.nextToolId(), name };
  const json = texts.join("");
  const made: AnswerBlock = {
    ...NOTHING,
    content: { ...start, input: parsedInput(json), caller: { type: "direct" } },
    opening: { ...start, input: {}, caller: { type: "direct" } },
    deltas: texts.map((piece) => ({ type: "input_json_delta", partial_json: piece })),
    // Its name is output too.
    characters: name.length + json.length,
  };
  return { made, isCut };
}

/** A tool's arguments as a message holds them: none where their JSON has been cut or never was any. */
function parsedInput(json: string): unknown {
  try {
    return json === "" ? {} : (JSON.parse(json) as unknown);
  } catch (error) {
    if (error instanceof SyntaxError) return {};
    throw error;
  }
}

function argumentPieces(given: AnthropicToolCall["arguments"] = {}): readonly string[] {
  if (isPieces(given)) return given;
  const properties = Object.entries(given).filter(([, value]) => value !== undefined);
  if (properties.length === 0) return [""];
  const parts = properties.map(
    ([key, value], index) => `${index === 0 ? "{" : ","}${JSON.stringify(key)}:${JSON.stringify(value)}`,
  );
  return ["", ...parts, "}"];
}

function isPieces(given: object): given is readonly string[] {
  return Array.isArray(given);
}

/** A text word by word, or the pieces as they were given. */
function pieces(text: string | readonly string[]): readonly string[] {
  return typeof text === "string" ? (text.match(/\s*\S+\s*$|\s*\S+/g) ?? [text]) : text;
}

/** The pieces up to a length; the last of them may be a part of one. */
function cut(whole: readonly string[], length: number): CutPieces {
  const kept: string[] = [];
  let left = length;
  for (const piece of whole) {
    if (piece.length > left) {
      if (left > 0) kept.push(piece.slice(0, left));
      return { pieces: kept, isCut: true };
    }
    kept.push(piece);
    left -= piece.length;
  }
  return { pieces: kept, isCut: false };
}

function stopSequenceIn(
  texts: readonly string[],
  sequences: readonly string[],
): { readonly at: number; readonly sequence: string } | undefined {
  const text = texts.join("");
  const found = sequences.map((sequence) => ({ at: text.indexOf(sequence), sequence })).filter(({ at }) => at >= 0);
  return found.sort((a, b) => a.at - b.at)[0];
}
