import type { Piece } from "./recordings.js";

/** A caller of the restaurant: what they say, turn by turn, and the words of it. */
export interface Caller {
  readonly turns: readonly (readonly Piece[])[];
  readonly words: string;
}

/** "This is correct", cut from a longer prompt: there is no recording of a plain yes. */
const CORRECT: Piece = { from: "if-correct-press", startMs: 270, endMs: 1250 };

/** One thing after another: two people, tomorrow, half past eight. */
export const STEP_BY_STEP: Caller = {
  turns: [["digits/2"], ["digits/tomorrow"], ["digits/8", "digits/30"], [CORRECT], ["vm-no", "auth-thankyou", "goodbye"]],
  words: "two tomorrow eight thirty this is correct no thank you goodbye",
};

/** Everything in one breath: four people, tomorrow, half past seven. */
export const ONE_BREATH: Caller = {
  turns: [["for", "digits/4", "digits/tomorrow", "digits/at", "digits/7", "digits/30"], [CORRECT], ["auth-thankyou", "goodbye"]],
  words: "for four tomorrow at seven thirty this is correct thank you goodbye",
};

/** The same, but the agent is interrupted while it reads the booking back: half past eight. */
export const INTERRUPTS: Caller = {
  turns: [
    ["for", "digits/4", "digits/tomorrow", "digits/at", "digits/7", "digits/30"],
    ["vm-no", "digits/at", "digits/8", "digits/30"],
    [CORRECT],
    ["auth-thankyou", "goodbye"],
  ],
  words: "for four tomorrow at seven thirty no at eight thirty this is correct thank you goodbye",
};

/** Six people on a Saturday at eight, and a change of mind when the booking is read back. */
const CHANGES_THEIR_MIND: Caller = {
  turns: [
    ["digits/6"],
    ["digits/day-6", "digits/at", "digits/8", "digits/oclock"],
    ["vm-no", "digits/at", "digits/7", "digits/30"],
    [CORRECT],
    ["vm-no", "auth-thankyou"],
  ],
  words: "six saturday at eight o clock no at seven thirty this is correct no thank you",
};

export const CALLERS: readonly Caller[] = [STEP_BY_STEP, ONE_BREATH, CHANGES_THEIR_MIND];
