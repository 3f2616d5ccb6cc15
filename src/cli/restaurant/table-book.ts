import { randomUUID } from "node:crypto";
import { mkdir, readFile, rename, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { ToolError } from "../../core/errors.js";

/** A table and how many it seats. */
export interface Table {
  readonly table: number;
  readonly seats: number;
}

/** A table taken for two hours. */
export interface Booking {
  readonly bookingId: number;
  readonly table: number;
  /** `YYYY-MM-DD` and `HH:MM`, where the restaurant is. */
  readonly date: string;
  readonly time: string;
  readonly partySize: number;
  readonly name?: string;
  /** The action that made it; the same action finds it again. */
  readonly idempotencyKey: string;
}

/** What a caller wants. */
export interface BookingRequest {
  readonly date: string;
  readonly time: string;
  readonly partySize: number;
  readonly name?: string;
  readonly idempotencyKey: string;
  /** The booking that this one takes the place of. */
  readonly replaces?: number;
  /** No time before this one is offered instead: the others have passed. */
  readonly notBefore?: string;
}

/** What became of it. A `full` answer offers the nearest free times, best first. */
export type BookingResult =
  | { readonly status: "booked"; readonly booking: Booking }
  | { readonly status: "full"; readonly alternatives: readonly string[] }
  | { readonly status: "unknown_booking" };

interface TableFile {
  readonly tables: readonly Table[];
  readonly bookings: readonly Booking[];
}

/** How long a table is taken, and how far apart the offered times lie, in minutes. */
const STAY_MINUTES = 120;
const STEP_MINUTES = 15;
const MAX_ALTERNATIVES = 3;

const SEATS = [2, 2, 2, 2, 4, 4, 4, 6, 6, 8];

/** When guests may be seated, `HH:MM`. */
export interface SeatingHours {
  readonly first: string;
  readonly last: string;
}

/**
 * The restaurant's tables and bookings, in the file `tables.json` of a folder. The file is made when it is missing
 * and replaced as a whole, so that it is never half written. Bookings of one `TableBook` wait for one another: a folder
 * belongs to one.
 */
export class TableBook {
  readonly #folder: string;
  readonly #path: string;
  readonly #hours: SeatingHours;
  #last: Promise<unknown> = Promise.resolve();

  constructor(folder: string, hours: SeatingHours) {
    this.#folder = folder;
    this.#path = join(folder, "tables.json");
    this.#hours = hours;
  }

  /** Books the smallest free table that is large enough. The same idempotency key books once. Rejects with a `ToolError` when the file cannot be used. */
  book(request: BookingRequest): Promise<BookingResult> {
    const result = this.#last.then(() => this.#book(request));
    this.#last = result.catch(() => {
      // The caller of this booking is told; the next one starts from the file as it is.
    });
    return result;
  }

  async #book(request: BookingRequest): Promise<BookingResult> {
    const file = await this.#read();
    const known = file.bookings.find(({ idempotencyKey }) => idempotencyKey === request.idempotencyKey);
    if (known !== undefined) return { status: "booked", booking: known };
    const replaced = file.bookings.find(({ bookingId }) => bookingId === request.replaces);
    if (request.replaces !== undefined && replaced === undefined) return { status: "unknown_booking" };
    const others = file.bookings.filter((booking) => booking !== replaced);
    const table = freeTable(file.tables, others, request.date, request.time, request.partySize);
    if (table === undefined) return { status: "full", alternatives: this.#alternatives(file.tables, others, request) };
    const booking: Booking = {
      bookingId: replaced?.bookingId ?? 1 + Math.max(0, ...file.bookings.map(({ bookingId }) => bookingId)),
      table: table.table,
      date: request.date,
      time: request.time,
      partySize: request.partySize,
      ...(request.name === undefined ? {} : { name: request.name }),
      idempotencyKey: request.idempotencyKey,
    };
    await this.#write({ tables: file.tables, bookings: [...others, booking] });
    return { status: "booked", booking };
  }

  #alternatives(
    tables: readonly Table[],
    bookings: readonly Booking[],
    { date, time, partySize, notBefore = "" }: BookingRequest,
  ): string[] {
    const wanted = minutesOf(time);
    const times: number[] = [];
    for (let at = minutesOf(this.#hours.first); at <= minutesOf(this.#hours.last); at += STEP_MINUTES) times.push(at);
    return times
      .sort((a, b) => Math.abs(a - wanted) - Math.abs(b - wanted) || b - a)
      .map(timeOf)
      .filter((candidate) => candidate >= notBefore && freeTable(tables, bookings, date, candidate, partySize) !== undefined)
      .slice(0, MAX_ALTERNATIVES);
  }

  async #read(): Promise<TableFile> {
    let text: string;
    try {
      text = await readFile(this.#path, "utf8");
    } catch (error) {
      if (isMissing(error)) return { tables: SEATS.map((seats, index) => ({ table: index + 1, seats })), bookings: [] };
      throw new ToolError(`The table book ${this.#path} cannot be read. Check the file's permissions.`, { cause: error });
    }
    return parseTableFile(text, this.#path);
  }

  async #write(file: TableFile): Promise<void> {
    await mkdir(this.#folder, { recursive: true });
    const draft = `${this.#path}.${randomUUID()}.tmp`;
    await writeFile(draft, `${JSON.stringify(file, null, 2)}\n`, { flush: true });
    await rename(draft, this.#path);
  }
}

function freeTable(
  tables: readonly Table[],
  bookings: readonly Booking[],
  date: string,
  time: string,
  partySize: number,
): Table | undefined {
  const taken = new Set(
    bookings
      .filter((booking) => booking.date === date && Math.abs(minutesOf(booking.time) - minutesOf(time)) < STAY_MINUTES)
      .map(({ table }) => table),
  );
  return tables
    .filter(({ table, seats }) => seats >= partySize && !taken.has(table))
    .sort((a, b) => a.seats - b.seats || a.table - b.table)
    .at(0);
}

function parseTableFile(text: string, path: string): TableFile {
  const file = parseJson(text);
  if (isTableFile(file)) return file;
  throw new ToolError(`The table book ${path} is not the JSON it should be. Repair it, or delete it to start anew.`);
}

function isTableFile(value: unknown): value is TableFile {
  if (typeof value !== "object" || value === null || !("tables" in value) || !("bookings" in value)) return false;
  const { tables, bookings } = value;
  if (!Array.isArray(tables) || !Array.isArray(bookings)) return false;
  return (
    tables.every((table) => hasNumbers(table, ["table", "seats"])) &&
    bookings.every((booking) => hasNumbers(booking, ["bookingId", "table", "partySize"]) && isTimed(booking))
  );
}

function hasNumbers(value: unknown, names: readonly string[]): boolean {
  return (
    typeof value === "object" &&
    value !== null &&
    names.every((name) => typeof (value as Record<string, unknown>)[name] === "number")
  );
}

function isTimed(value: unknown): boolean {
  const { date, time } = value as Record<string, unknown>;
  return typeof date === "string" && typeof time === "string";
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    // What it is not, the caller says.
    return undefined;
  }
}

function isMissing(error: unknown): boolean {
  return error instanceof Error && "code" in error && error.code === "ENOENT";
}

function minutesOf(time: string): number {
  const [hours = 0, minutes = 0] = time.split(":").map(Number);
  return hours * 60 + minutes;
}

function timeOf(minutes: number): string {
  return `${String(Math.floor(minutes / 60)).padStart(2, "0")}:${String(minutes % 60).padStart(2, "0")}`;
}
