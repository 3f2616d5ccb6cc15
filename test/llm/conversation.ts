import { type AnyTool, type ToolContext, toolSpec } from "../../src/agent/tools.js";
import type { Call } from "../../src/core/call.js";
import type { ChatMessage, ToolCallMessage } from "../../src/core/chat.js";
import type { LLM } from "../../src/core/llm.js";
import { collect, textOf, toolCallsOf } from "./vendor.js";

/** A tool of such a conversation. */
export type ConversationTool = AnyTool;

/** A typed conversation with a model that has tools: what a call does, without audio. */
export class Conversation {
  readonly messages: ChatMessage[];
  /** Tool calls so far, with what they were given. */
  readonly calls: { readonly name: string; readonly args: unknown }[] = [];
  readonly #llm: LLM;
  readonly #tools: readonly AnyTool[];

  constructor(llm: LLM, tools: readonly AnyTool[], greeting: string) {
    this.#llm = llm;
    this.#tools = tools;
    this.messages = [{ role: "assistant", content: greeting }];
  }

  /** Says something and returns all that the agent answers, tools run. */
  async say(text: string): Promise<string> {
    this.messages.push({ role: "user", content: text });
    const said: string[] = [];
    for (;;) {
      const chunks = await collect(this.#llm.stream(this.messages, this.#tools.map(toolSpec)));
      const content = textOf(chunks);
      const calls = toolCallsOf(chunks).map(
        ({ id, name, arguments: args }): ToolCallMessage => ({ id, type: "function", function: { name, arguments: args } }),
      );
      if (content !== "") said.push(content);
      if (content !== "" || calls.length > 0)
        this.messages.push({
          role: "assistant",
          content: content === "" ? null : content,
          ...(calls.length === 0 ? {} : { tool_calls: calls }),
        });
      if (calls.length === 0) return said.join(" ");
      for (const call of calls) await this.#run(call);
    }
  }

  /** Cuts the agent's last words to those that were heard; without any, it has said nothing. */
  interrupt(heard: string): void {
    const last = this.messages.at(-1);
    if (last?.role !== "assistant" || last.content?.startsWith(heard) !== true)
      throw new Error(`The agent did not begin with ${JSON.stringify(heard)}.`);
    this.messages.pop();
    if (heard !== "") this.messages.push({ ...last, content: heard });
  }

  async #run(call: ToolCallMessage): Promise<void> {
    const definition = this.#tools.find(({ name }) => name === call.function.name);
    const args = JSON.parse(call.function.arguments) as never;
    this.calls.push({ name: call.function.name, args });
    const context: ToolContext = {
      callId: "call",
      call: {} as Call,
      signal: new AbortController().signal,
      idempotencyKey: `call:${call.id}`,
    };
    try {
      const result = await definition?.handler(args, context);
      this.messages.push({
        role: "tool",
        tool_call_id: call.id,
        content: typeof result === "string" ? result : JSON.stringify(result),
      });
    } catch (error) {
      this.messages.push({ role: "tool", tool_call_id: call.id, content: String(error), isError: true });
    }
  }
}
