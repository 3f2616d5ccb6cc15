/** What keeps a call from being made, or broke it off. */
export type Problem =
  | "insecure"
  | "refused"
  | "no_microphone"
  | "microphone_busy"
  | "microphone_lost"
  | "server_gone"
  | "server_stopped"
  | "connection_lost"
  | "not_allowed_here"
  | "unsupported";

/** The words for each problem: what happened, and what to do. */
export const PROBLEMS: Readonly<Record<Problem, { readonly title: string; readonly advice: string }>> = {
  insecure: {
    title: "The microphone needs a secure page",
    advice:
      "Browsers give it to https:// addresses and to this computer only. Open the page at http://localhost, or through an https:// tunnel.",
  },
  refused: {
    title: "The microphone was refused",
    advice: "Allow it in the address bar, next to the page’s address, then call again.",
  },
  no_microphone: {
    title: "No microphone found",
    advice: "Plug one in, or check that the system has not switched it off, then call again.",
  },
  microphone_busy: {
    title: "The microphone could not be opened",
    advice: "Another program may be using it. Close that program, then call again.",
  },
  microphone_lost: {
    title: "The microphone was disconnected",
    advice: "Plug it back in, then call again.",
  },
  server_gone: {
    title: "The server does not answer",
    advice: "It may have been stopped. Start it again, then call.",
  },
  server_stopped: {
    title: "The server was stopped",
    advice: "Start it again, then call.",
  },
  connection_lost: {
    title: "The connection was lost",
    advice: "The server went away or the network broke. Check that it runs, then call again.",
  },
  not_allowed_here: {
    title: "The server takes no call from this page",
    advice: "Open the page under the address that the server printed when it started.",
  },
  unsupported: {
    title: "This browser cannot make calls",
    advice: "It lacks AudioWorklet. Use a current Chrome, Edge, Firefox or Safari.",
  },
};

/** A failure that `PROBLEMS` has words for. */
export class CallProblem extends Error {
  readonly problem: Problem;

  constructor(problem: Problem, cause?: unknown) {
    super(problem, { cause });
    this.problem = problem;
  }
}

/** The problem of whatever was thrown while a call was being made. */
export function problemOf(error: unknown): Problem {
  return error instanceof CallProblem ? error.problem : "server_gone";
}

/** Why the page cannot even ask for a microphone, if so. */
export function environmentProblem(): Problem | undefined {
  // Browsers hide both from pages that came over plain http.
  if (!globalThis.isSecureContext || !("mediaDevices" in navigator)) return "insecure";
  return typeof AudioWorkletNode === "undefined" ? "unsupported" : undefined;
}

/** Opens the microphone. Rejects with a `CallProblem`, by the error names of the Media Capture specification. */
export async function openMicrophone(): Promise<MediaStream> {
  try {
    return await navigator.mediaDevices.getUserMedia({
      audio: { echoCancellation: true, noiseSuppression: true, autoGainControl: true, channelCount: 1 },
    });
  } catch (error) {
    throw new CallProblem(microphoneProblem(error), error);
  }
}

function microphoneProblem(error: unknown): Problem {
  switch (error instanceof DOMException ? error.name : "") {
    case "NotAllowedError":
    case "SecurityError":
      return "refused";
    case "NotFoundError":
    case "OverconstrainedError":
      return "no_microphone";
    default:
      return "microphone_busy";
  }
}
