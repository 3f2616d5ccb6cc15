import { polarity } from "./polarity.js";
import { BARE, EXPLICIT, type Slot, type SlotMatch, type SlotOptions } from "./slot.js";
import { findPhrase, wordsOf } from "./words.js";

/** One of a few things. */
export interface ChoiceSlotOptions<Choice extends string> extends SlotOptions<Choice> {
  /** The phrases that stand for each choice; the first reads it back. */
  readonly choices: Readonly<Record<Choice, readonly [string, ...string[]]>>;
}

/** Asks for one of a few things by the phrases that name them. The value is the choice's key. */
export function choiceSlot<Choice extends string>(options: ChoiceSlotOptions<Choice>): Slot<Choice> {
  const choices = Object.entries(options.choices) as [Choice, readonly [string, ...string[]]][];
  return {
    ask: options.ask,
    names: options.names ?? [],
    find: (words) =>
      choices.flatMap(([value, phrases]) =>
        phrases.flatMap((text): SlotMatch<Choice>[] => {
          const phrase = wordsOf(text);
          const start = findPhrase(words, phrase);
          return start < 0 ? [] : [{ value, start, end: start + phrase.length, strength: EXPLICIT }];
        }),
      ),
    say: (value) => options.choices[value][0],
    check: (value) => options.check?.(value),
  };
}

/** A question that is answered by yes or no. */
export interface YesNoSlotOptions extends SlotOptions<boolean> {
  /** How the answers are read back: "with a highchair", "without a highchair". */
  readonly say: { readonly yes: string; readonly no: string };
}

/** Asks a yes-or-no question. */
export function yesNoSlot(options: YesNoSlotOptions): Slot<boolean> {
  return {
    ask: options.ask,
    names: options.names ?? [],
    find: (words) => {
      const answer = polarity(words, { isAsked: true });
      return answer === undefined ? [] : [{ value: answer === "yes", start: 0, end: words.length, strength: BARE }];
    },
    say: (value) => (value ? options.say.yes : options.say.no),
    check: (value) => options.check?.(value),
  };
}
