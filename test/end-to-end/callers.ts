import type { Piece } from "./recordings.js";

/** A caller of the restaurant: what they say, turn by turn, and the words of it. */
export interface Caller {
  readonly turns: readonly (readonly Piece[])[];
  readonly words: string;
}

/** "This is correct", cut from a longer prompt: there is no recording of a plain yes. */
const CORRECT: Piece = { from: "if-correct-press", startMs: 270, endMs: 1250 };

/** One thing after another: two people, tomorrow, half past seven. */
export const STEP_BY_STEP: Caller = {
  turns: [
    ["digits/2"],
    ["digits/tomorrow"],
    ["digits/at", "digits/7", "digits/30"],
    [CORRECT],
    ["vm-no", "auth-thankyou", "goodbye"],
  ],
  words: "two tomorrow at seven thirty this is correct no thank you goodbye",
};

const FOUR_TOMORROW: readonly Piece[] = ["for", "digits/4", "digits/tomorrow", "digits/at", "digits/7", "digits/30"];

/** Everything in one breath: four people, tomorrow, half past seven. */
export const ONE_BREATH: Caller = {
  turns: [FOUR_TOMORROW, [CORRECT], ["auth-thankyou", "goodbye"]],
  words: "for four tomorrow at seven thirty this is correct thank you goodbye",
};

/** The same, but the agent is interrupted while it reads the booking back. */
export const INTERRUPTS: Caller = {
  turns: [FOUR_TOMORROW, ["vm-no", "auth-thankyou"], ["auth-thankyou", "goodbye"]],
  words: "for four tomorrow at seven thirty no thank you thank you goodbye",
};

/** Words that the recogniser often mistakes: four, eight. For the bench, which counts such errors. */
const HARD_WORDS: Caller = {
  turns: [
    ["for", "digits/4", "digits/tomorrow", "digits/at", "digits/8", "digits/30"],
    [CORRECT],
    ["vm-no", "auth-thankyou", "goodbye"],
  ],
  words: "for four tomorrow at eight thirty this is correct no thank you goodbye",
};

export const CALLERS: readonly Caller[] = [STEP_BY_STEP, ONE_BREATH, HARD_WORDS];
