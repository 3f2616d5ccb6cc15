import { PassThrough } from "node:stream";
import { expect, test } from "vitest";
import { Output } from "./output.js";
import { terminalLogger } from "./terminal-logger.js";

/** What the logger writes of a call's end and of a warning. */
function written(showsInfo: boolean): string {
  const stream = new PassThrough();
  const log = terminalLogger(new Output(stream), showsInfo).child({ callId: "c1" });
  log.info({ reason: "caller_hung_up", cacheHitShares: { haiku: 0.9 }, pii: { from: "+1555" } }, "call ended");
  log.warn({ err: new Error("No line.") }, "call degraded");
  return String(stream.read());
}

test("a call's end is a line with its figures, without what identifies anyone", () => {
  expect(written(true)).toBe(
    'info  call ended  reason=caller_hung_up  cacheHitShares={"haiku":0.9}\nwarn  call degraded  err=No line.\n',
  );
});

test("where calls are printed otherwise, only warnings and errors are lines", () => {
  expect(written(false)).toBe("warn  call degraded  err=No line.\n");
});
