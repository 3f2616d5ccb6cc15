import { ConfigError } from "../core/errors.js";

const EMOJI = /[\p{Extended_Pictographic}\p{Emoji_Modifier}\u{1F1E6}-\u{1F1FF}\u{E0020}-\u{E007F}\u{FE0F}\u{200D}\u{20E3}]/gu;

/** Takes out what a voice cannot say: Markdown marks, links' addresses, emoji. Marks alone are nothing to say. */
export function speakable(text: string): string {
  const spoken = text
    .replace(EMOJI, "")
    .replace(/```[^\n]*\n?|`/g, "")
    .replace(/!?\[([^\]]*)\]\((?:[^()\s]|\([^()\s]*\))*(?:\s+["'][^)]*)?\)/g, "$1")
    .replace(/^\s*([-*_])(?:[ \t]*\1){2,}[ \t]*$/gm, "")
    .replace(/^\s{0,3}(#{1,6}\s+|>\s?|[-*+]\s+)/gm, "")
    .replace(/(\*\*|__|~~)(?=\S)(.+?)(?<=\S)\1/gs, "$2")
    .replace(/(?<![\w*])\*(?=\S)([^*\n]+?)(?<=\S)\*(?![\w*])/g, "$1")
    .replace(/(?<![\w_])_(?=\S)([^_\n]+?)(?<=\S)_(?![\w_])/g, "$1")
    // Its partner stands in another sentence.
    .replace(/(?<!\w)\*\*|\*\*(?!\w)/g, "")
    .replace(/\s+/g, " ")
    .trim();
  return /[\p{L}\p{N}]/u.test(spoken) ? spoken : "";
}

/**
 * A sentence as the voice says it: speakable, then changed by the agent's transforms, in order. A transform that
 * fails, or returns no text, goes to `onError` and changes nothing.
 */
export function spokenText(
  sentence: string,
  transforms: readonly ((text: string) => string)[],
  onError: (error: unknown) => void,
): string {
  return transforms.reduce((text, transform) => {
    try {
      const changed: unknown = transform(text);
      if (typeof changed === "string") return changed;
      throw new ConfigError(`A text transform returned ${typeof changed}: return the text to speak.`);
    } catch (error) {
      onError(error);
      return text;
    }
  }, speakable(sentence));
}
