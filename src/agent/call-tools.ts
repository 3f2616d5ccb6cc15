import { type AnyTool, tool } from "./tools.js";

/** A tool with which the model ends the call, once the caller has heard the goodbye. */
export function endCallTool(): AnyTool {
  return tool({
    name: "end_call",
    description: "Ends the phone call. Say goodbye in the same answer. Use it only when the caller is done.",
    parameters: {
      type: "object",
      properties: { reason: { type: "string", description: "Why the call is over, in a few words." } },
    },
    handler: async (_args, { call }) => {
      await call.hangUp({ when: "after_reply" });
      return "The call ends when your goodbye has been heard.";
    },
  });
}
