import type { AssistantMessage, ChatMessage, ToolMessage } from "../../core/chat.js";
import type { Dialogue } from "./dialogue.js";
import { planReply, replyText } from "./reply.js";
import { type DialogueState, INITIAL_STATE, type Reply, SILENT_TURN } from "./state.js";
import { understand } from "./understand.js";
import { type Words, wordsOf } from "./words.js";

/**
 * Works out where a dialogue stands from the conversation alone. What the agent said counts as far as it stands in
 * the conversation, which holds what the caller has heard: a question that was cut off has not been asked, a result
 * that was cut off has not been told.
 */
export function replay(script: Dialogue, messages: readonly ChatMessage[], tools: ReadonlySet<string>): DialogueState {
  return messages.reduce<DialogueState>((state, message) => {
    switch (message.role) {
      case "user":
        return understand(script, state, message.content);
      case "assistant":
        return hear(script, state, message, planReply(script, state, tools));
      case "tool":
        return takeResult(script, state, message);
      case "system":
        return state;
    }
  }, INITIAL_STATE);
}

function hear(script: Dialogue, before: DialogueState, message: AssistantMessage, reply: Reply): DialogueState {
  const state = takeCalls(script, before, message);
  const planned = wordsOf(replyText(reply));
  const heard = heardCount(planned, wordsOf(message.content ?? ""));
  if (heard === 0) return state;
  const { expecting } = reply;
  const isWhole = heard >= planned.length - 1;
  // A yes counts only for a question that was heard; any other answer speaks for itself.
  const mustBeWhole = expecting.type === "confirmation" || expecting.type === "offer";
  const isAsked = mustBeWhole ? isWhole : heard > wordsOf(reply.say).length;
  const isTold = reply.tellsOutcome === true && isWhole;
  return {
    ...state,
    hasBegun: true,
    turn: SILENT_TURN,
    lastReply: reply,
    ...(isAsked ? { expecting } : {}),
    ...(isTold ? { outcome: undefined } : {}),
    ...(reply.isLast === true ? { isOver: true } : {}),
  };
}

/** Notes a call of the action's tool, or of the one that ends the call. */
function takeCalls(script: Dialogue, before: DialogueState, message: AssistantMessage): DialogueState {
  const calls = message.tool_calls ?? [];
  const state = { ...before, toolCalls: before.toolCalls + calls.length };
  if (calls.some((call) => call.function.name === script.endCallTool)) return { ...state, isOver: true, turn: SILENT_TURN };
  const transfer = calls.find(({ function: { name } }) => name === script.transfer?.tool);
  if (transfer !== undefined) return { ...state, isOver: true, transferCallId: transfer.id, turn: SILENT_TURN };
  const call = calls.find(({ function: { name } }) => name === script.action.tool);
  if (call === undefined) return state;
  return {
    ...state,
    pendingCall: { id: call.id, values: state.values },
    isConfirmed: false,
    turn: SILENT_TURN,
    expecting: { type: "nothing" },
  };
}

function takeResult(script: Dialogue, state: DialogueState, message: ToolMessage): DialogueState {
  const isError = message.isError === true;
  if (message.tool_call_id === state.transferCallId && isError) {
    return {
      ...state,
      isOver: false,
      transferCallId: undefined,
      turn: { ...SILENT_TURN, notes: [script.transfer?.unavailable ?? ""] },
    };
  }
  if (message.tool_call_id !== state.pendingCall?.id) return state;
  const result = parseResult(message.content);
  const { values } = state.pendingCall;
  const outcome = script.action.outcome({ result, isError }, values);
  const next = { ...state, pendingCall: undefined, outcome };
  switch (outcome.type) {
    case "done":
      return { ...next, previous: result, isDone: state.values === values };
    case "ask":
      return { ...next, values: Object.fromEntries(Object.entries(state.values).filter(([name]) => name !== outcome.slot)) };
    case "offer":
      return next;
  }
}

/** How many of the planned words were heard. Other words may stand before them, such as a line that bridged a wait. */
function heardCount(planned: Words, heard: Words): number {
  for (let start = 0; start < heard.length; start++) {
    const rest = heard.slice(start);
    if (start > 0 && rest.length < Math.min(3, planned.length)) return 0;
    if (rest.every((word, index) => planned[index] === word)) return rest.length;
  }
  return 0;
}

function parseResult(content: string): unknown {
  try {
    return JSON.parse(content);
  } catch {
    // A tool may answer in plain text.
    return content;
  }
}
