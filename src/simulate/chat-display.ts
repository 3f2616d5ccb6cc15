import type { CallEndReason, CallEvent } from "../core/call-event.js";
import type { ChatMessage } from "../core/chat.js";
import type { Terminal } from "./terminal.js";

const ENDINGS: Readonly<Record<CallEndReason, string>> = {
  caller_hung_up: "You hung up.",
  agent_hung_up: "The agent hung up.",
  transferred: "The call was handed over; here it ends.",
  carrier_ended: "The carrier ended the call.",
  connection_lost: "The connection was lost.",
  shutdown: "The conversation was closed.",
  max_duration: "The call reached its longest duration.",
  error: "The call failed.",
};

/** Shows what happens in a typed conversation. */
export function showEvent(terminal: Terminal, event: CallEvent): void {
  switch (event.type) {
    case "sentence_ready":
      terminal.say("agent", event.text);
      return;
    case "tool_started":
      terminal.note(`${event.name}(${asText(event.arguments)})`);
      return;
    case "tool_ended":
      terminal.note(event.isError ? `${event.name} failed: ${event.result}` : `${event.name} -> ${event.result}`);
      return;
    case "transfer_started":
      terminal.note(`A telephone call would be transferred to ${event.to} now.`);
      return;
    case "dtmf_sent":
      terminal.note(`A telephone call would send the keys ${event.digits} now.`);
      return;
    case "call_error":
      terminal.note(`${event.stage} error: ${event.message}`);
      return;
    case "call_ended":
      terminal.note(ENDINGS[event.reason]);
      return;
    default:
      return;
  }
}

/** The conversation as the model knows it, a line for each message. */
export function historyLines(messages: readonly ChatMessage[]): string {
  return messages.length === 0 ? "The history is empty." : messages.map(historyLine).join("\n");
}

function historyLine(message: ChatMessage): string {
  switch (message.role) {
    case "tool":
      return `tool: ${message.content}`;
    case "assistant": {
      const calls = (message.tool_calls ?? []).map((call) => `${call.function.name}(${call.function.arguments})`);
      return `assistant: ${[message.content, ...calls].filter(Boolean).join(" ")}`;
    }
    default:
      return `${message.role}: ${message.content}`;
  }
}

function asText(value: unknown): string {
  return typeof value === "string" ? value : JSON.stringify(value);
}
