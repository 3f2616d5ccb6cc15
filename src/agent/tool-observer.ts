import type { CallEventBody } from "../core/call-event.js";
import type { History } from "./history.js";
import type { ToolObserver } from "./tool-runner.js";

/** Enters tools' results into the history, and emits what they do as events. */
export function toolObserver(history: History, emit: (body: CallEventBody) => void): ToolObserver {
  return {
    started: (reply, { id, function: { name } }, args) => {
      emit({ type: "tool_started", reply, toolCallId: id, name, arguments: args });
    },
    ended: (reply, { id, function: { name } }, outcome, durationMs) => {
      history.addToolOutcome(id, outcome);
      const { content: result, isError } = outcome;
      emit({ type: "tool_ended", reply, toolCallId: id, name, result, isError, durationMs });
    },
  };
}
