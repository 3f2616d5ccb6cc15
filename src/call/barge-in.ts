/** Answers of a listener that ask for nothing. While the agent is silent they are turns like any other. */
const BACKCHANNELS = new Set(
  (
    "mm mhm mm-hm mmhm hm hmm huh uh-huh uhuh uh um er ah oh okay ok yeah yep yes right sure i see got it alright " +
    "all right good great nice cool wow really the a"
  ).split(" "),
);

/** Whether a transcript holds nothing but sounds of listening (or nothing at all). */
export function isBackchannel(transcript: string): boolean {
  const words = wordsOf(transcript);
  return words.length <= 4 && words.every((word) => BACKCHANNELS.has(word));
}

/** How many of a transcript's words must be the agent's own for it to count as an echo. */
const ECHO_SHARE = 0.7;

/** Whether a transcript is what the agent itself was saying, come back through the caller's microphone. */
export function isEcho(transcript: string, spoken: string): boolean {
  const words = wordsOf(transcript);
  if (words.length === 0) return false;
  const own = wordsOf(spoken);
  return commonSubsequence(words, own) / words.length >= ECHO_SHARE;
}

/** Length of the longest run of words, gaps allowed, that both hold in the same order. */
function commonSubsequence(a: readonly string[], b: readonly string[]): number {
  let row = new Array<number>(b.length + 1).fill(0);
  for (const word of a) {
    const next = [0];
    for (let index = 0; index < b.length; index++) {
      const here = word === b[index] ? (row[index] as number) + 1 : Math.max(row[index + 1] as number, next[index] as number);
      next.push(here);
    }
    row = next;
  }
  return row[b.length] as number;
}

function wordsOf(text: string): string[] {
  return text.toLowerCase().match(/[\p{L}\p{N}'-]+/gu) ?? [];
}
