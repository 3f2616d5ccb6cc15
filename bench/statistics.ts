/** The value below which a share of the sorted values lies; linear between neighbours. */
export function percentile(values: readonly number[], share: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  const position = (sorted.length - 1) * share;
  const below = sorted[Math.floor(position)] as number;
  const above = sorted[Math.ceil(position)] as number;
  return below + (above - below) * (position - Math.floor(position));
}

export function median(values: readonly number[]): number {
  return percentile(values, 0.5);
}

/** A table row: a name, then numbers with their unit. */
export function row(name: string, ...cells: readonly string[]): string {
  return `${name.padEnd(46)} ${cells.map((cell) => cell.padStart(14)).join(" ")}`;
}
