import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { History } from "../../agent/history.js";
import { systemMessages } from "../../agent/prompt.js";
import type { ChatMessage, ToolCallMessage, ToolSpec } from "../../core/chat.js";
import { modelRules } from "../../testing/anthropic/model-rules.js";
import { signatureProblem, ThinkingSigner } from "../../testing/anthropic/signatures.js";
import { validateMessagesRequest } from "../../testing/anthropic/validate.js";
import type { AnthropicRequestBody } from "../../testing/anthropic/wire.js";
import { type BodyOptions, endsInPlaceholder, messagesBody, warmupBody } from "./messages.js";
import type { AnswerPart, AnthropicData } from "./replay.js";
import type { MessagesBody } from "./wire.js";

const MAX_TOKENS = 4000;

/** What the provider would set for a few models that differ in what they accept. */
const SETTINGS: readonly Omit<BodyOptions, "warn">[] = [
  { parameters: { model: "claude-haiku-4-5", max_tokens: MAX_TOKENS }, acceptsPrefill: true, acceptsMidCallSystem: false },
  {
    parameters: { model: "claude-sonnet-4-5", max_tokens: MAX_TOKENS, thinking: { type: "enabled", budget_tokens: 2000 } },
    acceptsPrefill: false,
    acceptsMidCallSystem: false,
  },
  { parameters: { model: "claude-sonnet-4-6", max_tokens: MAX_TOKENS }, acceptsPrefill: false, acceptsMidCallSystem: false },
  { parameters: { model: "claude-haiku-5-5", max_tokens: MAX_TOKENS }, acceptsPrefill: false, acceptsMidCallSystem: true },
];

const options: fc.Arbitrary<BodyOptions> = fc
  .record({
    settings: fc.constantFrom(...SETTINGS),
    caching: fc.constantFrom({}, { caching: { ttl: "5m" } }, { caching: { ttl: "1h" } } as const),
    choice: fc.constantFrom({}, { toolChoice: { type: "none" } }, { toolChoice: { type: "tool", name: "book table" } } as const),
    speculative: fc.boolean(),
  })
  .map(({ settings, caching, choice, speculative }) => ({
    ...settings,
    ...caching,
    // A demanded tool does not go with a thinking budget, nor with a warm-up: the provider does not ask for it then.
    ...(settings.parameters.thinking === undefined ? (choice as Pick<BodyOptions, "toolChoice">) : {}),
    speculative,
    warn: () => {},
  }));

/** What the server would refuse the body for. */
function refusal(body: object): unknown {
  return validateMessagesRequest(JSON.parse(JSON.stringify(body)));
}

/** The prompt as the model reads it, a line for each block: tools, system, messages. */
function lines({ tools = [], system = [], messages }: MessagesBody): string[] {
  const line = (role: string, block: object): string => {
    const { cache_control: _marker, ...content } = block as { readonly cache_control?: unknown };
    return `${role} ${JSON.stringify(content)}\n`;
  };
  return [
    ...tools.map((tool) => line("tool", tool)),
    ...system.map((block) => line("system prompt", block)),
    ...messages.flatMap(({ role, content }) => content.map((block) => line(role, block))),
  ];
}

// A call, as the agent leads it: a request goes out when the caller has spoken or all tools have answered.

interface Round {
  readonly text: string;
  readonly calls: number;
  readonly errors: boolean;
  readonly isReversed: boolean;
  readonly thinking: Thinking;
}

type Thinking = "none" | "first" | "between" | "redacted";

interface CallTurn {
  readonly user: string;
  readonly rounds: readonly Round[];
  readonly final: { readonly text: string; readonly thinking: Thinking };
  /** How many of the reply's words were heard; undefined when it was heard in full. */
  readonly heardWords: number | undefined;
  /** The caller interrupts while the tools of the last round still run, and they answer behind the caller's words. */
  readonly interruptsTools: boolean;
  /** The agent says something by itself behind the reply. */
  readonly say: string;
}

const text = fc.constantFrom("", " ", "One moment. ", "Let me see,\nplease.", "Yes.\n\nAnd then?", "Sure \u{1F600}!");
const thinking = fc.constantFrom<Thinking>("none", "first", "between", "redacted");
const callTurns: fc.Arbitrary<readonly CallTurn[]> = fc.array(
  fc.record({
    user: fc.constantFrom("Hello", "a table ", "  for two", "yes\nplease"),
    rounds: fc.array(
      fc.record({ text, calls: fc.integer({ min: 1, max: 3 }), errors: fc.boolean(), isReversed: fc.boolean(), thinking }),
      { maxLength: 3 },
    ),
    final: fc.record({ text, thinking }),
    heardWords: fc.option(fc.integer({ min: 0, max: 6 }), { nil: undefined }),
    interruptsTools: fc.boolean(),
    say: fc.constantFrom("", "", "Are you still there?"),
  }),
  { minLength: 1, maxLength: 6 },
);

interface Sent {
  readonly body: MessagesBody;
  /** The replies that were cut since the request before. */
  readonly cut: readonly number[];
}

const TOOLS: readonly ToolSpec[] = ["book table", "hours"].map((name) => ({
  type: "function",
  function: { name, parameters: { type: "object", properties: {} } },
}));

/** Leads a call over the real history, and gives every request that it sends. */
class CallDriver {
  readonly sent: Sent[] = [];
  readonly #history = new History();
  readonly #options: BodyOptions;
  readonly #system: readonly ChatMessage[];
  #cut: number[] = [];
  #calls = 0;

  constructor(greeting: string, variables: Readonly<Record<string, string>>, bodyOptions: BodyOptions) {
    this.#options = bodyOptions;
    this.#system = systemMessages("Be brief.", variables);
    this.#history.addAssistant(0, greeting);
  }

  lead(turns: readonly CallTurn[]): void {
    let late: readonly (() => void)[] = [];
    for (const [index, turn] of turns.entries()) {
      this.#history.addUser(turn.user);
      for (const answer of late) answer();
      late = this.#reply(index + 1, turn);
    }
  }

  #reply(reply: number, turn: CallTurn): readonly (() => void)[] {
    let request = this.#send();
    for (const [number, round] of turn.rounds.entries()) {
      const calls = Array.from({ length: round.calls }, () => this.#call());
      const said = tagged(reply, number, round.text);
      this.#history.addToolCalls(reply, spoken(said), calls, signed(request, round.thinking, said, round.calls));
      const answers = calls.map(({ id }, index) => () => {
        this.#history.addToolOutcome(id, { content: index === 1 ? "" : `result of ${id}`, isError: round.errors });
      });
      if (round.isReversed) answers.reverse();
      if (turn.interruptsTools && number === turn.rounds.length - 1) {
        this.#settle(reply, turn, undefined);
        return answers;
      }
      for (const answer of answers) answer();
      request = this.#send();
    }
    const said = tagged(reply, turn.rounds.length, turn.final.text);
    this.#settle(reply, turn, { said, providerData: signed(request, turn.final.thinking, said, 0) });
    return [];
  }

  #settle(reply: number, turn: CallTurn, final: { said: string; providerData: unknown } | undefined): void {
    const written = turn.rounds.map((round, number) => spoken(tagged(reply, number, round.text)));
    const last = spoken(final?.said ?? "");
    let left = turn.heardWords ?? Number.POSITIVE_INFINITY;
    const heard = [...written, last].map((said) => {
      const words = said.match(/\S+\s*/g) ?? [];
      const part = words.slice(0, left).join("");
      left -= words.length;
      return left >= 0 ? said : part.trimEnd();
    });
    if (heard.slice(0, -1).some((part, index) => part !== written[index])) this.#cut.push(reply);
    this.#history.settle(reply, heard.slice(0, -1));
    const isWhole =
      final !== undefined && heard.at(-1) === last && heard.slice(0, -1).every((part, index) => part === written[index]);
    this.#history.addAssistant(reply, heard.at(-1) ?? "", isWhole ? final.providerData : undefined);
    this.#history.addAssistant(reply + 1000, turn.say);
  }

  #send(): MessagesBody {
    const body = messagesBody([...this.#system, ...this.#history.messages()], TOOLS, this.#options);
    this.sent.push({ body, cut: this.#cut });
    this.#cut = [];
    return body;
  }

  #call(): ToolCallMessage {
    const id = `toolu_${this.#calls++}`;
    return { id, type: "function", function: { name: "book table", arguments: '{"party":2}' } };
  }
}

/** A text that names its reply, so that a cut can be found in the prompt; blank stays blank. */
function tagged(reply: number, round: number, said: string): string {
  return said.trim() === "" ? said : `<${reply}.${round}> ${said}`;
}

/** The text as the history keeps it: its sentences were spoken one by one. */
function spoken(said: string): string {
  return said.replace(/\s+/g, " ").trim();
}

/** What the model wants back with an answer to this request, signed as the test server signs it. */
function signed(request: MessagesBody, kind: Thinking | "end", said: string, calls: number): AnthropicData | undefined {
  const { model } = request;
  const rules = modelRules(model);
  if (kind === "none" || rules === undefined) return undefined;
  const signer = new ThinkingSigner(JSON.parse(JSON.stringify(request)) as AnthropicRequestBody, rules);
  const words: AnswerPart[] = said.trim() === "" ? [] : [{ type: "text", text: said }];
  const uses = Array.from({ length: calls }, (): AnswerPart => ({ type: "tool_use" }));
  if (kind === "redacted") return { model, parts: [{ type: "redacted_thinking", data: signer.sign("") }, ...words, ...uses] };
  const first: AnswerPart = { type: "thinking", thinking: "Hm.", signature: signer.sign("Hm.") };
  if (kind === "end") return { model, parts: [...words, ...uses, first] };
  if (kind === "first" || words.length === 0) return { model, parts: [first, ...words, ...uses] };
  signer.add({ type: "thinking", thinking: "Hm.", signature: first.signature });
  signer.add({ type: "text", text: said, citations: null });
  const second: AnswerPart = { type: "thinking", thinking: "", signature: signer.sign("") };
  return { model, parts: [first, ...words, second, ...uses] };
}

const calls = fc.record({
  turns: callTurns,
  greeting: fc.constantFrom("", "Luna, good evening. "),
  variables: fc.constantFrom({}, { name: "Ann" }),
  bodyOptions: options,
});

function requestsOf({ turns, greeting, variables, bodyOptions }: typeof calls extends fc.Arbitrary<infer T> ? T : never): Sent[] {
  const driver = new CallDriver(greeting, variables, bodyOptions);
  driver.lead(turns);
  return driver.sent;
}

describe("any call that the agent can lead", () => {
  test("sends only what the API accepts, signed thinking included", () => {
    fc.assert(
      fc.property(calls, (call) => {
        for (const { body } of requestsOf(call)) {
          expect(refusal(body)).toBeUndefined();
          const rules = modelRules(body.model);
          expect(rules && signatureProblem(JSON.parse(JSON.stringify(body)) as AnthropicRequestBody, rules)).toBeUndefined();
        }
      }),
      { numRuns: 300 },
    );
  });

  test("sends each request as a continuation of the last, but for a reply whose text beside its tools was cut", () => {
    fc.assert(
      fc.property(calls, (call) => {
        const sent = requestsOf(call);
        for (const [index, { body, cut }] of sent.entries()) {
          if (index === 0) continue;
          const before = lines((sent[index - 1] as Sent).body);
          const after = lines(body);
          const cutAt = before.findIndex((line) => cut.some((reply) => line.includes(`<${reply}.`)));
          if (cut.length === 0) expect(after.join("").startsWith(before.join(""))).toBe(true);
          else {
            // Up to the cut everything stays; behind it, all but the reply's own texts and the thinking.
            const kept = cutAt < 0 ? before.length : before.slice(0, cutAt).findLastIndex((line) => !isThinking(line)) + 1;
            expect(after.slice(0, kept)).toEqual(before.slice(0, kept));
            const rest = (all: readonly string[]): string =>
              all.filter((line) => !isThinking(line) && !cut.some((reply) => line.includes(`<${reply}.`))).join("");
            expect(rest(after).startsWith(rest(before))).toBe(true);
          }
        }
      }),
      { numRuns: 300 },
    );
  });
});

function isThinking(line: string): boolean {
  return line.startsWith('assistant {"type":"thinking"') || line.startsWith('assistant {"type":"redacted_thinking"');
}

// Any conversation at all, as a user's own code may build it.

const ids = fc.constantFrom("a", "b", "c:1", "c_1", "", "a");
const anyText = fc.oneof(
  fc.constantFrom("", " ", "\n", "Hi ", "cut \uD83D", "\uDE00"),
  fc.string({ maxLength: 8, unit: "binary" }),
);
const anyCall: fc.Arbitrary<ToolCallMessage> = fc.record({
  id: ids,
  type: fc.constant("function" as const),
  function: fc.record({
    name: fc.oneof(fc.constantFrom("hours", "book table", ""), anyText),
    arguments: fc.oneof(fc.constantFrom("", "{}", '{"n":', "[1]", '{"e":"\\ud83d"}', "null"), fc.json({ maxDepth: 2 })),
  }),
});
/** What a provider has left with a message: its own thinking, to be signed, or what it cannot read. */
type Trace = Thinking | "end" | "foreign" | "unreadable";

/** A message of any conversation. */
interface TracedMessage {
  readonly message: ChatMessage;
  readonly trace: Trace;
}

const FOREIGN: AnthropicData = {
  model: "claude-opus-4-6",
  parts: [{ type: "thinking", thinking: "", signature: "eA==" }, { type: "text", text: "Hi " }, { type: "tool_use" }],
};
const anyTrace = fc.constantFrom<Trace>("none", "first", "between", "redacted", "end", "foreign", "unreadable");
const anyMessage: fc.Arbitrary<TracedMessage> = fc.record({
  message: fc.oneof<fc.Arbitrary<ChatMessage>[]>(
    fc.record({ role: fc.constantFrom("system" as const, "user" as const), content: anyText }),
    fc
      .tuple(
        fc.record({ role: fc.constant("assistant" as const), content: fc.option(anyText) }),
        fc.oneof(fc.constant({}), fc.record({ tool_calls: fc.array(anyCall, { maxLength: 3 }) })),
      )
      .map(([message, toolCalls]) => ({ ...message, ...toolCalls })),
    fc.record({ role: fc.constant("tool" as const), tool_call_id: ids, content: anyText, isError: fc.boolean() }),
  ),
  trace: anyTrace,
});

/** The conversation with the thinking of its answers, each signed for the request that it answered; and those requests. */
function withThinking(
  conversation: readonly TracedMessage[],
  tools: readonly ToolSpec[],
  bodyOptions: BodyOptions,
): { readonly messages: ChatMessage[]; readonly answered: MessagesBody[] } {
  const messages: ChatMessage[] = [];
  const answered: MessagesBody[] = [];
  for (const { message, trace } of conversation) {
    if (message.role !== "assistant" || trace === "none") messages.push(message);
    else if (trace === "foreign") messages.push({ ...message, providerData: FOREIGN });
    else if (trace === "unreadable") messages.push({ ...message, providerData: "another vendor's" });
    else {
      const request = messagesBody(messages, tools, bodyOptions);
      const providerData = endsInPlaceholder(request)
        ? undefined
        : signed(request, trace, message.content ?? "", message.tool_calls?.length ?? 0);
      if (providerData !== undefined) answered.push(request);
      messages.push({ ...message, providerData });
    }
  }
  return { messages, answered };
}

const anySchema = fc.constantFrom<ToolSpec["function"]["parameters"]>(
  {},
  { $schema: "https://json-schema.org/draft/2020-12/schema", type: "object", properties: {}, additionalProperties: false },
  {
    type: "object",
    additionalProperties: false,
    properties: { a: { type: ["string", "null"] }, b: { anyOf: [{ type: "string" }] } },
  },
  { type: "object", additionalProperties: false, properties: { n: { type: "integer", minimum: 1 } } },
  { type: "object", properties: { a: { type: "object", properties: {} } } },
  { type: "object", anyOf: [{ required: ["a"] }, { properties: { b: { type: "string" } }, required: ["b"] }] },
  { type: "object", additionalProperties: false, properties: { next: { $ref: "#" } } },
);
const anyTools: fc.Arbitrary<readonly ToolSpec[]> = fc.array(
  fc.record({
    type: fc.constant("function" as const),
    function: fc.record({
      name: fc.oneof(
        fc.constantFrom("book table", "book_table", "", "hours"),
        anyText,
        fc.string({ minLength: 65, maxLength: 80 }),
      ),
      parameters: anySchema,
      strict: fc.boolean(),
    }),
  }),
  { maxLength: 40, size: "max" },
);

describe("any conversation at all", () => {
  test("becomes a request that the API accepts, and so does its warm-up", () => {
    fc.assert(
      fc.property(fc.array(anyMessage, { maxLength: 25, size: "max" }), anyTools, options, (conversation, tools, bodyOptions) => {
        const { messages, answered } = withThinking(conversation, tools, bodyOptions);
        const body = messagesBody(messages, tools, bodyOptions);
        expect(refusal(body)).toBeUndefined();
        const prompt = lines(body).join("");
        // A model that binds its thinking refuses it in a conversation that was edited before it; others take it unchanged.
        const isContinued = answered.every((request) => prompt.startsWith(lines(request).join("")));
        const rules = modelRules(body.model);
        if (rules?.bindsThinking === false || isContinued)
          expect(rules && signatureProblem(JSON.parse(JSON.stringify(body)) as AnthropicRequestBody, rules)).toBeUndefined();
        // JSON escapes nothing else so: half a character, which no server reads.
        expect(JSON.stringify(body)).not.toMatch(/(?<!\\)(\\\\)*\\ud[89a-f]/);
        const { parameters, toolChoice: _, ...others } = bodyOptions;
        const { thinking: _thinking, ...quiet } = parameters;
        expect(refusal(warmupBody(messages, tools, { ...others, parameters: quiet }))).toBeUndefined();
      }),
      { numRuns: 1000 },
    );
  });
});
