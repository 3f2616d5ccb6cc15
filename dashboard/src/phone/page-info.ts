import type { PageInfo } from "../../../src/carriers/browser/protocol.js";

/** Asks the server what this page calls. Without an answer the page works, but cannot say what it runs on. */
export async function fetchPageInfo(): Promise<PageInfo> {
  try {
    const response = await fetch("info");
    if (response.ok) return (await response.json()) as PageInfo;
  } catch {
    // The server is away: the call button says so when it is pressed.
  }
  return { title: "Voice agent", models: {} };
}
