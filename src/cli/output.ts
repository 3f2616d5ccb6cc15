import type { Writable } from "node:stream";
import { stripVTControlCharacters, styleText } from "node:util";

/** How a piece of text may look. */
export type TextStyle = Parameters<typeof styleText>[0];

/** Lines for a person, or for a pipe: colours, and lines that change, only on a terminal that has them. */
export class Output {
  readonly stream: Writable;
  readonly isTerminal: boolean;
  readonly #hasColors: boolean;

  constructor(stream: Writable) {
    this.stream = stream;
    this.isTerminal = isTerminal(stream);
    // `hasColors` heeds NO_COLOR and FORCE_COLOR.
    this.#hasColors = isTerminal(stream) && stream.hasColors();
  }

  line(text = ""): void {
    this.stream.write(`${text}\n`);
  }

  style(style: TextStyle, text: string): string {
    return this.#hasColors ? styleText(style, text) : text;
  }

  /** Shows a line that the next one replaces; nothing where lines stay. */
  transient(text: string): void {
    if (!isTerminal(this.stream)) return;
    // A line that wraps cannot be replaced.
    const widest = this.stream.columns - 1;
    this.stream.write(`\r\u001B[2K${visibleLength(text) > widest ? stripVTControlCharacters(text).slice(0, widest) : text}`);
  }
}

/** Columns as wide as their widest cell; cells may be styled. */
export function table(rows: readonly (readonly string[])[]): string[] {
  const widths: number[] = [];
  for (const row of rows)
    for (const [column, cell] of row.entries()) widths[column] = Math.max(widths[column] ?? 0, visibleLength(cell));
  return rows.map((row) =>
    row
      .map((cell, column) => cell + " ".repeat((widths[column] ?? 0) - visibleLength(cell)))
      .join("  ")
      .trimEnd(),
  );
}

/** Bytes as people read them: `49.8 MB`. */
export function megabytes(bytes: number): string {
  return `${(bytes / 1e6).toFixed(1)} MB`;
}

function visibleLength(text: string): number {
  return stripVTControlCharacters(text).length;
}

function isTerminal(stream: Writable): stream is Writable & { readonly columns: number; hasColors(): boolean } {
  return "isTTY" in stream && stream.isTTY === true;
}
