import { describe, expect, test } from "vitest";
import { isBackchannel, isEcho, type Judgement, judge, type Situation } from "./barge-in.js";

describe("isBackchannel", () => {
  test.each([
    "mm-hm",
    "Mhm.",
    "uh-huh",
    "Yeah.",
    "yeah yeah",
    "Okay, great!",
    "I see",
    "right, right",
    "oh really?",
    "all right",
    "hmm",
    "Uh",
    "got it",
  ])("takes %j for the sound of listening", (transcript) => {
    expect(isBackchannel(transcript)).toBe(true);
  });

  test.each(["", " ", "...", "?!"])("takes %j for nothing said", (transcript) => {
    expect(isBackchannel(transcript)).toBe(true);
  });

  test.each([
    "no",
    "stop",
    "wait",
    "yes but",
    "yeah no",
    "okay stop",
    "two",
    "hello?",
    "what",
    "sorry",
    "yes yes yes yes yes",
    "はい、でも",
    "nein",
    "五",
  ])("takes %j for an interruption", (transcript) => {
    expect(isBackchannel(transcript)).toBe(false);
  });
});

describe("isEcho", () => {
  const spoken = "We are open from nine until five on every day of the week. Which day would you like?";

  test.each([
    ["the words themselves", "we are open from nine until five"],
    ["their last words", "which day would you like"],
    ["a single word of them", "nine"],
    ["other case and punctuation", "NINE, until FIVE!"],
    ["some words missing", "open nine five every week"],
    ["a word misheard", "we are open from mine until five"],
    ["words misheard and added", "we are open from nine and til five on every day"],
  ])("knows %s", (_, transcript) => {
    expect(isEcho(transcript, spoken)).toBe(true);
  });

  test.each([
    ["other words", "do you have a table"],
    ["a question with a few of the agent's words", "are you open on sunday evening too"],
    ["the agent's words in another order", "week the of day every on five"],
    ["its words among as many others", "no not nine I said ten until five"],
    ["nothing", ""],
    ["only marks", "…"],
  ])("does not take %s for one", (_, transcript) => {
    expect(isEcho(transcript, spoken)).toBe(false);
  });

  test("knows none while nothing has been said", () => {
    expect(isEcho("hello", "")).toBe(false);
  });
});

describe("judge", () => {
  /** The agent is speaking, and has seconds to go. */
  const speaking: Situation = {
    transcript: "",
    overlapsReply: true,
    voiceUntilMs: 10_000,
    soundsLikeEcho: () => false,
    played: "We are open from nine until five on every day.",
    silentSinceMs: undefined,
    unheardMs: 3000,
  };

  test.each<[string, Judgement, Partial<Situation>]>([
    ["no words", "nothing", {}],
    ["other words", "turn", { transcript: "wait a moment" }],
    ["a listener's sound", "listening", { transcript: "mm-hm" }],
    [
      "a listener's sound while the reply is still being made",
      "listening",
      { transcript: "okay", unheardMs: Number.POSITIVE_INFINITY },
    ],
    ["the same in its last second", "turn", { transcript: "okay", unheardMs: 1000 }],
    ["the same with no reply under way", "turn", { transcript: "okay", overlapsReply: false, unheardMs: undefined }],
    ["the agent's words while it can be heard", "echo", { transcript: "nine until five" }],
    ["other words in a voice that follows the agent's", "echo", { transcript: "if he", soundsLikeEcho: () => true }],
    ["the agent's words right behind its voice", "echo", { transcript: "nine until five", silentSinceMs: 9800 }],
    ["the agent's words in a voice that outlasts it", "turn", { transcript: "nine until five", silentSinceMs: 9600 }],
    [
      "the agent's words, begun when it was silent",
      "turn",
      { transcript: "nine until five", overlapsReply: false, unheardMs: undefined },
    ],
  ])("takes %s for: %s", (_, judgement, situation) => {
    expect(judge({ ...speaking, ...situation })).toBe(judgement);
  });
});
