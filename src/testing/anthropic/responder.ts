import type { Clock } from "../../core/clock.js";
import { type AnswerRequest, emptyMessage, type PlannedAnswer, planAnswer } from "./answer-events.js";
import { checkReply } from "./check-reply.js";
import { type AnthropicProblem, errorBody, problem, statusOf } from "./errors.js";
import type { Exchange } from "./exchange.js";
import { type ModelRules, modelRules, offeredModels } from "./model-rules.js";
import { PromptCache, promptTokens } from "./prompt-cache.js";
import type {
  AnthropicAnswer,
  AnthropicCut,
  AnthropicHttpError,
  AnthropicLatency,
  AnthropicOutage,
  AnthropicReply,
} from "./replies.js";
import type { AnthropicRequest } from "./request.js";
import { signatureProblem, ThinkingSigner } from "./signatures.js";
import { validateMessagesRequest } from "./validate.js";
import type { WireModel } from "./wire.js";

/** 32 MB, beyond which a request is not read. */
const MAX_BODY_BYTES = 32 * 1024 * 1024;
const EVENT_STREAM = { "content-type": "text/event-stream; charset=utf-8", "cache-control": "no-cache" };

export interface ResponderOptions {
  readonly clock: Clock;
  readonly apiKey: string | undefined;
  readonly latency: AnthropicLatency;
  readonly defaultReply: AnthropicReply;
}

/** A reply and the requests that it is for. */
export interface QueuedReply {
  readonly reply: AnthropicReply;
  readonly isFor: (request: AnthropicRequest) => boolean;
}

type PlainReply = Exclude<AnthropicReply, string | ((request: AnthropicRequest) => AnthropicReply)>;

/** Answers requests as the API does, whatever connection they came on. */
export class Responder {
  readonly #options: ResponderOptions;
  readonly #cache: PromptCache;
  readonly #queue: QueuedReply[] = [];
  #messages = 0;
  #toolCalls = 0;

  constructor(options: ResponderOptions) {
    this.#options = options;
    this.#cache = new PromptCache(options.clock);
  }

  add(reply: QueuedReply): void {
    this.#queue.push(reply);
  }

  /** Answers one request to its end. */
  async answer(exchange: Exchange): Promise<void> {
    const refused = this.#accessProblem(exchange);
    if (refused !== undefined) {
      refuse(exchange, refused);
      return;
    }
    const [path = ""] = exchange.path.split("?");
    const route = `${exchange.method} ${path.replace(/\/$/, "")}`;
    if (route === "POST /v1/messages") await this.#messagesRoute(exchange);
    else if (route === "POST /v1/messages/count_tokens") await this.#simpleRoute(exchange, () => countTokens(exchange));
    else if (route === "GET /v1/models") await this.#simpleRoute(exchange, () => listModels(exchange));
    else if (route.startsWith("GET /v1/models/")) await this.#simpleRoute(exchange, () => showModel(exchange, path));
    else if (/^\/v1\/(messages|messages\/count_tokens|models)\/?$/.test(path)) refuse(exchange, problem(405));
    else refuse(exchange, problem(404));
  }

  #accessProblem({ headers, bodyText }: Exchange): AnthropicProblem | undefined {
    const key = headers["x-api-key"] ?? /^Bearer\s+(.+)$/i.exec(headers["authorization"] ?? "")?.[1];
    if (key === undefined || key === "") return problem(401, "x-api-key header is required");
    if (this.#options.apiKey !== undefined && key !== this.#options.apiKey) return problem(401, "invalid x-api-key");
    if (headers["anthropic-version"] === undefined) return problem(400, "anthropic-version: header is required");
    if (Buffer.byteLength(bodyText) > MAX_BODY_BYTES) return problem(413);
    return undefined;
  }

  async #simpleRoute(exchange: Exchange, respond: () => void): Promise<void> {
    const reply = this.#take(exchange);
    if (reply === undefined) respond();
    else await this.#reply(exchange, reply, undefined);
  }

  async #messagesRoute(exchange: Exchange): Promise<void> {
    if (!exchange.isJson) {
      refuse(exchange, problem(400, "The request body is not valid JSON: expected an object"));
      return;
    }
    const found = validateMessagesRequest(exchange.body, exchange.headers);
    const rules = modelRules(exchange.body.model ?? "");
    if (found !== undefined || rules === undefined) {
      refuse(exchange, found ?? problem(404, `model: ${exchange.body.model}`));
      return;
    }
    const unsigned = signatureProblem(exchange.body, rules);
    if (unsigned !== undefined) {
      refuse(exchange, unsigned);
      return;
    }
    const reply = this.#take(exchange);
    const request = this.#answerRequest(exchange, rules);
    if (reply !== undefined) await this.#reply(exchange, reply, request);
    else if (exchange.body.max_tokens === 0) await this.#warmUp(exchange, request);
    else await this.#reply(exchange, this.#options.defaultReply, request);
  }

  /** The next reply that is for this request. */
  #take(exchange: Exchange): AnthropicReply | undefined {
    const index = this.#queue.findIndex(({ isFor }) => isFor(exchange));
    return index < 0 ? undefined : this.#queue.splice(index, 1)[0]?.reply;
  }

  #answerRequest({ body }: Exchange, rules: ModelRules): AnswerRequest {
    const display = body.thinking?.display ?? (body.thinking?.type === "enabled" ? "summarized" : "omitted");
    return {
      id: `msg_${String(++this.#messages).padStart(6, "0")}`,
      model: rules.snapshots[0] ?? rules.id,
      use: this.#cache.use(body, rules),
      limits: {
        maxTokens: body.max_tokens ?? 0,
        stopSequences: body.stop_sequences ?? [],
        showsThinking: display !== "omitted",
        signer: new ThinkingSigner(body, rules),
        nextToolId: () => `toolu_${String(++this.#toolCalls).padStart(6, "0")}`,
      },
    };
  }

  async #warmUp(exchange: Exchange, request: AnswerRequest): Promise<void> {
    await exchange.wait(this.#options.latency.headersMs ?? 0);
    const message = emptyMessage(request);
    request.use.commit();
    exchange.use(message.usage);
    exchange.respond(200, message);
  }

  async #reply(exchange: Exchange, given: AnthropicReply, request: AnswerRequest | undefined): Promise<void> {
    const reply = plainReply(given, exchange);
    const { headersMs = this.#options.latency.headersMs ?? 0 } = reply;
    await exchange.wait(headersMs);
    if ("status" in reply) return httpError(exchange, reply);
    if ("connection" in reply) return outage(exchange, reply);
    if (request === undefined) throw new TypeError("Only a request for a message can be given an answer: give it an error.");
    const answer = { ...this.#options.latency, ...reply };
    const planned = planAnswer(answer, request);
    if (exchange.body.stream === true) await this.#stream(exchange, answer, planned, request);
    else await this.#whole(exchange, answer, planned, request);
  }

  async #whole(exchange: Exchange, answer: AnthropicAnswer, planned: PlannedAnswer, request: AnswerRequest): Promise<void> {
    for (const { waitMs } of planned.events) await exchange.wait(waitMs);
    if (answer.cut !== undefined) return wholeCut(exchange, answer.cut);
    request.use.commit();
    exchange.use(planned.message.usage);
    exchange.respond(200, planned.message, answer.headers);
  }

  async #stream(exchange: Exchange, answer: AnthropicAnswer, planned: PlannedAnswer, request: AnswerRequest): Promise<void> {
    const { cut } = answer;
    const after = cut === undefined ? undefined : (cut.after ?? "message_start");
    exchange.head(200, { ...EVENT_STREAM, ...answer.headers });
    if (cut !== undefined && after === "headers") return breakOff(exchange, cut, answer);
    request.use.commit();
    const { usage } = planned.message;
    exchange.use({ ...usage, output_tokens: 0, output_tokens_details: null });
    exchange.send(planned.start.type, planned.start);
    if (cut !== undefined && (after === "message_start" || after === 0)) return breakOff(exchange, cut, answer);
    let deltas = 0;
    for (const { event, waitMs, contentTokens } of planned.events) {
      await exchange.wait(waitMs, answer.pingEveryMs);
      exchange.send(event.type, event);
      if (contentTokens === undefined) continue;
      exchange.use({ ...usage, output_tokens: Math.min(contentTokens, usage.output_tokens), output_tokens_details: null });
      if (cut !== undefined && after === ++deltas) return breakOff(exchange, cut, answer);
    }
    exchange.use(usage);
    exchange.finish();
  }
}

function plainReply(reply: AnthropicReply, request: AnthropicRequest): PlainReply {
  checkReply(reply);
  if (typeof reply === "function") return plainReply(reply(request), request);
  return typeof reply === "string" ? { text: reply } : reply;
}

function refuse(exchange: Exchange, found: AnthropicProblem): void {
  exchange.respond(found.status, errorBody(found, exchange.id), { "x-should-retry": "false" });
}

function httpError(exchange: Exchange, { status, type, message, details, headers, body }: AnthropicHttpError): void {
  const described = { ...problem(status, message, type), ...(details === undefined ? {} : { details }) };
  exchange.respond(status, body ?? errorBody(described, exchange.id), headers);
}

async function outage(exchange: Exchange, { connection }: AnthropicOutage): Promise<void> {
  if (connection === "reset") exchange.reset();
  else await exchange.wait(Number.POSITIVE_INFINITY);
}

async function breakOff(exchange: Exchange, { with: how }: AnthropicCut, { pingEveryMs = 1000 }: AnthropicAnswer): Promise<void> {
  if (how === "eof") return exchange.finish("cut");
  if (how === "reset") return exchange.reset();
  if (how === "silence") return exchange.wait(Number.POSITIVE_INFINITY);
  if (how === "pings") return exchange.wait(Number.POSITIVE_INFINITY, pingEveryMs);
  const { type, message } = how;
  exchange.send("error", errorBody(problem(statusOf(type), message, type), exchange.id));
  exchange.finish("cut");
}

async function wholeCut(exchange: Exchange, { with: how }: AnthropicCut): Promise<void> {
  if (typeof how === "object") return httpError(exchange, { ...how, status: statusOf(how.type) });
  return outage(exchange, { connection: how === "eof" || how === "reset" ? "reset" : "silence" });
}

function countTokens(exchange: Exchange): void {
  const found = validateMessagesRequest({ max_tokens: 1, ...exchange.body }, exchange.headers);
  if (found !== undefined) refuse(exchange, found);
  else exchange.respond(200, { input_tokens: promptTokens(exchange.body) });
}

function listModels(exchange: Exchange): void {
  const query = new URLSearchParams(exchange.path.split("?")[1]);
  const all = offeredModels().map(wireModel);
  const first = query.get("after_id") === null ? 0 : all.findIndex(({ id }) => id === query.get("after_id")) + 1;
  const data = all.slice(first, first + Number(query.get("limit") ?? 20));
  exchange.respond(200, {
    data,
    first_id: data[0]?.id ?? null,
    last_id: data.at(-1)?.id ?? null,
    has_more: first + data.length < all.length,
  });
}

function showModel(exchange: Exchange, path: string): void {
  const id = decodeURIComponent(path.split("/")[3] ?? "");
  const rules = modelRules(id);
  if (rules === undefined) refuse(exchange, problem(404, `model: ${id}`));
  else exchange.respond(200, wireModel(rules));
}

function wireModel(rules: ModelRules): WireModel {
  const id = rules.snapshots[0] ?? rules.id;
  const [, year, month, day] = /(\d{4})(\d{2})(\d{2})$/.exec(id) ?? [];
  return {
    id,
    type: "model",
    display_name: rules.name,
    // The API gives the epoch where the date of a release is not known.
    created_at: year === undefined ? "1970-01-01T00:00:00Z" : `${year}-${month}-${day}T00:00:00Z`,
    capabilities: null,
    lifecycle: rules.deprecated ? "deprecated" : "active",
    line: null,
    deprecated_at: null,
    retires_at: null,
    max_input_tokens: rules.contextTokens,
    max_tokens: rules.maxOutputTokens,
  };
}
