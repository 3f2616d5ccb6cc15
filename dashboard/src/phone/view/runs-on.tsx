import type { PageInfo } from "../../../../src/carriers/browser/protocol.js";

/** What the call runs on, so that nobody takes a scripted dialogue for a language model. */
export function RunsOn({ info }: { readonly info: PageInfo }) {
  const { llm, stt, tts } = info.models;
  const models = [llm, stt, tts].filter((model) => model !== undefined);
  if (models.length === 0) return null;
  return <p class="runs-on">Runs on: {models.join(" · ")}</p>;
}
