import { type Command, commandIn } from "./commands.js";
import type { Dialogue } from "./dialogue.js";
import { polarity } from "./polarity.js";
import { readSlots } from "./slot.js";
import type { CallerTurn, DialogueState, Values } from "./state.js";
import { contentWords, hasPhrase, type Words, wordsOf } from "./words.js";

/** Words with which a question begins: what it mentions is asked about, not wished for. */
const QUESTION_WORDS = new Set("what when where which who how why do does are is can could".split(" "));

/** What one utterance says, in the light of what was asked. */
interface Reading {
  readonly words: Words;
  readonly values: ReadonlyMap<string, unknown>;
  readonly answers: readonly string[];
  readonly polarity: "yes" | "no" | undefined;
}

/** The state after the caller has said `text`. */
export function understand(script: Dialogue, before: DialogueState, text: string): DialogueState {
  const words = wordsOf(text);
  if (words.length === 0) return before;
  const state: DialogueState = { ...before, hasBegun: true, isOver: false, turn: { ...before.turn, isMissed: false } };
  const reading = read(script, state, words);
  const command = commandIn(words);
  if (command !== undefined && isMeant(command, state, reading)) return addToTurn(runCommand(state, command), { command });
  const next = takeValues(script, answerQuestion(script, state, reading), reading);
  const noted = reading.answers.length === 0 ? next : addToTurn(next, { notes: [...next.turn.notes, ...reading.answers] });
  return noteMiss(script, state, noted, reading);
}

function read(script: Dialogue, state: DialogueState, words: Words): Reading {
  const { expecting } = state;
  const answers = script.intents.filter(({ phrases }) => hasPhrase(words, phrases)).map(({ reply }) => reply);
  const isQuestion = answers.length > 0 && QUESTION_WORDS.has(words[0] ?? "");
  const asked = askedSlot(script, state);
  const isAsked = expecting.type !== "nothing" && expecting.type !== "slot";
  return {
    words,
    answers,
    values: isQuestion ? new Map() : readSlots(script.slots, words, asked),
    polarity: polarity(words, { isAsked }),
  };
}

/** The slot that a bare "four" fills: the one that was asked for, or after an open question the next one. */
function askedSlot(script: Dialogue, { expecting, values }: DialogueState): string | undefined {
  if (expecting.type === "slot") return expecting.slot;
  return expecting.type === "nothing" ? Object.keys(script.slots).find((name) => !(name in values)) : undefined;
}

/** A command stands back behind values, answers, and a yes: "yes, that's all" confirms. */
function isMeant(command: Command, { expecting }: DialogueState, reading: Reading): boolean {
  if (command === "transfer") return true;
  if (reading.values.size > 0 || reading.answers.length > 0) return false;
  const isAgreed = (expecting.type === "confirmation" || expecting.type === "offer") && reading.polarity === "yes";
  return !(isAgreed && command === "goodbye");
}

function runCommand(state: DialogueState, command: Command): DialogueState {
  if (command !== "restart" && (command !== "cancel" || state.isDone)) return state;
  return {
    ...withoutQuestion(state),
    values: {},
    isConfirmed: false,
    isDone: false,
    outcome: undefined,
    previous: undefined,
    misses: 0,
  };
}

/** Takes a yes or a no as the answer to what was asked. */
function answerQuestion(script: Dialogue, state: DialogueState, reading: Reading): DialogueState {
  const { expecting } = state;
  if (reading.values.size === 0 && wantsChange(state, reading)) {
    const cleared = clearNamedSlots(script, state, reading.words);
    if (cleared !== state) return cleared;
    if (expecting.type === "confirmation") return addToTurn(withoutQuestion(state), { wants: "change" });
  }
  const changes = [...reading.values].filter(([slot, value]) => state.values[slot] !== value);
  if (expecting.type === "offer" && changes.length > 0 && changes.every(([slot, value]) => expecting.values[slot] === value))
    return acceptOffer(state, expecting.values);
  if (reading.polarity === undefined || changes.length > 0) return state;
  const isYes = reading.polarity === "yes";
  switch (expecting.type) {
    case "confirmation":
      return isYes ? { ...state, isConfirmed: true } : state;
    case "offer":
      return isYes ? acceptOffer(state, expecting.values) : withoutValues(state, [expecting.otherwise]);
    case "anything_else":
      return addToTurn(state, isYes ? { wants: "something_else" } : { command: "goodbye" });
    default:
      return state;
  }
}

function acceptOffer(state: DialogueState, offered: Values): DialogueState {
  return { ...state, values: { ...state.values, ...offered }, isConfirmed: true };
}

function wantsChange({ expecting }: DialogueState, { words, polarity: answer }: Reading): boolean {
  if (expecting.type === "change") return true;
  return (
    expecting.type === "confirmation" &&
    (answer === "no" || hasPhrase(words, ["change", "different", "another", "other", "instead"]))
  );
}

/** "The time": what is named is asked again. */
function clearNamedSlots(script: Dialogue, state: DialogueState, words: Words): DialogueState {
  const named = Object.entries(script.slots)
    .filter(([, slot]) => hasPhrase(words, slot.names))
    .map(([name]) => name);
  return named.length === 0 ? state : withoutValues(state, named);
}

function takeValues(script: Dialogue, state: DialogueState, reading: Reading): DialogueState {
  const taken = new Map<string, unknown>();
  const problems: string[] = [];
  for (const [name, value] of reading.values) {
    const problem = script.slots[name]?.check(value);
    if (problem === undefined) taken.set(name, value);
    else problems.push(problem);
  }
  const changed = [...taken].filter(([name, value]) => state.values[name] !== value).map(([name]) => name);
  const next = problems.length === 0 ? state : addToTurn(state, { notes: [...state.turn.notes, ...problems] });
  if (changed.length === 0) return next;
  const isCorrection = next.turn.isCorrection || changed.some((name) => name in state.values);
  const filled = [...next.turn.filled.filter((name) => !changed.includes(name)), ...changed];
  return {
    ...addToTurn(withoutQuestion(next), { filled, isCorrection, wants: undefined }),
    values: { ...next.values, ...Object.fromEntries(taken) },
    isConfirmed: false,
    isDone: false,
    // What came of the old values is no longer news.
    outcome: undefined,
  };
}

function noteMiss(script: Dialogue, before: DialogueState, after: DialogueState, reading: Reading): DialogueState {
  const isUnderstood =
    after.turn !== before.turn ||
    after.values !== before.values ||
    after.isConfirmed !== before.isConfirmed ||
    reading.values.size > 0;
  // A greeting, a thank-you or a yes to no question is no failure: the question is simply asked again.
  if (isUnderstood) return { ...after, misses: 0 };
  if (reading.polarity !== undefined || contentWords(reading.words).length === 0 || hasPhrase(reading.words, script.topics))
    return after;
  return addToTurn({ ...after, misses: after.misses + 1 }, { isMissed: true });
}

function addToTurn(state: DialogueState, turn: Partial<CallerTurn>): DialogueState {
  return { ...state, turn: { ...state.turn, isMissed: false, ...turn } };
}

function withoutValues(state: DialogueState, names: readonly string[]): DialogueState {
  const values = Object.fromEntries(Object.entries(state.values).filter(([name]) => !names.includes(name)));
  return { ...withoutQuestion(state), values, isConfirmed: false };
}

/**
 * What was said before holds no more: a yes that comes now is none to what will be read back instead,
 * and a caller who asks again is told the new state of things.
 */
function withoutQuestion(state: DialogueState): DialogueState {
  const { type } = state.expecting;
  const isOutdated = type === "confirmation" || type === "offer";
  return { ...state, lastReply: undefined, ...(isOutdated ? { expecting: { type: "nothing" } } : {}) };
}
