import type { Slots, SlotValues } from "./slot.js";

/** A reply in two parts: what is told, and what is asked. */
export interface Question {
  readonly say?: string;
  readonly ask: string;
}

/** What a tool answered. */
export interface ToolAnswer {
  /** The parsed JSON, or the text where it is none. */
  readonly result: unknown;
  readonly isError: boolean;
}

/** What follows from a tool's answer. */
export type Outcome<Values> =
  /** It is done. */
  | { readonly type: "done"; readonly say: string }
  /** It cannot be done so, but with these values; on "no" the slot `otherwise` is asked again. */
  | {
      readonly type: "offer";
      readonly say: string;
      readonly ask: string;
      readonly values: Partial<Values>;
      readonly otherwise: keyof Values & string;
    }
  /** This slot must be asked again. */
  | { readonly type: "ask"; readonly say: string; readonly slot: keyof Values & string };

/** What the dialogue does once every slot is filled and confirmed. */
export interface Action<Values> {
  /** The tool's name. */
  readonly tool: string;
  /** Said beside the tool call. */
  readonly say: string;
  /** The tool's arguments; `previous` is its last result that was `done`, when the caller changes their mind afterwards. */
  arguments(values: Values, previous: unknown): object;
  outcome(answer: ToolAnswer, values: Values): Outcome<Values>;
}

/** Something callers ask besides, with its fixed answer. */
export interface Intent {
  readonly phrases: readonly string[];
  readonly reply: string;
}

/** How a caller reaches a person. */
export interface TransferLine {
  /** Said beside the tool call. */
  readonly say: string;
  readonly tool: string;
  readonly arguments: object;
  /** Said when the agent has no such tool. */
  readonly unavailable: string;
}

/** Sentences that every dialogue needs. */
export interface DialogueLines {
  readonly missed: string;
  /** Said from the third time on that the caller was not understood, and when they ask for help. */
  readonly help: string;
  /** Asked when the caller does not agree with what was read back. */
  readonly change: string;
  /** Said before a changed value is read back. */
  readonly changed: string;
  readonly cancelled: string;
  readonly restarted: string;
  readonly anythingElse: string;
  readonly whatElse: string;
  readonly goodbye: string;
  /** Said while a tool has not answered. */
  readonly wait: string;
}

/** A script: what has to be found out, and what is done with it. */
export interface DialogueDefinition<S extends Slots> {
  /** The script's name; it stands where a model's name stands. */
  readonly name: string;
  /** What the agent says first, and the slot it asks for. */
  readonly greeting: { readonly say: string; readonly asks: keyof S & string };
  /** Asked in this order, unless the caller is ahead. */
  readonly slots: S;
  /** Reads everything back. Only a yes to `ask`, heard to its end, runs the action. */
  confirm(values: SlotValues<S>): Question;
  readonly action: Action<SlotValues<S>>;
  /** What callers say when they only name what the dialogue is about: "book", "a table". It is no failure to understand. */
  readonly topics?: readonly string[];
  readonly intents?: readonly Intent[];
  readonly transfer?: TransferLine;
  /** The tool that ends the call; called beside the goodbye when the agent has it. Default `end_call`. */
  readonly endCallTool?: string;
  readonly lines?: Partial<DialogueLines>;
}

/** A checked script, whatever its slots. */
export interface Dialogue {
  readonly name: string;
  readonly greeting: { readonly say: string; readonly asks: string };
  readonly slots: Slots;
  confirm(values: Readonly<Record<string, unknown>>): Question;
  readonly action: Action<Readonly<Record<string, unknown>>>;
  readonly topics: readonly string[];
  readonly intents: readonly Intent[];
  readonly transfer: TransferLine | undefined;
  readonly endCallTool: string;
  readonly lines: DialogueLines;
}

const LINES: DialogueLines = {
  missed: "Sorry, I did not get that.",
  help: "I am an automated assistant. Please answer in a few words.",
  change: "What should I change?",
  changed: "All right.",
  cancelled: "All right, I have dropped that.",
  restarted: "All right, from the beginning.",
  anythingElse: "Is there anything else I can do for you?",
  whatElse: "What can I do for you?",
  goodbye: "Thank you for calling. Goodbye!",
  wait: "One moment, please.",
};

/** Types a script: `confirm` and `action` see the slots' values under the slots' names. */
export function dialogue<S extends Slots>(definition: DialogueDefinition<S>): Dialogue {
  return {
    ...definition,
    // The engine fills every slot with its own slot's values before it asks for these.
    confirm: (values) => definition.confirm(values as SlotValues<S>),
    action: definition.action,
    topics: definition.topics ?? [],
    intents: definition.intents ?? [],
    transfer: definition.transfer,
    endCallTool: definition.endCallTool ?? "end_call",
    lines: { ...LINES, ...definition.lines },
  };
}
