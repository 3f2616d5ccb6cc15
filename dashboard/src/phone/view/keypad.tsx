import { useEffect } from "preact/hooks";

const KEYS = ["1", "2", "3", "4", "5", "6", "7", "8", "9", "*", "0", "#"] as const;
const LETTERS: Readonly<Record<string, string>> = {
  2: "ABC",
  3: "DEF",
  4: "GHI",
  5: "JKL",
  6: "MNO",
  7: "PQRS",
  8: "TUV",
  9: "WXYZ",
};
const NAMES: Readonly<Record<string, string>> = { "*": "star", "#": "hash" };

/** A telephone's keys; the computer's own keys press them too. */
export function Keypad({ onPress }: { readonly onPress: (digit: string) => void }) {
  useEffect(() => {
    const onKey = (event: KeyboardEvent): void => {
      const isKey = (KEYS as readonly string[]).includes(event.key);
      if (isKey && !event.ctrlKey && !event.metaKey && !event.altKey && !event.repeat) onPress(event.key);
    };
    window.addEventListener("keydown", onKey);
    return () => window.removeEventListener("keydown", onKey);
  }, [onPress]);
  return (
    <fieldset class="keypad" id="keypad" aria-label="Keypad">
      {KEYS.map((key) => (
        <button key={key} type="button" class="key" aria-label={NAMES[key] ?? key} onClick={() => onPress(key)}>
          <span class="key-digit">{key}</span>
          <span class="key-letters" aria-hidden="true">
            {LETTERS[key] ?? ""}
          </span>
        </button>
      ))}
    </fieldset>
  );
}
