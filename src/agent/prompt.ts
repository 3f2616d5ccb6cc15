import type { ChatMessage, ToolSpec } from "../core/chat.js";
import type { Agent } from "./agent.js";
import { toolSpec } from "./tools.js";

/** Replaces `{name}` by the variable of that name; an unknown name stays as written. */
export function fillVariables(text: string, variables: Readonly<Record<string, string>>): string {
  return text.replace(/\{(\w+)\}/g, (whole, name: string) =>
    Object.hasOwn(variables, name) ? (variables[name] as string) : whole,
  );
}

/** What precedes the values of a call where there is no prompt. */
const VALUES_FOLLOW = "What is known of this call follows.";

/**
 * The system messages of a request. The first is the same for every call, placeholders left as written, so that it can
 * be cached; the second holds this call's values and exists only when there are any. Values without a prompt have a line
 * before them: a provider takes the first message for what all calls have in common.
 */
export function systemMessages(systemPrompt: string, variables: Readonly<Record<string, string>>): ChatMessage[] {
  const values = Object.entries(variables);
  const isBlank = systemPrompt.trim() === "";
  if (values.length === 0) return isBlank ? [] : [{ role: "system", content: systemPrompt }];
  const list = values.map(([name, value]) => `${name} = ${value}`).join("\n");
  return [
    { role: "system", content: isBlank ? VALUES_FOLLOW : systemPrompt },
    { role: "system", content: `For this call:\n${list}` },
  ];
}

/** What every request of an agent's call begins with; a cache holds it only while it stays the same. */
export interface RequestPrefix {
  readonly system: readonly ChatMessage[];
  readonly tools: readonly ToolSpec[] | null;
}

/** The beginning that the requests of an agent's calls have in common. */
export function requestPrefix({ systemPrompt, variables, tools }: Agent): RequestPrefix {
  return { system: systemMessages(systemPrompt, variables), tools: tools.length === 0 ? null : tools.map(toolSpec) };
}
