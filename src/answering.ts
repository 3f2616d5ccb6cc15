import { type Agent, functionLlm } from "./agent/agent.js";
import { prepareSpeech, requireSpeech } from "./agent/speech.js";
import { ConfigError } from "./core/errors.js";
import type { AgentChoice, CallInfo, Message, OutgoingCallOptions, ServeOptions } from "./options.js";

/** The agent with `onMessage` as its model, checked for what a spoken call needs. */
function completeAgent(agent: Agent | undefined, { onMessage }: Partial<ServeOptions>): Agent {
  if (agent !== undefined) requireSpeech(agent);
  return answeringAgent("serve()", { agent, onMessage });
}

/** Who answers: `fixed` where one agent takes every call, and what gives each call its agent, with models loaded. */
export function whoAnswers(
  options: ServeOptions,
  signal: AbortSignal,
): { readonly fixed?: Agent; readonly agentOf: AgentChoice } {
  const { agent } = options;
  if (typeof agent !== "function") {
    const fixed = completeAgent(agent, options);
    return { fixed, agentOf: () => fixed };
  }
  const agentOf = async (call: CallInfo): Promise<Agent> => {
    const chosen = completeAgent(await agent(call), options);
    await prepareSpeech(chosen, signal);
    return chosen;
  };
  return { agentOf };
}

/** The agent of a call that is placed, with what is said for this call. */
export function agentOfCall({ agent, variables, firstMessage }: OutgoingCallOptions, { onMessage }: ServeOptions): Agent {
  requireSpeech(agent);
  const answering = agent.llm === undefined && onMessage !== undefined ? { agent, onMessage } : { agent };
  return {
    ...answeringAgent("call()", answering),
    variables: { ...agent.variables, ...variables },
    ...(firstMessage !== undefined && { firstMessage }),
  };
}

interface Answering {
  readonly agent?: Agent | undefined;
  readonly onMessage?: ServeOptions["onMessage"] | undefined;
}

/** The agent with `onMessage` as its model. @throws ConfigError that names `where` when there is no agent, or not one model. */
export function answeringAgent(where: string, { agent, onMessage }: Answering): Agent {
  if (agent === undefined) throw new ConfigError(`${where} needs an agent: pass { agent: phone.agent({ … }) }.`);
  if (onMessage !== undefined && agent.llm !== undefined) {
    throw new ConfigError(`${where} has onMessage and the agent has an llm: only one of them can answer.`);
  }
  if (onMessage !== undefined) return { ...agent, llm: messageLlm(onMessage) };
  if (agent.llm === undefined)
    throw new ConfigError(`Nothing can answer: pass llm to phone.agent({ … }) or onMessage to ${where}.`);
  return agent;
}

function messageLlm(onMessage: NonNullable<ServeOptions["onMessage"]>): NonNullable<Agent["llm"]> {
  return functionLlm(async function* onMessageLlm(messages, _tools, options) {
    const turns = messages.flatMap((message): Message["history"] =>
      (message.role === "user" || message.role === "assistant") && message.content !== null
        ? [{ role: message.role, text: message.content }]
        : [],
    );
    const answer = await onMessage({
      callId: options?.callId ?? "",
      text: turns.at(-1)?.text ?? "",
      history: turns.slice(0, -1),
    });
    if (typeof answer === "string") yield answer;
    else yield* answer;
  });
}
