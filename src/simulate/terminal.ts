import type { Readable, Writable } from "node:stream";
import { styleText } from "node:util";
import { clearLine, createInterface, cursorTo, type Interface } from "node:readline";
import { AsyncQueue } from "../core/queue.js";

/** Where a typed conversation happens. */
export interface TerminalStreams {
  readonly input: Readable;
  readonly output: Writable;
}

/** Who says a line. */
export type Speaker = "you" | "agent";

const LABEL_WIDTH = 7;
const STYLES = { you: "cyan", agent: "green" } as const;

/** Lines in, labelled lines out. Colours and a prompt only where a person sits at a terminal. */
export class Terminal implements Disposable {
  /** Lines that were typed; ends with the input or with Ctrl-C. */
  readonly lines = new AsyncQueue<string>();
  readonly #output: Writable;
  readonly #reader: Interface;
  readonly #isInteractive: boolean;
  readonly #hasColors: boolean;
  #open: Speaker | undefined;
  #isPrompting = false;

  constructor({ input, output }: TerminalStreams, onInterrupt: () => void) {
    this.#output = output;
    this.#isInteractive = isTerminal(input) && isTerminal(output);
    this.#hasColors = isTerminal(output) && output.hasColors();
    this.#reader = createInterface({ input, ...(this.#isInteractive && { output }), terminal: this.#isInteractive });
    this.#reader.on("line", (line) => this.lines.push(line));
    this.#reader.on("close", () => this.lines.end());
    this.#reader.on("SIGINT", onInterrupt);
  }

  /** Asks for the next line. */
  prompt(): void {
    this.#endLine();
    this.#isPrompting = true;
    if (!this.#isInteractive) return;
    this.#reader.setPrompt(this.#label("you"));
    this.#reader.prompt();
  }

  /** Takes note that the line asked for has come; shows it where it was not typed in sight. */
  answered(line: string): void {
    this.#isPrompting = false;
    if (this.#isInteractive) return;
    this.say("you", line);
    this.#endLine();
  }

  /** Adds to the speaker's line, or begins one. */
  say(speaker: Speaker, text: string): void {
    this.#aside(() => {
      if (this.#open === speaker) {
        this.#output.write(` ${text}`);
        return;
      }
      this.#endLine();
      this.#output.write(`${this.#label(speaker)}${text}`);
      this.#open = speaker;
    });
  }

  /** Writes a line of its own about what happens. */
  note(text: string): void {
    this.#aside(() => {
      this.#endLine();
      const indented = text.replace(/^/gm, " ".repeat(LABEL_WIDTH));
      this.#output.write(`${this.#hasColors ? styleText("dim", indented) : indented}\n`);
    });
  }

  [Symbol.dispose](): void {
    this.#endLine();
    this.#reader.close();
  }

  #endLine(): void {
    if (this.#open !== undefined) this.#output.write("\n");
    this.#open = undefined;
  }

  /** Writes above the prompt and what has been typed behind it. */
  #aside(write: () => void): void {
    if (!this.#isPrompting || !this.#isInteractive) {
      write();
      return;
    }
    clearLine(this.#output, 0);
    cursorTo(this.#output, 0);
    write();
    this.#endLine();
    this.#reader.prompt(true);
  }

  #label(speaker: Speaker): string {
    const label = speaker.padEnd(LABEL_WIDTH);
    return this.#hasColors ? styleText([STYLES[speaker], "bold"], label) : label;
  }
}

function isTerminal(stream: Readable | Writable): stream is (Readable | Writable) & { hasColors(): boolean } {
  return "isTTY" in stream && stream.isTTY === true;
}
