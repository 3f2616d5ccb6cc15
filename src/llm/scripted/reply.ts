import type { Dialogue } from "./dialogue.js";
import type { DialogueState, Expecting, Reply } from "./state.js";

const NOTHING: Expecting = { type: "nothing" };

/** What the agent says next. `tools` are the names of the tools it has. */
export function planReply(script: Dialogue, state: DialogueState, tools: ReadonlySet<string>): Reply {
  const { lines } = script;
  const { turn } = state;
  if (state.isOver) return { say: "", ask: "", expecting: NOTHING };
  if (!state.hasBegun) return { say: "", ask: script.greeting.say, expecting: { type: "slot", slot: script.greeting.asks } };
  if (turn.command === "goodbye") return goodbye(script, tools);
  if (turn.command === "transfer" && script.transfer !== undefined) return transfer(script, state, tools);
  if (state.pendingCall !== undefined) return { say: lines.wait, ask: "", expecting: NOTHING };
  if (state.outcome !== undefined) return tellOutcome(script, state);
  if (turn.command === "repeat" && state.lastReply !== undefined) return again(state.lastReply);
  if (turn.command === "cancel" && !state.isDone)
    return { say: lines.cancelled, ask: lines.anythingElse, expecting: { type: "anything_else" } };
  if (turn.wants === "change") return { say: "", ask: lines.change, expecting: { type: "change" } };
  if (turn.wants === "something_else") return { say: "", ask: lines.whatElse, expecting: NOTHING };
  return proceed(script, state);
}

/** The words of a reply, without what it does. */
function again({ say, ask, expecting }: Reply): Reply {
  return { say, ask, expecting };
}

function goodbye(script: Dialogue, tools: ReadonlySet<string>): Reply {
  const reply: Reply = { say: script.lines.goodbye, ask: "", expecting: NOTHING, isLast: true };
  return tools.has(script.endCallTool)
    ? { ...reply, call: { tool: script.endCallTool, arguments: { reason: "The caller said goodbye." } } }
    : reply;
}

function transfer(script: Dialogue, state: DialogueState, tools: ReadonlySet<string>): Reply {
  const line = script.transfer;
  if (line === undefined) return proceed(script, state);
  if (tools.has(line.tool))
    return { say: line.say, ask: "", expecting: NOTHING, call: { tool: line.tool, arguments: line.arguments }, isLast: true };
  const next = proceed(script, { ...state, turn: { ...state.turn, command: undefined } });
  return { ...next, say: join(line.unavailable, next.say) };
}

function tellOutcome(script: Dialogue, state: DialogueState): Reply {
  const { outcome } = state;
  switch (outcome?.type) {
    case "offer":
      return {
        say: outcome.say,
        ask: outcome.ask,
        expecting: { type: "offer", values: outcome.values, otherwise: outcome.otherwise },
        tellsOutcome: true,
      };
    case "ask":
      return {
        say: outcome.say,
        ask: question(script, outcome.slot, state),
        expecting: { type: "slot", slot: outcome.slot },
        tellsOutcome: true,
      };
    default:
      return {
        say: outcome?.say ?? "",
        ask: script.lines.anythingElse,
        expecting: { type: "anything_else" },
        tellsOutcome: true,
      };
  }
}

/** Says what there is to say about the caller's words, then takes the next step: ask, read back, or act. */
function proceed(script: Dialogue, state: DialogueState): Reply {
  const { turn, values } = state;
  const missing = Object.keys(script.slots).find((name) => !(name in values));
  if (missing !== undefined) {
    return {
      say: join(...remarks(script, state), acknowledgement(script, state)),
      ask: question(script, missing, state),
      expecting: { type: "slot", slot: missing },
    };
  }
  if (state.isDone)
    return { say: join(...remarks(script, state)), ask: script.lines.anythingElse, expecting: { type: "anything_else" } };
  const { action } = script;
  if (state.isConfirmed) {
    return {
      say: join(...turn.notes, action.say),
      ask: "",
      expecting: NOTHING,
      call: { tool: action.tool, arguments: action.arguments(values, state.previous) },
    };
  }
  const { say = "", ask } = script.confirm(values);
  return {
    say: join(...remarks(script, state), turn.isCorrection ? script.lines.changed : "", say),
    ask,
    expecting: { type: "confirmation" },
  };
}

function remarks(script: Dialogue, { turn, misses }: DialogueState): string[] {
  const { lines } = script;
  const isLost = turn.command === "help" || (turn.isMissed && misses >= 3);
  return [
    turn.command === "restart" ? lines.restarted : "",
    turn.isMissed ? lines.missed : "",
    isLost ? lines.help : "",
    ...turn.notes,
  ];
}

/** "Four people." What was understood is said back at once: a caller corrects it only when they hear it. */
function acknowledgement(script: Dialogue, { turn, values }: DialogueState): string {
  const said = turn.filled.filter((name) => name in values).map((name) => script.slots[name]?.say(values[name]) ?? "");
  if (said.length === 0) return "";
  const list = `${said.join(", ")}.`;
  const text = list.charAt(0).toUpperCase() + list.slice(1);
  return turn.isCorrection ? join(script.lines.changed, text) : text;
}

/** The slot's question; another wording each time it was not understood. */
function question(script: Dialogue, name: string, { misses, turn }: DialogueState): string {
  const ask = script.slots[name]?.ask ?? [""];
  const isAgain = turn.isMissed ? misses : 0;
  return ask[Math.min(isAgain, ask.length - 1)] ?? "";
}

/** The text of a reply as it is spoken. */
export function replyText(reply: Reply): string {
  return join(reply.say, reply.ask);
}

function join(...parts: readonly string[]): string {
  return parts.filter((part) => part !== "").join(" ");
}
