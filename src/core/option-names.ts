import { ConfigError } from "./errors.js";

/** The names of one object of options. */
export interface OptionNames {
  /** Whose options they are, in an error's words: `agent`, `serve()`. */
  readonly where: string;
  readonly known: readonly string[];
  /** Names of the compatible API whose work is not done here; `false` asks for nothing and is accepted. */
  readonly notBuilt?: readonly string[];
}

/** More letters than this apart, a name is no typo of another. */
const MAX_TYPO_EDITS = 3;

/**
 * Refuses options that would be ignored. `undefined` is as good as left out.
 * @throws ConfigError that names the option, and the one that was meant where there is one like it.
 */
export function checkOptionNames(options: unknown, { where, known, notBuilt = [] }: OptionNames): void {
  if (typeof options !== "object" || options === null)
    throw new ConfigError(`${where} takes its options as one object, not ${options === null ? "null" : typeof options}.`);
  for (const [name, value] of Object.entries(options)) {
    if (value === undefined || known.includes(name)) continue;
    if (!notBuilt.includes(name)) throw new ConfigError(`There is no ${where} option "${name}": ${hint(name, known)}`);
    if (value !== false) throw new ConfigError(`The ${where} option "${name}" is not supported yet: remove it.`);
  }
}

/** Writes an option's value as an error shows it: text in quotes, numbers such as `NaN` by their name. */
export function showValue(value: unknown): string {
  return typeof value === "number" ? String(value) : (JSON.stringify(value) ?? String(value));
}

function hint(name: string, known: readonly string[]): string {
  const [nearest] = known
    .map((candidate) => ({ candidate, edits: editsBetween(name.toLowerCase(), candidate.toLowerCase()) }))
    .filter(({ candidate, edits }) => edits <= MAX_TYPO_EDITS && edits < candidate.length / 2)
    .sort((a, b) => a.edits - b.edits);
  return nearest === undefined ? `it takes ${known.join(", ")}.` : `did you mean "${nearest.candidate}"?`;
}

/** Letters to insert, delete or replace to make one word of the other (Levenshtein distance). */
function editsBetween(a: string, b: string): number {
  let previous = Array.from({ length: b.length + 1 }, (_, index) => index);
  for (let row = 1; row <= a.length; row++) {
    const current = [row];
    for (let column = 1; column <= b.length; column++) {
      const replaced = (previous[column - 1] as number) + (a[row - 1] === b[column - 1] ? 0 : 1);
      current.push(Math.min(replaced, (previous[column] as number) + 1, (current[column - 1] as number) + 1));
    }
    previous = current;
  }
  return previous[b.length] as number;
}
