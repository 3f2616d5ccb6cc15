import type { AssistantMessage, ChatMessage, ToolMessage, ToolSpec } from "../../core/chat.js";
import { isBlank, toolArguments, validText, wellFormed } from "../../provider-kit/conversation.js";
import { markConversation, markSystem, markTools } from "./cache-markers.js";
import { assistantBlocks } from "./replay.js";
import { type ToolNames, toolNames, wireTools } from "./tools.js";
import type {
  AssistantBlock,
  CacheTtl,
  MessagesBody,
  TextBlock,
  ToolResultBlock,
  ToolUseBlock,
  UserBlock,
  WireParameters,
  WireTool,
  WireToolChoice,
} from "./wire.js";

/** How a conversation is sent: what the model accepts, and what is cached. */
export interface BodyOptions {
  /** Go in first, as they are (`thinking` with a budget aside, where the conversation rules it out); they name the model. */
  readonly parameters: WireParameters;
  /**
   * Sent only with tools; a tool's name in it may be the caller's own. One of no tool is left out, with a warning. A demanded
   * call is demanded until it is made: behind its result the model may choose.
   */
  readonly toolChoice?: WireToolChoice;
  /** How long tools and system prompt are cached; left out, nothing is marked. The conversation is always cached for 5 minutes. */
  readonly caching?: { readonly ttl: CacheTtl };
  /** The last user text may still change: nothing from there on is marked. */
  readonly speculative?: boolean;
  /** A conversation may end with the model's own words. Otherwise a user turn follows them. */
  readonly acceptsPrefill: boolean;
  /** Instructions may stand between the turns. Otherwise they go in brackets into the user's turn. */
  readonly acceptsMidCallSystem: boolean;
  /** Takes what the caller should know; may be told the same with every request. */
  readonly warn: (code: string, message: string) => void;
}

/** The conversation while it is built. */
type Turn =
  | { readonly role: "user"; readonly content: UserBlock[] }
  | { readonly role: "assistant"; readonly content: AssistantBlock[] }
  | { readonly role: "system"; readonly content: TextBlock[] };

/** The first message must be the user's; a call that begins with the agent's greeting gets this one. */
const CALL_CONNECTED = "[The call is connected.]";
/** Newer models refuse a conversation that ends with their own words. The next request lacks this turn: it is no part of the call. */
const GO_ON = "[The caller is silent.]";
/** An error result without a text is refused. */
const FAILED = "The tool failed.";

/**
 * Converts a conversation to a request body. Equal conversations give equal bytes, and a longer one begins with the turns of the
 * shorter, byte for byte, so that a cached beginning stays valid. Beside the markers two things may change at the shorter one's
 * end: a closing `[The caller is silent.]` goes, and instructions that closed it come into the brackets of the caller's turn where
 * the caller went on without an answer, as the API takes them only at the end and before an answer.
 */
export function messagesBody(messages: readonly ChatMessage[], tools: readonly ToolSpec[], options: BodyOptions): MessagesBody {
  const names = toolNames(tools);
  const conversation = wellFormed(messages);
  const turns = turnsOf(conversation.slice(systemEnd(conversation)), names, options);
  const marked = options.caching === undefined ? turns : markConversation(turns, options.speculative === true);
  const needsUser = turns.at(-1)?.role === "assistant" && !options.acceptsPrefill;
  return {
    ...acceptedParameters(options.parameters, turns),
    stream: true,
    ...beginningOf(conversation, tools, names, { ...options, ...answeringChoice(conversation, options) }),
    messages: needsUser ? [...marked, userTurn(GO_ON)] : marked,
  };
}

/** Says whether a request ends with a turn that the conversation does not hold, and the next request will not. */
export function endsInPlaceholder({ messages }: MessagesBody): boolean {
  const last = messages.at(-1);
  return last?.role === "user" && last.content.length === 1 && last.content[0]?.type === "text" && last.content[0].text === GO_ON;
}

/** A demanded tool has been called when its result comes: were it demanded again, the model could never speak of the result. */
function answeringChoice(
  conversation: readonly ChatMessage[],
  { toolChoice: choice }: BodyOptions,
): Pick<BodyOptions, "toolChoice"> {
  if (choice?.type !== "any" && choice?.type !== "tool") return {};
  if (conversation.findLast(({ role }) => role !== "system")?.role !== "tool") return {};
  return { toolChoice: { type: "auto", ...(choice.disable_parallel_tool_use ? { disable_parallel_tool_use: true } : {}) } };
}

/**
 * The request that writes the cached beginning of later ones, and answers nothing: the same tools and system prompt with their
 * markers, and a placeholder for the conversation. Thinking with a budget and a demanded tool stay in it; the API takes neither
 * with no tokens to answer with.
 */
export function warmupBody(
  messages: readonly ChatMessage[],
  tools: readonly ToolSpec[],
  options: BodyOptions,
): Omit<MessagesBody, "stream"> {
  return {
    ...options.parameters,
    max_tokens: 0,
    ...beginningOf(wellFormed(messages), tools, toolNames(tools), options),
    messages: [userTurn(CALL_CONNECTED)],
  };
}

/**
 * Thinking with a budget wants the turn whose tools have just answered to begin with its thinking. Another model's turn has none,
 * and a cut one may have lost it: such a request goes without.
 */
function acceptedParameters(parameters: WireParameters, turns: readonly Turn[]): WireParameters {
  const { thinking, ...others } = parameters;
  const [caller, results] = turns.slice(-2);
  if (thinking?.type !== "enabled" || results?.content[0]?.type !== "tool_result") return parameters;
  const first = caller?.content[0]?.type;
  return first === "thinking" || first === "redacted_thinking" ? parameters : others;
}

function beginningOf(
  conversation: readonly ChatMessage[],
  tools: readonly ToolSpec[],
  names: ToolNames,
  { caching, toolChoice, warn }: BodyOptions,
): Pick<MessagesBody, "tools" | "tool_choice" | "system"> {
  const sent = wireTools(tools, names, warn);
  const choice = acceptedChoice(toolChoice, sent, names, warn);
  const system = conversation.slice(0, systemEnd(conversation)).map((message) => textBlock(message.content ?? ""));
  return {
    ...(sent.length === 0 ? {} : { tools: caching === undefined ? sent : markTools(sent, caching.ttl) }),
    ...(choice === undefined ? {} : { tool_choice: choice }),
    ...(system.length === 0 ? {} : { system: caching === undefined ? system : markSystem(system, caching.ttl) }),
  };
}

function systemEnd(conversation: readonly ChatMessage[]): number {
  const firstTurn = conversation.findIndex(({ role }) => role !== "system");
  return firstTurn < 0 ? conversation.length : firstTurn;
}

function acceptedChoice(
  choice: WireToolChoice | undefined,
  tools: readonly WireTool[],
  names: ToolNames,
  warn: BodyOptions["warn"],
): WireToolChoice | undefined {
  if (choice === undefined || tools.length === 0) return undefined;
  if (choice.type !== "tool") return choice;
  const name = names.wire(choice.name);
  if (tools.some((tool) => tool.name === name)) return { ...choice, name };
  warn(
    "unknown_tool_choice",
    `There is no tool named "${choice.name}" to be chosen, and the model may choose. Name one of the tools.`,
  );
  return undefined;
}

/** The turns behind the system prompt: the user's first, then by turns. Instructions in between stand behind a user's turn. */
function turnsOf(conversation: readonly ChatMessage[], names: ToolNames, options: BodyOptions): Turn[] {
  const turns: Turn[] = [];
  const ids = new CallIds();
  if (conversation[0]?.role !== "user") turns.push(userTurn(CALL_CONNECTED));
  for (const message of conversation) {
    switch (message.role) {
      case "user":
        addTurn(turns, userTurn(message.content));
        break;
      case "system":
        addTurn(turns, options.acceptsMidCallSystem ? systemTurn(message.content) : bracketed(message.content));
        break;
      case "assistant":
        addTurn(turns, assistantTurn(message, names, ids, options.parameters.model));
        break;
      case "tool":
        addTurn(turns, { role: "user", content: [resultBlock(message, ids.nextResult())] });
        break;
    }
  }
  return turns;
}

/** Adds a turn, joined to the one before it if that is of the same role. */
function addTurn(turns: Turn[], turn: Turn): void {
  const last = turns.at(-1);
  if (last?.role === "system" && turn.role === "user") {
    // Instructions are accepted at the end or before the agent's turn; here the user goes on.
    turns.pop();
    for (const { text } of last.content) addTurn(turns, bracketed(text));
    addTurn(turns, turn);
  } else if (turn.role === "system" && last?.role === "assistant") {
    for (const { text } of turn.content) addTurn(turns, bracketed(text));
  } else if (last?.role === "user" && turn.role === "user") last.content.push(...turn.content);
  else if (last?.role === "assistant" && turn.role === "assistant") last.content.push(...turn.content);
  else if (last?.role === "system" && turn.role === "system") last.content.push(...turn.content);
  else turns.push(turn);
}

function userTurn(text: string): Turn {
  return { role: "user", content: [textBlock(text)] };
}

function systemTurn(text: string): Turn {
  return { role: "system", content: [textBlock(text)] };
}

/** In brackets, instructions stand apart from the caller's words. */
function bracketed(text: string): Turn {
  return userTurn(`[${text}]`);
}

function textBlock(text: string): TextBlock {
  return { type: "text", text: validText(text) };
}

function resultBlock({ content, isError = false }: ToolMessage, id: string): ToolResultBlock {
  const text = isBlank(content) ? (isError ? FAILED : undefined) : validText(content);
  return {
    type: "tool_result",
    tool_use_id: id,
    ...(text === undefined ? {} : { content: text }),
    ...(isError ? { is_error: true } : {}),
  };
}

function assistantTurn(message: AssistantMessage, names: ToolNames, ids: CallIds, model: string): Turn {
  // A last message may not end in a space; without it a message stays the same when others follow.
  const text = (message.content ?? "").trimEnd();
  const calls = (message.tool_calls ?? []).map(
    (call): ToolUseBlock => ({
      type: "tool_use",
      id: ids.add(call.id),
      name: names.wire(call.function.name),
      input: toolArguments(call.function.arguments),
    }),
  );
  const content = assistantBlocks(text === "" ? [] : [textBlock(text)], calls, message.providerData, model);
  return { role: "assistant", content };
}

/** The ids of tool calls on the wire: letters, digits, `_` and `-`, no two the same. */
class CallIds {
  readonly #used = new Set<string>();
  /** The calls whose results follow, in their order. */
  readonly #awaited: string[] = [];

  add(id: string): string {
    const acceptable = id.replace(/[^a-zA-Z0-9_-]/g, "_") || "call";
    let wireId = acceptable;
    for (let number = 2; this.#used.has(wireId); number++) wireId = `${acceptable}_${number}`;
    this.#used.add(wireId);
    this.#awaited.push(wireId);
    return wireId;
  }

  /** The call that the next result belongs to: each has exactly one. */
  nextResult(): string {
    return this.#awaited.shift() ?? "";
  }
}
