import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { Conversation, type ConversationTool } from "../../test/llm/conversation.js";
import { collect, textOf } from "../../test/llm/vendor.js";
import type { ChatMessage, ToolSpec } from "../core/chat.js";
import { VirtualClock } from "../core/clock.js";
import { ConfigError } from "../core/errors.js";
import type { LlmChunk } from "../core/llm.js";
import { choiceSlot, dialogue, LLM, numberSlot, type Outcome, ScriptedLLM, yesNoSlot } from "./scripted.js";

interface Order {
  readonly count: number;
  readonly size: "small" | "large";
  readonly gift: boolean;
}

/** A flower shop: nothing in the engine knows what is sold. */
const script = dialogue({
  name: "flowers",
  greeting: { say: "Hello. How many roses would you like?", asks: "count" },
  slots: {
    count: numberSlot({
      ask: ["How many roses?", "How many? Please say a number."],
      names: ["number", "how many"],
      nouns: ["rose", "roses"],
      introductions: ["make it"],
      check: (count) => (count > 20 ? "We have twenty." : undefined),
    }),
    size: choiceSlot({ ask: ["Small or large ones?"], names: ["size"], choices: { small: ["small"], large: ["large", "big"] } }),
    gift: yesNoSlot({ ask: ["Shall we wrap them?"], say: { yes: "wrapped", no: "not wrapped" } }),
  },
  confirm: ({ count, size, gift }) => ({
    say: `That is ${count} ${size} roses, ${gift ? "wrapped" : "not wrapped"}.`,
    ask: "Is that right?",
  }),
  action: {
    tool: "order",
    say: "Just a second.",
    arguments: (values: Order, previous) => ({ ...values, ...(previous === undefined ? {} : { replaces: previous }) }),
    outcome: ({ result, isError }, values): Outcome<Order> => {
      if (isError) return { type: "ask", say: "We are out of that size.", slot: "size" };
      if (result === "only ten")
        return {
          type: "offer",
          say: "There are ten left.",
          ask: "Do you take ten?",
          values: { ...values, count: 10 },
          otherwise: "count",
        };
      return { type: "done", say: "Ordered." };
    },
  },
  topics: ["roses", "order"],
  intents: [{ phrases: ["how much", "price"], reply: "A rose is one euro." }],
  transfer: { say: "I am connecting you.", tool: "transfer_call", arguments: { to: "shop" }, unavailable: "Nobody is here." },
});

type Answer = string | Error;

function conversation(answers: readonly Answer[] = [], extra: readonly ConversationTool[] = []): Conversation {
  const left = [...answers];
  const order: ConversationTool = {
    name: "order",
    parameters: { type: "object" },
    handler: async () => {
      const answer = left.shift() ?? "ok";
      if (answer instanceof Error) throw answer;
      return answer;
    },
  };
  return new Conversation(new ScriptedLLM({ script }), [order, ...extra], script.greeting.say);
}

async function sayAll(talk: Conversation, ...lines: readonly string[]): Promise<string> {
  let answer = "";
  for (const line of lines) answer = await talk.say(line);
  return answer;
}

const endCall: ConversationTool = { name: "end_call", parameters: { type: "object" }, handler: async () => "The call ends." };
const CONFIRM = "That is 3 small roses, wrapped. Is that right?";

describe("a dialogue", () => {
  test("asks for what is missing, reads everything back, acts on a yes and tells the result", async () => {
    const talk = conversation();
    expect(await talk.say("three")).toBe("Three roses. Small or large ones?");
    expect(await talk.say("small please")).toBe("Small. Shall we wrap them?");
    expect(await talk.say("yes")).toBe(`Wrapped. ${CONFIRM}`.replace("Wrapped. ", ""));
    expect(await talk.say("that's right")).toBe("Just a second. Ordered. Is there anything else I can do for you?");
    expect(talk.calls).toEqual([{ name: "order", args: { count: 3, size: "small", gift: true } }]);
    expect(await talk.say("no thank you")).toBe("Thank you for calling. Goodbye!");
  });

  test("takes several values at once and in any order", async () => {
    expect(await conversation().say("hello three small roses please")).toBe("Three roses, small. Shall we wrap them?");
    expect(await conversation().say("large ones i think")).toBe("Large. How many roses?");
  });

  test("calls a tool with an id that follows from the conversation, so that the same request cannot act twice", async () => {
    const talk = conversation();
    await sayAll(talk, "three", "small", "yes");
    const messages: ChatMessage[] = [...talk.messages, { role: "user", content: "yes" }];
    const call = async (): Promise<LlmChunk | undefined> =>
      (await collect(new ScriptedLLM({ script }).stream(messages))).find(({ type }) => type === "tool_call");
    expect(await call()).toEqual({
      type: "tool_call",
      index: 0,
      id: "scripted_1",
      name: "order",
      arguments: '{"count":3,"size":"small","gift":true}',
    });
    expect(await call()).toEqual(await call());
  });

  test("asks in other words each time it has not understood, and helps from the third time on", async () => {
    const talk = conversation();
    expect(await talk.say("the weather is lovely")).toBe("Sorry, I did not get that. How many? Please say a number.");
    expect(await talk.say("banana")).toBe("Sorry, I did not get that. How many? Please say a number.");
    expect(await talk.say("banana")).toContain("I am an automated assistant.");
    expect(await talk.say("three")).toBe("Three roses. Small or large ones?");
  });

  test.each(["hello", "thank you", "um", "yes", "i want to order roses"])(
    "%j is no failure to understand: the question is asked again",
    async (line) => {
      expect(await conversation().say(line)).toBe("How many roses?");
    },
  );

  test("says why it cannot take a value, and asks again", async () => {
    expect(await conversation().say("thirty roses")).toBe("We have twenty. How many roses?");
  });

  test("answers what callers ask besides, and goes on", async () => {
    const talk = conversation();
    expect(await talk.say("how much are three roses")).toBe("A rose is one euro. How many roses?");
    expect(await talk.say("three roses then what's the price")).toBe("A rose is one euro. Three roses. Small or large ones?");
  });
});

describe("a confirmation", () => {
  const confirming = async (answers: readonly Answer[] = []): Promise<Conversation> => {
    const talk = conversation(answers);
    expect(await sayAll(talk, "three small", "yes")).toBe(CONFIRM);
    return talk;
  };

  test("is asked again with a value that was corrected, and a yes that brings a new value confirms nothing", async () => {
    const talk = await confirming();
    expect(await talk.say("no five roses")).toBe("All right. That is 5 small roses, wrapped. Is that right?");
    expect(await talk.say("yes but large ones")).toBe("All right. That is 5 large roses, wrapped. Is that right?");
    expect(talk.calls).toEqual([]);
    expect(await talk.say("yes five roses")).toContain("Ordered.");
  });

  test("leads to what should change after a no, and asks for what is named", async () => {
    const talk = await confirming();
    expect(await talk.say("no")).toBe("What should I change?");
    expect(await talk.say("the size")).toBe("Small or large ones?");
    expect(await talk.say("big")).toBe("That is 3 large roses, wrapped. Is that right?");
    expect(await talk.say("no the size is wrong")).toBe("Small or large ones?");
  });

  test("that was interrupted before its end is asked again: a yes to half a question is none", async () => {
    const talk = await confirming();
    talk.interrupt("That is 3 small");
    expect(await talk.say("yes")).toBe(CONFIRM);
    expect(talk.calls).toEqual([]);
    expect(await talk.say("yes")).toContain("Ordered.");
  });

  test("that lacks only its last word has been understood", async () => {
    const talk = await confirming();
    talk.interrupt("That is 3 small roses, wrapped. Is that");
    expect(await talk.say("yes")).toContain("Ordered.");
  });

  test("of which nothing was heard leaves the question before it open", async () => {
    const talk = await confirming();
    talk.interrupt("");
    expect(await talk.say("no don't wrap them")).toBe(
      "That is 3 small roses, not wrapped. Is that right?".replace("That", "All right. That"),
    );
  });

  test("is not repeated with values that have changed since", async () => {
    const talk = await confirming();
    await talk.say("no five roses");
    talk.interrupt("");
    expect(await talk.say("what")).toBe("All right. That is 5 small roses, wrapped. Is that right?");
  });

  test("heard behind a line that bridged a wait counts as heard", async () => {
    const talk = await confirming();
    talk.interrupt("");
    talk.messages.push({ role: "assistant", content: `One moment, please. ${CONFIRM}` });
    expect(await talk.say("yes")).toContain("Ordered.");
  });
});

describe("a result", () => {
  test("that was interrupted is told again", async () => {
    const talk = conversation();
    await sayAll(talk, "three small", "yes", "yes");
    talk.interrupt("Ordered. Is");
    expect(await talk.say("what")).toBe("Ordered. Is there anything else I can do for you?");
    expect(talk.calls).toHaveLength(1);
  });

  test("that offers something else acts on a yes, and asks again on a no", async () => {
    const accepted = conversation(["only ten"]);
    expect(await sayAll(accepted, "fifteen small roses", "no", "yes")).toBe(
      "Just a second. There are ten left. Do you take ten?",
    );
    expect(await accepted.say("okay")).toContain("Ordered.");
    expect(accepted.calls.at(-1)?.args).toMatchObject({ count: 10 });
    const named = conversation(["only ten"]);
    expect(await sayAll(named, "fifteen small roses", "no", "yes", "ten roses")).toContain("Ordered.");
    const refused = conversation(["only ten"]);
    expect(await sayAll(refused, "fifteen small roses", "no", "yes", "no")).toBe("How many roses?");
    expect(await refused.say("five")).toBe("That is 5 small roses, not wrapped. Is that right?");
  });

  test("of a tool that failed asks for another value", async () => {
    const talk = conversation([new Error("no stock")]);
    expect(await sayAll(talk, "three small", "yes", "yes")).toBe("Just a second. We are out of that size. Small or large ones?");
    expect(await talk.say("large")).toBe("That is 3 large roses, wrapped. Is that right?");
  });

  test("can be changed afterwards, with the earlier one named", async () => {
    const talk = conversation(["order 7"]);
    await sayAll(talk, "three small", "yes", "yes");
    expect(await talk.say("actually make it five")).toBe("All right. That is 5 small roses, wrapped. Is that right?");
    await talk.say("yes");
    expect(talk.calls.at(-1)?.args).toMatchObject({ count: 5, replaces: "order 7" });
    expect(await talk.say("i want to start over")).toBe("All right, from the beginning. How many roses?");
    await sayAll(talk, "two large", "no", "yes");
    expect(talk.calls.at(-1)?.args).toEqual({ count: 2, size: "large", gift: false });
  });

  test("that has not come yet is waited for, without calling again", async () => {
    const talk = conversation();
    await sayAll(talk, "three small", "yes");
    const pending: ChatMessage[] = [
      ...talk.messages,
      { role: "user", content: "yes" },
      {
        role: "assistant",
        content: "Just a second.",
        tool_calls: [{ id: "scripted_1", type: "function", function: { name: "order", arguments: "{}" } }],
      },
      { role: "user", content: "hello" },
    ];
    const chunks = await collect(new ScriptedLLM({ script }).stream(pending));
    expect(textOf(chunks)).toBe("One moment, please.");
    expect(chunks.some(({ type }) => type === "tool_call")).toBe(false);
  });
});

describe("at any time", () => {
  test.each(["repeat", "pardon", "what did you say", "sorry", "i'm sorry"])("%j repeats the last words", async (line) => {
    const talk = conversation();
    await talk.say("three");
    expect(await talk.say(line)).toBe("Three roses. Small or large ones?");
  });

  test("help explains and asks again", async () => {
    expect(await conversation().say("are you a robot")).toBe(
      "I am an automated assistant. Please answer in a few words. How many roses?",
    );
  });

  test("a caller who wants a person is transferred where the agent can, and told so where it cannot", async () => {
    expect(await conversation().say("can i talk to a person")).toBe("Nobody is here. How many roses?");
    const transfer: ConversationTool = { name: "transfer_call", parameters: { type: "object" }, handler: async () => "ok" };
    const able = conversation([], [transfer]);
    expect(await able.say("operator")).toBe("I am connecting you.");
    expect(able.calls).toEqual([{ name: "transfer_call", args: { to: "shop" } }]);
    const broken: ConversationTool = {
      name: "transfer_call",
      parameters: { type: "object" },
      handler: async () => {
        throw new Error("busy");
      },
    };
    expect(await conversation([], [broken]).say("operator")).toBe("I am connecting you. Nobody is here. How many roses?");
  });

  test("goodbye ends the call where the agent can, once", async () => {
    const talk = conversation([], [endCall]);
    expect(await talk.say("goodbye")).toBe("Thank you for calling. Goodbye!");
    expect(talk.calls).toEqual([{ name: "end_call", args: { reason: "The caller said goodbye." } }]);
    const plain = conversation();
    expect(await plain.say("bye")).toBe("Thank you for calling. Goodbye!");
    expect(plain.calls).toEqual([]);
  });

  test("a caller who goes on after the goodbye is answered", async () => {
    const talk = conversation([], [endCall]);
    await sayAll(talk, "three", "goodbye");
    expect(await talk.say("wait large ones")).toBe("Large. Shall we wrap them?");
  });

  test("cancelling drops everything, and yes, that's all confirms", async () => {
    const talk = conversation();
    expect(await sayAll(talk, "three", "never mind")).toBe(
      "All right, I have dropped that. Is there anything else I can do for you?",
    );
    expect(await talk.say("yes")).toBe("What can I do for you?");
    expect(await sayAll(talk, "two small", "no", "yes that's all")).toContain("Ordered.");
  });
});

describe("whatever the caller says, and wherever they cut in", () => {
  const word = fc.constantFrom(
    ..."yes no three five roses small large not the size repeat help actually banana for to at okay wrong change hello".split(
      " ",
    ),
  );
  const line = fc.oneof(
    fc.constantFrom("three small roses", "five large", "yes"),
    fc.constantFrom("yes", "no", "five", "what", "start over"),
    fc.array(word, { minLength: 1, maxLength: 5 }).map((words) => words.join(" ")),
  );
  const turn = fc.record({ line, heardShare: fc.constantFrom(0, 0.3, 0.7, 1, 1, 1, 1, 1) });

  test("the agent always answers, and orders only what was heard and agreed to", async () => {
    let orders = 0;
    await fc.assert(
      fc.asyncProperty(fc.array(turn, { minLength: 4, maxLength: 14 }), async (turns) => {
        const talk = conversation();
        for (const { line: text, heardShare } of turns) {
          const before = talk.messages.flatMap(({ role, content }) => (role === "assistant" ? [content ?? ""] : []));
          const ordered = talk.calls.length;
          const answer = await talk.say(text);
          expect(answer).not.toBe("");
          if (talk.calls.length > ordered) {
            orders++;
            const { count, size } = (talk.calls.at(-1)?.args ?? {}) as Order;
            const agreed = `That is ${count} ${size} roses`;
            expect(before.some((said) => said.includes(agreed) && said.endsWith("Is that right?"))).toBe(true);
            // Nothing else has been read back since, not even the beginning of it.
            const latest = before.findLast((said) => said.includes("That is")) ?? "";
            expect(agreed.startsWith(latest.slice(latest.indexOf("That is"), latest.indexOf("That is") + agreed.length))).toBe(
              true,
            );
          }
          const last = talk.messages.at(-1)?.content ?? "";
          const words = last.match(/\S+\s*/g) ?? [];
          talk.interrupt(
            words
              .slice(0, Math.ceil(words.length * heardShare))
              .join("")
              .trim(),
          );
        }
      }),
    );
    expect(orders).toBeGreaterThan(10);
  });
});

describe("the stream", () => {
  const ask: readonly ChatMessage[] = [{ role: "user", content: "goodbye" }];
  const specs: readonly ToolSpec[] = [{ type: "function", function: { name: "end_call", parameters: { type: "object" } } }];

  test("comes in pieces of a few words and ends with why", async () => {
    const chunks = await collect(new ScriptedLLM({ script }).stream(ask, specs));
    expect(chunks).toEqual([
      { type: "text", content: "Thank you for " },
      { type: "text", content: "calling. Goodbye!" },
      { type: "tool_call", index: 0, id: "scripted_1", name: "end_call", arguments: '{"reason":"The caller said goodbye."}' },
      { type: "done", stopReason: "tool_use" },
    ]);
  });

  test("begins with the greeting when nobody has said anything", async () => {
    expect(textOf(await collect(new ScriptedLLM({ script }).stream([{ role: "system", content: "x" }])))).toBe(
      script.greeting.say,
    );
  });

  test("keeps a model's pace when asked to", async () => {
    const clock = new VirtualClock();
    const reading = collect(new ScriptedLLM({ script, tokensPerSecond: 10 }).stream(ask, specs, { clock }));
    await clock.advance(499);
    expect(clock.pendingTimers).toBe(1);
    await clock.advance(1);
    expect(await reading).toHaveLength(4);
  });

  test("ends at once and without an error when it is aborted", async () => {
    const clock = new VirtualClock();
    const controller = new AbortController();
    const stream = new ScriptedLLM({ script, tokensPerSecond: 1 }).stream(ask, specs, { clock, signal: controller.signal });
    const next = stream.next();
    controller.abort();
    expect(await next).toEqual({ value: undefined, done: true });
    expect(await collect(new ScriptedLLM({ script }).stream(ask, specs, { signal: controller.signal }))).toEqual([]);
  });

  test("says what it is", () => {
    expect(new LLM({ script })).toMatchObject({ provider: "scripted", model: "flowers" });
    expect(() => new ScriptedLLM({ script, tokensPerSecond: 0 })).toThrow(ConfigError);
  });
});
