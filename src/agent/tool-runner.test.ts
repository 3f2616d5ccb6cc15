import { getEventListeners } from "node:events";
import { describe, expect, test } from "vitest";
import { z } from "zod";
import type { Call } from "../core/call.js";
import type { ToolCallMessage } from "../core/chat.js";
import { VirtualClock } from "../core/clock.js";
import { CallError } from "../core/errors.js";
import { deferred } from "../core/signals.js";
import type { ToolOutcome } from "./history.js";
import { ToolRunner } from "./tool-runner.js";
import { type AnyTool, type ToolContext, tool } from "./tools.js";

interface Rig {
  readonly clock: VirtualClock;
  readonly runner: ToolRunner;
  /** What was reported, in order. */
  readonly log: string[];
  readonly outcomes: Map<string, ToolOutcome>;
  readonly arguments: unknown[];
  endCall(): void;
  /** Whether the call's signal has no listener and the clock no timer left. */
  isClean(): boolean;
}

function rig(...tools: readonly AnyTool[]): Rig {
  const clock = new VirtualClock();
  const controller = new AbortController();
  const log: string[] = [];
  const outcomes = new Map<string, ToolOutcome>();
  const args: unknown[] = [];
  const refuse = (): never => {
    throw new Error("not in this test");
  };
  const call: Call = {
    id: "call-1",
    from: "+15550100",
    to: "+15550101",
    direction: "inbound",
    customParameters: {},
    signal: controller.signal,
    events: { [Symbol.asyncIterator]: refuse },
    say: refuse,
    hangUp: refuse,
    transfer: refuse,
    sendDtmf: refuse,
  };
  const runner = new ToolRunner({
    tools,
    call,
    clock,
    observer: {
      started: (reply, { id }, value) => {
        log.push(`${reply} ${id} started`);
        args.push(value);
      },
      ended: (reply, { id }, outcome, durationMs) => {
        log.push(`${reply} ${id} ended after ${durationMs}`);
        expect(outcomes.has(id)).toBe(false);
        outcomes.set(id, outcome);
      },
    },
  });
  return {
    clock,
    runner,
    log,
    outcomes,
    arguments: args,
    endCall: () => controller.abort(new CallError("The call call-1 has ended.")),
    isClean: () => clock.pendingTimers === 0 && getEventListeners(controller.signal, "abort").length === 0,
  };
}

function called(name: string, args = "{}", id = "t1"): ToolCallMessage {
  return { id, type: "function", function: { name, arguments: args } };
}

/** A tool that takes 1,000 ms, and whether its signal was aborted meanwhile. */
function slow(
  clock: () => VirtualClock,
  options: Partial<Pick<AnyTool, "cancelOnBargeIn" | "timeoutMs">> = {},
): { definition: AnyTool; signals: AbortSignal[] } {
  const signals: AbortSignal[] = [];
  const handler = async (_args: unknown, { signal }: ToolContext): Promise<string> => {
    signals.push(signal);
    await clock().sleep(1000, signal);
    return "done";
  };
  return { definition: tool({ name: "slow", handler, ...options }), signals };
}

describe("ToolRunner", () => {
  test("gives the handler its checked arguments and its context, and reports both ends", async () => {
    const seen: unknown[] = [];
    const book = tool({
      name: "book",
      parameters: z.object({ seats: z.coerce.number() }),
      handler: (args, { callId, idempotencyKey, signal }) => {
        seen.push(args, callId, idempotencyKey, signal.aborted);
        return { booked: true };
      },
    });
    const { runner, log, outcomes, isClean } = rig(book);
    await runner.run(3, [called("book", '{"seats":"2"}')]);
    expect(seen).toEqual([{ seats: 2 }, "call-1", "call-1:t1", false]);
    expect(log).toEqual(["3 t1 started", "3 t1 ended after 0"]);
    expect(outcomes.get("t1")).toEqual({ content: '{"booked":true}', isError: false });
    expect(isClean()).toBe(true);
  });

  test.each([
    ["text", "text"],
    [7, "7"],
    [false, "false"],
    [null, ""],
    [undefined, ""],
    [["a", 1], '["a",1]'],
    [{ toJSON: () => undefined }, ""],
  ])("sends the result %j as %j", async (result, content) => {
    const { runner, outcomes } = rig(tool({ name: "give", handler: () => result }));
    await runner.run(0, [called("give")]);
    expect(outcomes.get("t1")).toEqual({ content, isError: false });
  });

  test("runs a call id once, while it runs and after it has ended", async () => {
    const answer = deferred<string>();
    let runs = 0;
    const once = tool({
      name: "once",
      handler: () => {
        runs++;
        return answer.promise;
      },
    });
    const { runner, log } = rig(once);
    const first = runner.run(0, [called("once"), called("once")]);
    const second = runner.run(1, [called("once")]);
    answer.resolve("done");
    await Promise.all([first, second]);
    await runner.run(2, [called("once")]);
    expect(runs).toBe(1);
    expect(log).toEqual(["0 t1 started", "0 t1 ended after 0"]);
  });

  test("runs the calls of one reply at the same time", async () => {
    const { definition } = slow(() => clock);
    const { clock, runner, log } = rig(definition);
    await clock.runUntil(runner.run(0, [called("slow", "", "a"), called("slow", "", "b"), called("slow", "", "c")]));
    expect(clock.now()).toBe(1000);
    expect(log.slice(0, 3)).toEqual(["0 a started", "0 b started", "0 c started"]);
  });

  test.each(['{"seats":', "two", "{]"])("tells the model that %j is no JSON and runs nothing", async (text) => {
    let runs = 0;
    const { runner, outcomes, arguments: reported } = rig(tool({ name: "book", handler: () => runs++ }));
    await runner.run(0, [called("book", text)]);
    expect(outcomes.get("t1")).toEqual({ content: "The arguments are not valid JSON.", isError: true });
    expect(reported).toEqual([text]);
    expect(runs).toBe(0);
  });

  test("takes no text for no arguments", async () => {
    const { runner, outcomes, arguments: reported } = rig(tool({ name: "time", handler: (args) => args }));
    await runner.run(0, [called("time", " ")]);
    expect(outcomes.get("t1")?.content).toBe("{}");
    expect(reported).toEqual([{}]);
  });

  test("tells the model which arguments are wrong", async () => {
    const book = tool({ name: "book", parameters: z.object({ seats: z.number() }), handler: () => "booked" });
    const { runner, outcomes } = rig(book);
    await runner.run(0, [called("book", '{"seats":"two"}')]);
    expect(outcomes.get("t1")).toEqual({ content: expect.stringMatching(/^Invalid arguments: seats: /), isError: true });
  });

  test("tells the model that there is no such tool", async () => {
    const { runner, outcomes } = rig();
    await runner.run(0, [called("absent")]);
    expect(outcomes.get("t1")).toEqual({ content: 'There is no tool named "absent".', isError: true });
  });

  test.each([
    [
      "throws at once",
      () => {
        throw new Error("out of paper");
      },
      "out of paper",
    ],
    ["rejects", () => Promise.reject(new Error("out of ink")), "out of ink"],
    ["rejects with no error", () => Promise.reject("closed"), "closed"],
  ])("tells the model what a handler says that %s", async (_, handler, content) => {
    const { runner, outcomes, isClean } = rig(tool({ name: "print", handler }));
    await runner.run(0, [called("print")]);
    expect(outcomes.get("t1")).toEqual({ content, isError: true });
    expect(isClean()).toBe(true);
  });

  test("reports a result that is no JSON as an error", async () => {
    const circle: { self?: unknown } = {};
    circle.self = circle;
    const { runner, outcomes } = rig(
      tool({ name: "circle", handler: () => circle }),
      tool({ name: "big", handler: () => ({ amount: 10n }) }),
    );
    await runner.run(0, [called("circle", "", "a"), called("big", "", "b")]);
    expect(outcomes.get("a")).toMatchObject({ isError: true, content: expect.stringContaining("circular") });
    expect(outcomes.get("b")).toMatchObject({ isError: true, content: expect.stringContaining("BigInt") });
  });

  test("ends a handler that takes too long, and ignores what it says later", async () => {
    const { definition, signals } = slow(() => clock, { timeoutMs: 400 });
    const late = deferred<string>();
    const deaf = tool({ name: "deaf", timeoutMs: 500, handler: () => late.promise });
    const { clock, runner, outcomes, log, isClean } = rig(definition, deaf);
    await clock.runUntil(runner.run(0, [called("slow", "", "a"), called("deaf", "", "b")]));
    expect(outcomes.get("a")).toEqual({ content: 'The tool "slow" did not answer within 400 ms.', isError: true });
    expect(outcomes.get("b")).toEqual({ content: 'The tool "deaf" did not answer within 500 ms.', isError: true });
    expect(signals[0]?.aborted).toBe(true);
    late.reject(new Error("at last"));
    await clock.advance(10_000);
    expect(log).toHaveLength(4);
    expect(isClean()).toBe(true);
  });

  test("waits ten seconds by default", async () => {
    const { clock, runner, outcomes } = rig(tool({ name: "never", handler: () => new Promise<string>(() => {}) }));
    await clock.runUntil(runner.run(0, [called("never")]));
    expect(clock.now()).toBe(10_000);
    expect(outcomes.get("t1")?.isError).toBe(true);
  });

  test("counts the checking of the arguments into that time", async () => {
    const stuck = tool({
      name: "stuck",
      timeoutMs: 500,
      parameters: z.object({ day: z.string().refine(() => new Promise<boolean>(() => {})) }),
      handler: () => "never",
    });
    const { clock, runner, outcomes, isClean } = rig(stuck);
    await clock.runUntil(runner.run(0, [called("stuck", '{"day":"monday"}')]));
    expect(outcomes.get("t1")).toEqual({ content: 'The tool "stuck" did not answer within 500 ms.', isError: true });
    expect(isClean()).toBe(true);
  });

  test("ends every handler with the call, also one that does not listen", async () => {
    const { definition, signals } = slow(() => clock);
    const deaf = tool({ name: "deaf", handler: () => new Promise<string>(() => {}) });
    const { clock, runner, outcomes, endCall, isClean } = rig(definition, deaf);
    const running = runner.run(0, [called("slow", "", "a"), called("deaf", "", "b")]);
    await clock.advance(100);
    endCall();
    await running;
    await runner.idle();
    expect([...outcomes.values()]).toEqual([
      { content: "The call call-1 has ended.", isError: true },
      { content: "The call call-1 has ended.", isError: true },
    ]);
    expect(signals[0]?.aborted).toBe(true);
    expect(isClean()).toBe(true);
  });

  test("starts no handler after the end of the call", async () => {
    let runs = 0;
    const { runner, outcomes, endCall, isClean } = rig(tool({ name: "book", handler: () => runs++ }));
    endCall();
    await runner.run(0, [called("book")]);
    expect(runs).toBe(0);
    expect(outcomes.get("t1")).toEqual({ content: "The call call-1 has ended.", isError: true });
    expect(isClean()).toBe(true);
  });

  test("aborts on a barge-in only the handlers that asked for it", async () => {
    const stays = slow(() => clock);
    const goes = slow(() => clock, { cancelOnBargeIn: true });
    const { clock, runner, outcomes } = rig(stays.definition, { ...goes.definition, name: "goes" });
    const running = runner.run(0, [called("slow", "", "a"), called("goes", "", "b")]);
    await clock.advance(100);
    runner.bargeIn();
    await clock.runUntil(running);
    expect(outcomes.get("a")).toEqual({ content: "done", isError: false });
    expect(outcomes.get("b")).toEqual({ content: "The caller interrupted; the action was cancelled.", isError: true });
  });

  test("is idle when no handler runs any more, those started meanwhile included", async () => {
    const { definition } = slow(() => clock);
    const { clock, runner, log } = rig(definition);
    await runner.idle();
    void runner.run(0, [called("slow", "", "a")]);
    await clock.advance(500);
    const idle = runner.idle();
    void runner.run(1, [called("slow", "", "b")]);
    await clock.runUntil(idle);
    expect(clock.now()).toBe(1500);
    expect(log.at(-1)).toBe("1 b ended after 1000");
  });
});
