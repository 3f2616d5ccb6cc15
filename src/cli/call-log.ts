import type { CallEndReason, CallEvent } from "../core/call-event.js";
import { callCost } from "../observe/call-cost.js";
import { costLine, turnCostText } from "../observe/cost-text.js";
import { type TurnLatency, turnLatencies } from "../observe/latency.js";
import { Pricing } from "../observe/pricing.js";
import { replyCost } from "../observe/recorder.js";
import type { Output } from "./output.js";

const ENDINGS: Readonly<Record<CallEndReason, string>> = {
  caller_hung_up: "the caller hung up",
  agent_hung_up: "the agent hung up",
  transferred: "it was transferred",
  carrier_ended: "the carrier ended it",
  connection_lost: "the connection was lost",
  shutdown: "it was stopped here",
  max_duration: "it reached its longest duration",
  error: "it failed",
};

export interface CallLogOptions {
  /** Put before every line, to tell calls apart. */
  readonly prefix?: string;
  /** Whether each answer shows how long it took and what it cost. Default true. */
  readonly showsLatency?: boolean;
  /** What models cost. Default: the built-in prices. */
  readonly pricing?: Pricing;
}

/** Prints what is said and done in a call, as it happens. */
export class CallLog {
  readonly #out: Output;
  readonly #prefix: string;
  readonly #showsLatency: boolean;
  readonly #pricing: Pricing;
  readonly #events: CallEvent[] = [];

  constructor(out: Output, options: CallLogOptions = {}) {
    this.#out = out;
    this.#prefix = options.prefix ?? "";
    this.#showsLatency = options.showsLatency ?? true;
    this.#pricing = options.pricing ?? new Pricing();
  }

  show(event: CallEvent): void {
    this.#events.push(event);
    switch (event.type) {
      case "turn_committed":
        this.#line(this.#out.style(["cyan", "bold"], "caller "), event.transcript);
        return;
      case "utterance_dismissed":
        this.#dim(`"${event.transcript}" made no turn (${event.reason})`);
        return;
      case "reply_ended":
        if (event.heard !== "") this.#reply(event);
        return;
      case "tool_started":
        this.#dim(`${event.name}(${asText(event.arguments)})`);
        return;
      case "tool_ended":
        this.#dim(`${event.name} ${event.isError ? "failed:" : "->"} ${event.result}`);
        return;
      case "dtmf_received":
        this.#dim(`key ${event.digit}`);
        return;
      case "call_error":
        this.#line(this.#out.style("yellow", "error  "), `${event.stage}: ${event.message}`);
        return;
      case "call_ended":
        this.#dim(`The call ended after ${duration(event.durationMs)}: ${ENDINGS[event.reason]}.`);
        this.#cost();
        return;
      default:
        return;
    }
  }

  #reply({ reply, reason, turn, heard }: Extract<CallEvent, { type: "reply_ended" }>): void {
    this.#line(this.#out.style(["green", "bold"], "agent  "), heard + (reason === "barge_in" ? " [interrupted]" : ""));
    if (!this.#showsLatency) return;
    const events = this.#events.filter((event) => event.turn === turn);
    const latency = turnLatencies(events).find((each) => each.reply === reply);
    const time = latency?.voiceToVoiceMs === undefined ? undefined : `after ${latencyText(latency)}`;
    const cost = turnCostText(replyCost(events, reply, this.#pricing));
    const known = [time, cost].filter((text) => text !== undefined);
    if (known.length > 0) this.#dim(known.join("; "));
  }

  #cost(): void {
    const line = costLine(callCost(this.#events, this.#pricing));
    if (line !== undefined) this.#dim(line);
  }

  #dim(text: string): void {
    this.#line("       ", this.#out.style("dim", text));
  }

  #line(label: string, text: string): void {
    this.#out.line(`${this.#prefix}${label}${text}`);
  }
}

/** Where a turn's time went: `612 ms: endpointing 401, model 12, voice 158, rest 41`. */
function latencyText(latency: TurnLatency): string {
  const { voiceToVoiceMs = 0, endpointingMs, llmFirstTokenMs, ttsFirstAudioMs, overheadMs, wasHeld } = latency;
  const parts = [
    ["endpointing", endpointingMs],
    // The hold line did not wait for the model.
    ["model", wasHeld ? undefined : llmFirstTokenMs],
    ["voice", ttsFirstAudioMs],
    ["rest", overheadMs],
  ] as const;
  const known = parts.flatMap(([name, ms]) => (ms === undefined ? [] : [`${name} ${Math.round(ms)}`]));
  return `${Math.round(voiceToVoiceMs)} ms${wasHeld ? ", with the hold line" : ""}: ${known.join(", ")}`;
}

/** `1:02` for 62 s. */
export function duration(ms: number): string {
  const seconds = Math.round(ms / 1000);
  return `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, "0")}`;
}

function asText(value: unknown): string {
  return typeof value === "string" ? value : JSON.stringify(value);
}
