import { signal } from "@preact/signals";
import { fittingParameters, type PageEvent, type ServerMessage } from "../../../src/carriers/browser/protocol.js";
import type { AudioFormat } from "../../../src/core/audio-frame.js";
import { PhoneAudio } from "./audio/phone-audio.js";
import { CallSocket } from "./call-socket.js";
import { environmentProblem, type Problem, problemOf } from "./problems.js";
import { keepScreenOn } from "./screen-lock.js";
import { after, type Conversation, EMPTY_CONVERSATION } from "./transcript.js";

/** What the phone is doing. */
export type PhoneState =
  | { readonly name: "idle" }
  | { readonly name: "connecting" }
  | { readonly name: "in_call"; readonly startedMs: number }
  | { readonly name: "ended"; readonly by: "caller" | "agent"; readonly durationMs: number }
  | { readonly name: "failed"; readonly problem: Problem };

/** How well a call has gone on this side of the network. */
export interface PhoneStats {
  framesSent: number;
  /** Frames of the microphone that the network could not take. */
  framesDropped: number;
  receivedBytes: number;
  marksReported: number;
  /** Silences within replies: playing had to wait for audio. */
  gaps: { readonly durationMs: number; readonly atMark: boolean }[];
  /** Audio dropped because two minutes of it were waiting. */
  overflows: number;
}

interface ActiveCall {
  readonly audio: PhoneAudio;
  readonly socket: CallSocket;
  readonly screen: { release(): void };
}

/** The phone on the page: one call at a time, and what is shown of it. */
export class Phone {
  readonly state = signal<PhoneState>({ name: "idle" });
  readonly conversation = signal<Conversation>(EMPTY_CONVERSATION);
  readonly isMuted = signal(false);
  /** Loudness, 0 to 1. */
  readonly callerLevel = signal(0);
  readonly agentLevel = signal(0);
  /** Of the present or the last call. */
  stats: PhoneStats = newStats();
  #call: ActiveCall | undefined;
  /** Ends with its call, also while that still connects. */
  #attempt = new AbortController();

  /** Calls the agent; call it from a click. */
  async call(): Promise<void> {
    const { name } = this.state.value;
    if (name === "connecting" || name === "in_call") return;
    this.stats = newStats();
    this.conversation.value = EMPTY_CONVERSATION;
    this.isMuted.value = false;
    const problem = environmentProblem();
    if (problem !== undefined) {
      this.state.value = { name: "failed", problem };
      return;
    }
    this.state.value = { name: "connecting" };
    this.#attempt = new AbortController();
    await this.#connect(this.#attempt.signal);
  }

  /** Ends the call. */
  hangUp(): void {
    const call = this.#call;
    call?.socket.send({ type: "hang_up" });
    this.#end("caller");
  }

  /** Presses a key: the agent is told, and the caller hears its tone. */
  readonly press = (digit: string): void => {
    this.#call?.socket.send({ type: "dtmf", digit });
    this.#call?.audio.playKeys(digit);
  };

  toggleMute(): void {
    if (this.#call === undefined) return;
    this.isMuted.value = !this.isMuted.value;
    this.#call.audio.setMuted(this.isMuted.value);
  }

  /** Opens microphone and socket. After an abort, what has been opened is closed, and another call may be under way. */
  async #connect(attempt: AbortSignal): Promise<void> {
    let audio: PhoneAudio | undefined;
    let socket: CallSocket | undefined;
    try {
      audio = await PhoneAudio.open();
      attempt.throwIfAborted();
      const speaker = audio;
      const { stats } = this;
      socket = await CallSocket.open({
        onMessage: (message) => this.#take(message),
        onAudio: (bytes) => {
          stats.receivedBytes += bytes.length;
          speaker.play(bytes);
        },
        onBroken: (problem) => this.#fail(this.state.value.name === "connecting" ? "server_gone" : problem),
      });
      attempt.throwIfAborted();
      this.#call = { audio, socket, screen: keepScreenOn() };
    } catch (error) {
      socket?.close();
      await audio?.close();
      if (!attempt.aborted) this.#fail(problemOf(error));
    }
  }

  #take(message: ServerMessage): void {
    const call = this.#call;
    if (call === undefined) return;
    switch (message.type) {
      case "start":
        this.#start(call, message.format);
        return;
      case "mark":
        call.audio.mark(message.name);
        return;
      case "clear":
        call.audio.clear();
        return;
      case "dtmf":
        call.audio.playKeys(message.digits);
        return;
      case "event":
        this.#show(call, message.event);
        return;
      case "hang_up":
        if (message.reason === "shutdown") this.#fail("server_stopped");
        else this.#end("agent");
        return;
    }
  }

  #start({ audio, socket }: ActiveCall, format: AudioFormat): void {
    const { stats } = this;
    audio.start(format, {
      onFrame: (bytes) => {
        if (socket.sendAudio(bytes)) stats.framesSent++;
        else stats.framesDropped++;
      },
      onMark: (name) => {
        socket.send({ type: "mark", name });
        stats.marksReported++;
      },
      onCallerLevel: (level) => {
        this.callerLevel.value = level;
      },
      onAgentLevel: (level) => {
        this.agentLevel.value = level;
      },
      onGap: ({ durationMs, atMark }) => stats.gaps.push({ durationMs, atMark }),
      onOverflow: () => {
        stats.overflows++;
      },
      onMicrophoneLost: () => this.#fail("microphone_lost"),
    });
    // Parameters of the page's address reach the agent's program as the call's own.
    const parameters = fittingParameters(Object.fromEntries(new URLSearchParams(location.search)));
    socket.send({ type: "ready", parameters });
    this.state.value = { name: "in_call", startedMs: performance.now() };
  }

  #show(call: ActiveCall, event: PageEvent): void {
    if (event.type === "reply_ended") call.audio.boundary();
    this.conversation.value = after(this.conversation.value, event);
  }

  #end(by: "caller" | "agent"): void {
    const { value } = this.state;
    if (value.name !== "in_call" && value.name !== "connecting") return;
    // Cancelled before it was a call.
    if (value.name === "connecting") this.state.value = { name: "idle" };
    else this.state.value = { name: "ended", by, durationMs: performance.now() - value.startedMs };
    this.#release();
  }

  #fail(problem: Problem): void {
    this.state.value = { name: "failed", problem };
    this.#call?.socket.send({ type: "hang_up" });
    this.#release();
  }

  #release(): void {
    const call = this.#call;
    this.#call = undefined;
    this.#attempt.abort();
    this.callerLevel.value = 0;
    this.agentLevel.value = 0;
    call?.screen.release();
    call?.socket.close();
    void call?.audio.close();
  }
}

function newStats(): PhoneStats {
  return { framesSent: 0, framesDropped: 0, receivedBytes: 0, marksReported: 0, gaps: [], overflows: 0 };
}
