import type { Command } from "./commands.js";
import type { Outcome } from "./dialogue.js";

/** Values by slot; a slot that is missing is still to be asked. */
export type Values = Readonly<Record<string, unknown>>;

/** What the caller's next words answer. */
export type Expecting =
  | { readonly type: "nothing" }
  | { readonly type: "slot"; readonly slot: string }
  | { readonly type: "confirmation" }
  | { readonly type: "offer"; readonly values: Values; readonly otherwise: string }
  | { readonly type: "change" }
  | { readonly type: "anything_else" };

/** What the caller has said since the agent was last heard. */
export interface CallerTurn {
  /** Slots filled or changed, in order. */
  readonly filled: readonly string[];
  readonly isCorrection: boolean;
  /** Why values were not taken, and answers to questions: said before anything else. */
  readonly notes: readonly string[];
  readonly command: Command | undefined;
  /** Something was said and nothing of it was understood. */
  readonly isMissed: boolean;
  /** The caller said no to what was read back, or yes to "anything else?". */
  readonly wants: "change" | "something_else" | undefined;
}

/** Where a dialogue stands. It is worked out anew from the conversation for every reply. */
export interface DialogueState {
  readonly values: Values;
  readonly expecting: Expecting;
  readonly turn: CallerTurn;
  /** The caller said yes to exactly these values. */
  readonly isConfirmed: boolean;
  /** The action's tool call, until the tool has answered. */
  readonly pendingCall: { readonly id: string; readonly values: Values } | undefined;
  /** The call that hands the caller to a person, until the tool has answered. */
  readonly transferCallId: string | undefined;
  /** What followed from the tool's answer, until the caller has heard it. */
  readonly outcome: Outcome<Values> | undefined;
  /** The tool's last result that was `done`. */
  readonly previous: unknown;
  /** The action is done with these values, and nothing has been changed since. */
  readonly isDone: boolean;
  /** Times in a row that the caller was not understood. */
  readonly misses: number;
  readonly hasBegun: boolean;
  readonly isOver: boolean;
  readonly toolCalls: number;
  /** The last reply that was heard, to be repeated. */
  readonly lastReply: Reply | undefined;
}

/** What the agent says next. */
export interface Reply {
  readonly say: string;
  readonly ask: string;
  /** What the caller's words answer once enough of `ask` has been heard. */
  readonly expecting: Expecting;
  readonly call?: { readonly tool: string; readonly arguments: object };
  /** It tells the outcome. */
  readonly tellsOutcome?: true;
  /** It ends the dialogue. */
  readonly isLast?: true;
}

export const SILENT_TURN: CallerTurn = {
  filled: [],
  isCorrection: false,
  notes: [],
  command: undefined,
  isMissed: false,
  wants: undefined,
};

export const INITIAL_STATE: DialogueState = {
  values: {},
  expecting: { type: "nothing" },
  turn: SILENT_TURN,
  isConfirmed: false,
  pendingCall: undefined,
  transferCallId: undefined,
  outcome: undefined,
  previous: undefined,
  isDone: false,
  misses: 0,
  hasBegun: false,
  isOver: false,
  toolCalls: 0,
  lastReply: undefined,
};
