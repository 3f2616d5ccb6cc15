import { contentWords, hasPhrase, type Words } from "./words.js";

/** What every caller may ask of a dialogue at any time. */
export type Command = "transfer" | "goodbye" | "repeat" | "help" | "restart" | "cancel";

const TRANSFER = [
  "transfer",
  "operator",
  "representative",
  "receptionist",
  "manager",
  "real person",
  "human",
  "human being",
  "speak to someone",
  "talk to someone",
  "speak to somebody",
  "talk to somebody",
  "speak to a person",
  "talk to a person",
  "speak with a person",
  "speak with someone",
  "put me through",
];
const GOODBYE = [
  "goodbye",
  "good bye",
  "good buy",
  "good guy",
  "bye",
  "bye bye",
  "that's all",
  "that is all",
  "that's it",
  "nothing else",
  "hang up",
  "see you",
  "have a nice day",
  "have a good day",
];
const REPEAT = [
  "repeat",
  "say that again",
  "say it again",
  "once more",
  "come again",
  "pardon",
  "excuse me",
  "what was that",
  "what did you say",
  "what do you mean",
  "didn't hear",
  "didn't catch",
  "didn't understand",
  "don't understand",
];
const REPEAT_ALONE = ["what", "sorry", "again", "huh", "hm"];
const HELP = [
  "help",
  "what can i say",
  "what can you do",
  "how does this work",
  "who are you",
  "are you a robot",
  "are you a computer",
  "are you a machine",
  "are you real",
];
const RESTART = ["start over", "start again", "from the beginning", "start from scratch"];
const CANCEL = ["cancel", "never mind", "nevermind", "forget it", "changed my mind"];

/** The command in an utterance, if there is one. */
export function commandIn(words: Words): Command | undefined {
  if (hasPhrase(words, TRANSFER)) return "transfer";
  if (hasPhrase(words, RESTART)) return "restart";
  if (hasPhrase(words, CANCEL)) return "cancel";
  if (hasPhrase(words, GOODBYE)) return "goodbye";
  if (hasPhrase(words, REPEAT)) return "repeat";
  if (hasPhrase(words, HELP)) return "help";
  const content = contentWords(words);
  return content.length === 1 && REPEAT_ALONE.includes(content[0] ?? "") ? "repeat" : undefined;
}
