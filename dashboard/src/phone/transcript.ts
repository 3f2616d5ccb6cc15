import type { PageEvent } from "../../../src/carriers/browser/protocol.js";

/** One line of the conversation. */
export type TranscriptEntry =
  | {
      readonly who: "caller";
      readonly key: number;
      readonly text: string;
      /** What is being recognised, and may still change. */
      readonly partial: string;
      readonly isOpen: boolean;
    }
  | {
      readonly who: "agent";
      readonly key: number;
      readonly reply: number;
      readonly text: string;
      readonly wasInterrupted: boolean;
      /** From the caller's last word to the reply's first sample sent, in ms, where the server measured it. */
      readonly answeredInMs?: number;
    }
  | { readonly who: "note"; readonly key: number; readonly text: string };

/** What the agent is doing. */
export type Activity = "listening" | "thinking" | "speaking";

/** What the page knows of the conversation. */
export interface Conversation {
  readonly entries: readonly TranscriptEntry[];
  readonly activity: Activity;
  readonly nextKey: number;
  /** The reply begun last. */
  readonly reply?: number;
  /** When the caller stopped speaking, until a reply answers. */
  readonly speechEndedAtMs?: number | undefined;
  readonly answeredInMs?: number | undefined;
}

export const EMPTY_CONVERSATION: Conversation = { entries: [], activity: "listening", nextKey: 0 };

type CallerEntry = Extract<TranscriptEntry, { who: "caller" }>;
type AgentEntry = Extract<TranscriptEntry, { who: "agent" }>;

/** The conversation after an event. */
export function after(conversation: Conversation, event: PageEvent): Conversation {
  switch (event.type) {
    case "transcript_partial":
      return changeCaller(conversation, (entry) => ({ ...entry, partial: beyond(entry.text, event.transcript) }));
    case "transcript_final":
      return changeCaller(conversation, (entry) => ({ ...entry, text: joined(entry.text, event.transcript), partial: "" }));
    case "turn_committed": {
      const committed =
        event.transcript === ""
          ? conversation
          : changeCaller(conversation, (entry) => ({ ...entry, text: event.transcript, partial: "", isOpen: false }));
      return { ...committed, activity: "thinking", speechEndedAtMs: event.speechEndedAtMs };
    }
    case "reply_started":
      return { ...conversation, activity: "thinking", reply: event.reply };
    case "sentence_ready":
      return changeAgent(conversation, event.reply, (entry) => ({ ...entry, text: joined(entry.text, event.text) }));
    case "playout_started":
      return answered(conversation, event.reply, event.atMs);
    case "reply_paused":
      return { ...conversation, activity: "listening" };
    case "reply_resumed":
      return { ...conversation, activity: "speaking" };
    case "utterance_dismissed":
      // A "mm-hm" or an echo: no turn comes of it.
      return { ...conversation, entries: conversation.entries.filter((entry) => !isOpen(entry)) };
    case "reply_ended":
      return endReply(conversation, event);
    case "tool_started":
      return note(conversation, `Using ${event.name}`);
    case "tool_ended":
      return event.isError ? note(conversation, `${event.name} failed`) : conversation;
    case "dtmf_received":
      return note(conversation, `You pressed ${event.digit}`);
    case "call_error":
      return note(conversation, `${event.fatal ? "The call broke off: trouble" : "Trouble"} with the ${STAGES[event.stage]}`);
    case "speech_started":
      return conversation;
  }
}

const STAGES: Readonly<Record<Extract<PageEvent, { type: "call_error" }>["stage"], string>> = {
  stt: "speech recognition",
  vad: "voice detection",
  llm: "language model",
  tts: "voice",
  tool: "tools",
  transport: "connection",
  carrier: "connection",
  callback: "program",
  call: "call",
};

function joined(before: string, more: string): string {
  return [before.trim(), more.trim()].filter((part) => part !== "").join(" ");
}

/** The part of a whole utterance's words that is not final yet. */
function beyond(final: string, transcript: string): string {
  return transcript.startsWith(final) ? transcript.slice(final.length).trim() : transcript;
}

function isOpen(entry: TranscriptEntry): entry is CallerEntry {
  return entry.who === "caller" && entry.isOpen;
}

/** Changes the caller's open entry, or a new one. */
function changeCaller(conversation: Conversation, change: (entry: CallerEntry) => CallerEntry): Conversation {
  const open = conversation.entries.findLast(isOpen);
  if (open !== undefined) return replace(conversation, change(open));
  const entry = change({ who: "caller", key: conversation.nextKey, text: "", partial: "", isOpen: true });
  return joined(entry.text, entry.partial) === "" ? conversation : append(conversation, entry);
}

function changeAgent(conversation: Conversation, reply: number, change: (entry: AgentEntry) => AgentEntry): Conversation {
  const existing = conversation.entries.find((entry): entry is AgentEntry => entry.who === "agent" && entry.reply === reply);
  if (existing !== undefined) return replace(conversation, change(existing));
  const { answeredInMs } = conversation;
  const timing = answeredInMs === undefined ? {} : { answeredInMs };
  const entry = change({ who: "agent", key: conversation.nextKey, reply, text: "", wasInterrupted: false, ...timing });
  return { ...append(conversation, entry), answeredInMs: undefined };
}

/** The reply is audible; the first one after the caller's turn is the answer. */
function answered(conversation: Conversation, reply: number, atMs: number): Conversation {
  const { speechEndedAtMs } = conversation;
  const speaking: Conversation = { ...conversation, activity: "speaking", speechEndedAtMs: undefined };
  if (speechEndedAtMs === undefined) return speaking;
  const answeredInMs = Math.round(atMs - speechEndedAtMs);
  const hasEntry = conversation.entries.some((entry) => entry.who === "agent" && entry.reply === reply);
  if (!hasEntry) return { ...speaking, answeredInMs };
  return changeAgent(speaking, reply, (entry) => ({ ...entry, answeredInMs }));
}

/** The reply is over: what was heard of it stays. */
function endReply(conversation: Conversation, event: Extract<PageEvent, { type: "reply_ended" }>): Conversation {
  const activity = event.reply === conversation.reply ? "listening" : conversation.activity;
  const heard = event.heard.trim();
  if (heard === "") {
    const entries = conversation.entries.filter((entry) => entry.who !== "agent" || entry.reply !== event.reply);
    return { ...conversation, entries, activity };
  }
  const wasInterrupted = event.reason === "barge_in";
  return changeAgent({ ...conversation, activity }, event.reply, (entry) => ({ ...entry, text: heard, wasInterrupted }));
}

function note(conversation: Conversation, text: string): Conversation {
  return append(conversation, { who: "note", key: conversation.nextKey, text });
}

function append(conversation: Conversation, entry: TranscriptEntry): Conversation {
  return { ...conversation, entries: [...conversation.entries, entry], nextKey: conversation.nextKey + 1 };
}

function replace(conversation: Conversation, changed: TranscriptEntry): Conversation {
  return { ...conversation, entries: conversation.entries.map((entry) => (entry.key === changed.key ? changed : entry)) };
}
