/** An echo dies away within this time of the audio that caused it, in ms. */
const ECHO_TAIL_MS = 300;
/** "Okay" in the last moments of a reply is an answer to it, in ms. */
const REPLY_TAIL_MS = 1000;

/** What the caller's words are while a reply is under way, or right after one. */
export type Judgement = "nothing" | "echo" | "listening" | "turn";

/** The caller's words and what the agent is doing. Times are on one clock. */
export interface Situation {
  readonly transcript: string;
  /** Whether the utterance began while a reply was under way. */
  readonly overlapsReply: boolean;
  /** Until when the caller's voice is known to have sounded. */
  readonly voiceUntilMs: number;
  /** Whether the voice rises and falls with the agent's. */
  readonly soundsLikeEcho: () => boolean;
  /** The agent's own words that can have come back by now: the last ones that were played. */
  readonly played: string;
  /** Since when the agent cannot be heard; `undefined` while it can. */
  readonly silentSinceMs: number | undefined;
  /** What the reply has still to say, in ms; `undefined` when there is none. */
  readonly unheardMs: number | undefined;
}

/** Says whether the caller takes the turn, only listens, or is not the one who speaks. */
export function judge(situation: Situation): Judgement {
  const { transcript, unheardMs } = situation;
  if (transcript === "") return "nothing";
  if (mayBeEcho(situation)) return "echo";
  if (unheardMs !== undefined && unheardMs > REPLY_TAIL_MS && isBackchannel(transcript)) return "listening";
  return "turn";
}

/** The agent's own words, come back while it speaks or just after. A voice that outlasts the agent's is no echo. */
function mayBeEcho({ transcript, overlapsReply, voiceUntilMs, played, soundsLikeEcho, silentSinceMs }: Situation): boolean {
  if (!overlapsReply) return false;
  const canBeHeardYet = silentSinceMs === undefined || voiceUntilMs <= silentSinceMs + ECHO_TAIL_MS;
  return canBeHeardYet && (isEcho(transcript, played) || soundsLikeEcho());
}

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
const ECHO_SHARE = 0.6;

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
