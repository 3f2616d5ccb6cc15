import { errorMessage } from "../core/errors.js";

/** What is typed on the command line cannot be done: exit code 2. */
export class UsageError extends Error {
  override readonly name = "UsageError";
}

/** Something the user can put right: exit code 1, its message alone, no stack. */
export class Failure extends Error {
  override readonly name = "Failure";
}

/**
 * Whether the message alone says what to do. A user's file may import another copy of this package, so errors are
 * told by what they carry and not by their class.
 */
export function isForTheUser(error: unknown): boolean {
  if (error instanceof UsageError || error instanceof Failure) return true;
  return error instanceof Error && "code" in error && "retryable" in error;
}

/** Everything known of an error, its causes included, for `--debug`. */
export function errorDetails(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const cause = error.cause === undefined ? "" : `\ncaused by: ${errorDetails(error.cause)}`;
  return `${error.stack ?? errorMessage(error)}${cause}`;
}
