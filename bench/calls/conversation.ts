/** How long the vendors take, in ms: the model to its first token, the voice to its first audio. */
export const MODEL_MS = 100;
export const VOICE_MS = 80;
/** How long each character of a reply sounds, in ms. */
export const CHARACTER_MS = 60;
/** Where callers reach the program under test; the emulator leads it to this machine. */
export const PUBLIC_URL = "https://agent.example";
export const VOICE_PATH = "/webhooks/twilio/voice";
export const NUMBER = "+15550100";
export const FLUX_MODEL = "flux-general-en";
export const CLAUDE_MODEL = "claude-haiku-4-5";
export const SYSTEM_PROMPT = "You answer the telephone of a restaurant.";

export const REPLY =
  "Certainly, that is no trouble. We open at nine every weekday morning and close at ten each night. On holidays the kitchen shuts somewhat earlier.";

const WORDS = "tell me more";
const WORD_MS = 240;
/** Silence after which the test server's Flux model is sure enough, in ms. */
const ENDPOINTING_MS = 420;
/** Until the sockets of a call are open, in ms. */
const SETTLE_MS = 1000;
const AFTER_REPLY_MS = 1000;

/** Words at a place in the caller's audio, as `DeepgramServer.script()` takes them. */
interface Utterance {
  readonly text: string;
  readonly startMs: number;
  readonly wordMs: number;
}

/** A caller's words that interrupt: how far into the reply, and when the first word is recognised, in ms of the caller's audio. */
export interface PlannedBargeIn {
  readonly offsetMs: number;
  readonly atMs: number;
}

/** A call laid out in advance. Times are ms of the caller's audio, which is what the recognition runs on. */
export interface Conversation {
  readonly utterances: readonly Utterance[];
  /** When recognition says that a turn is over. */
  readonly turnEndsMs: readonly number[];
  readonly bargeIns: readonly PlannedBargeIn[];
  readonly endMs: number;
}

/** How far into a reply a caller interrupts, in ms. */
export const OFFSETS_MS = [400, 2500, 7000] as const;

/** A call of `rounds` times four replies: three are interrupted, one is heard to its end. */
export function conversation(rounds: number): Conversation {
  const turns = Array.from({ length: rounds }, () => [...OFFSETS_MS, undefined]).flat();
  return layOut(turns);
}

/** A call of two turns, after which every path of the program has run. Its last reply is not heard to the end. */
export function warmUp(): Conversation {
  const laidOut = layOut([1000, undefined]);
  const lastMs = laidOut.turnEndsMs.at(-1) ?? 0;
  return { ...laidOut, endMs: lastMs + 1500 };
}

function layOut(turns: readonly (number | undefined)[]): Conversation {
  const utterances: Utterance[] = [];
  const turnEndsMs: number[] = [];
  const bargeIns: PlannedBargeIn[] = [];
  let startMs = SETTLE_MS;
  for (const offsetMs of turns) {
    utterances.push({ text: WORDS, startMs, wordMs: WORD_MS });
    const turnEndMs = startMs + WORDS.split(" ").length * WORD_MS + ENDPOINTING_MS;
    turnEndsMs.push(turnEndMs);
    const replyMs = turnEndMs + MODEL_MS + VOICE_MS;
    if (offsetMs === undefined) {
      startMs = replyMs + whole(REPLY.length * CHARACTER_MS) + AFTER_REPLY_MS;
      continue;
    }
    bargeIns.push({ offsetMs, atMs: replyMs + offsetMs });
    startMs = replyMs + offsetMs - WORD_MS;
  }
  return { utterances, turnEndsMs, bargeIns, endMs: startMs };
}

/** Up to a whole frame of 20 ms. */
function whole(ms: number): number {
  return Math.ceil(ms / 20) * 20;
}
