/** How a transcript differs from what was said, in words. */
export interface WordErrors {
  /** Words of the reference. */
  readonly words: number;
  /** All of them: the three kinds below. */
  readonly errors: number;
  readonly substitutions: number;
  readonly deletions: number;
  readonly insertions: number;
}

interface Path {
  readonly substitutions: number;
  readonly deletions: number;
  readonly insertions: number;
}

/** Counts the fewest word errors that turn `reference` into `transcript`. Case and punctuation do not count. */
export function wordErrors(reference: string, transcript: string): WordErrors {
  const said = wordsOf(reference);
  const understood = wordsOf(transcript);
  let row: Path[] = [{ substitutions: 0, deletions: 0, insertions: 0 }];
  for (const _word of understood) row.push(plus(row.at(-1) as Path, "insertions"));
  for (const word of said) {
    const above = row;
    row = [plus(above[0] as Path, "deletions")];
    for (const [column, heard] of understood.entries()) {
      const diagonal = above[column] as Path;
      const match = word === heard ? diagonal : plus(diagonal, "substitutions");
      row.push(best(match, plus(above[column + 1] as Path, "deletions"), plus(row[column] as Path, "insertions")));
    }
  }
  const path = row.at(-1) as Path;
  return { words: said.length, errors: total(path), ...path };
}

function wordsOf(text: string): string[] {
  return text.toLowerCase().match(/[\p{L}\p{N}']+/gu) ?? [];
}

function plus(path: Path, error: keyof Path): Path {
  return { ...path, [error]: path[error] + 1 };
}

function best(...paths: readonly [Path, ...Path[]]): Path {
  return paths.reduce((a, b) => (total(b) < total(a) ? b : a));
}

function total({ substitutions, deletions, insertions }: Path): number {
  return substitutions + deletions + insertions;
}
