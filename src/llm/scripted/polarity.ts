import { hasPhrase, type Words } from "./words.js";

const YES = [
  "yes",
  "yeah",
  "yep",
  "yup",
  "ya",
  "sure",
  "correct",
  "right",
  "exactly",
  "absolutely",
  "definitely",
  "certainly",
  "of course",
  "ok",
  "okay",
  "fine",
  "perfect",
  "great",
  "good",
  "go ahead",
  "please do",
  "do it",
  "book it",
  "take it",
  "i'll take",
  "we'll take",
  "confirm",
  "confirmed",
  "confirmation",
  "agreed",
  "accept",
  "affirmative",
  "indeed",
  "that works",
  "sounds good",
  "uh huh",
  "mm hmm",
];

const NO = [
  "no",
  "nope",
  "nah",
  "not",
  "don't",
  "isn't",
  "wrong",
  "incorrect",
  "negative",
  "never",
  "neither",
  "doesn't",
  "can't",
];

/** Phrases that hold one of those words and mean something else. */
const YES_ANYWAY = ["no problem", "why not", "no that's right", "no that's correct", "no that's fine", "not bad"];
const NEITHER = ["not sure", "don't know", "no idea", "right now"];

/** What a recogniser writes for a yes or a no that was said alone. */
const YES_ALONE = ["guess", "yet", "yah", "please", "course"];
const NO_ALONE = ["know", "now", "nor", "note", "knew"];

/** Whether an utterance agrees or refuses. `isAsked`: it answers a question, so a lone misheard word counts too. */
export function polarity(words: Words, { isAsked }: { readonly isAsked: boolean }): "yes" | "no" | undefined {
  if (hasPhrase(words, NEITHER)) return undefined;
  if (hasPhrase(words, YES_ANYWAY)) return "yes";
  if (hasPhrase(words, NO)) return "no";
  if (hasPhrase(words, YES)) return "yes";
  const [word] = words;
  if (!isAsked || words.length !== 1 || word === undefined) return undefined;
  if (YES_ALONE.includes(word)) return "yes";
  return NO_ALONE.includes(word) ? "no" : undefined;
}
