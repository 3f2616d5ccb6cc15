import type { PageInfo } from "../../../../src/carriers/browser/protocol.js";
import type { Phone, PhoneState } from "../phone.js";
import { PROBLEMS } from "../problems.js";
import { formatDuration } from "./call-timer.js";
import { HangUpIcon, PhoneIcon } from "./icons.js";
import { RunsOn } from "./runs-on.js";
import { TranscriptView } from "./transcript-view.js";

interface StartScreenProps {
  readonly phone: Phone;
  readonly info: PageInfo;
  readonly state: Exclude<PhoneState, { name: "in_call" }>;
}

const CALL_LABELS = { idle: "Call", connecting: "Cancel", ended: "Call again", failed: "Try again" } as const;

/** Before and after a call: who answers, the button, and what went wrong if anything did. */
export function StartScreen({ phone, info, state }: StartScreenProps) {
  const { entries } = phone.conversation.value;
  const isConnecting = state.name === "connecting";
  const showsTranscript = entries.length > 0 && !isConnecting;
  return (
    <section class={showsTranscript ? "start start-again" : "start"}>
      <header class="start-header">
        <h1>{info.title}</h1>
        <p class="status" role="status">
          {statusText(state)}
        </p>
      </header>
      <div class="call-place">
        <button
          id="call"
          type="button"
          class={isConnecting ? "call-button call-button-busy" : "call-button"}
          aria-label={CALL_LABELS[state.name]}
          onClick={() => (isConnecting ? phone.hangUp() : void phone.call())}
        >
          <span class="call-face">{isConnecting ? <HangUpIcon /> : <PhoneIcon />}</span>
        </button>
        <span class="call-label" aria-hidden="true">
          {CALL_LABELS[state.name]}
        </span>
      </div>
      {state.name === "failed" && <ProblemCard title={PROBLEMS[state.problem].title} advice={PROBLEMS[state.problem].advice} />}
      {showsTranscript ? <TranscriptView entries={entries} /> : <Hint info={info} />}
      <RunsOn info={info} />
    </section>
  );
}

function statusText(state: StartScreenProps["state"]): string {
  switch (state.name) {
    case "idle":
      return "Ready when you are";
    case "connecting":
      return "Connecting… your browser may ask for the microphone";
    case "ended":
      return `${state.by === "agent" ? "The agent hung up" : "You hung up"} after ${formatDuration(state.durationMs)}`;
    case "failed":
      return "No call";
  }
}

function ProblemCard({ title, advice }: { readonly title: string; readonly advice: string }) {
  return (
    <div class="problem" role="alert">
      <strong>{title}</strong>
      <p>{advice}</p>
    </div>
  );
}

function Hint({ info }: { readonly info: PageInfo }) {
  return <p class="hint">{info.hint ?? "Press the button and speak. You can interrupt at any time."}</p>;
}
