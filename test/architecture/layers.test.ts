import { describe, expect, it } from "vitest";
import { eagerImports, layerViolations } from "./layers.js";
import { type Module, parseModule, readModules } from "./modules.js";
import { ruleViolations } from "./rules.js";

const modules = readModules("src");

describe("the source", () => {
  it("keeps its layers", () => {
    expect(layerViolations(modules)).toEqual([]);
  });

  it("takes time, environment and log from where they belong, and has no default export", () => {
    expect(ruleViolations(modules)).toEqual([]);
  });

  const entries = modules.filter(({ path }) =>
    /^src\/(index|testing\/index|(carriers|llm|stt|tts|vad)\/[^/]+(?<!\.test))\.ts$/.test(path),
  );

  it.each(entries.map(({ path }) => path))("%s loads no heavy package when it is imported", (path) => {
    expect(eagerImports(path, modules)).toEqual([]);
  });
});

describe("the layers test", () => {
  const violations = (path: string, source: string): string[] => layerViolations([parseModule(path, source)]);

  it.each([
    ["src/core/clock.ts", 'import { mulaw } from "../audio/g711.js";', "core may not import audio"],
    ["src/audio/wav.ts", 'import type { Agent } from "../agent/agent.js";', "audio may not import agent"],
    ["src/stt/deepgram.ts", 'import { LLM } from "../llm/anthropic.js";', "stt may not import llm"],
    ["src/llm/openai.ts", 'import { LLM } from "./anthropic.js";', "llm/openai and llm/anthropic are strangers"],
    ["src/llm/openai.ts", 'import { parse } from "./anthropic/wire.js";', "llm/openai and llm/anthropic are strangers"],
    ["src/llm/anthropic/wire.ts", 'export { LLM } from "../openai.js";', "llm/anthropic and llm/openai are strangers"],
    ["src/carriers/twilio.ts", 'export * from "./telnyx.js";', "carriers/twilio and carriers/telnyx are strangers"],
    ["src/carriers/twilio.ts", 'import { Session } from "../call/session.js";', "carriers may not import call"],
    ["src/agent/tools.ts", 'import { say } from "../call/session.js";', "agent may not import call"],
    ["src/call/session.ts", 'type App = import("../server/app.js").App;', "call may not import server"],
    ["src/call/session.ts", 'const load = () => import("../llm/anthropic.js");', "call may not import llm"],
    ["src/call/session.ts", 'import { fold } from "../observe/recorder.js";', "call may not import observe"],
    ["src/call/session.ts", 'new Worker(new URL("../stt/local-worker.js", import.meta.url));', "call may not import stt"],
    ["src/observe/recorder.ts", 'import { open } from "../store/sqlite.js";', "observe may not import store"],
    ["src/server/app.ts", 'import { prompt } from "../agent/prompt.js";', "server may not import agent"],
    ["src/server/app.ts", 'import { Twilio } from "../carriers/twilio.js";', "server may not import carriers"],
    ["src/call/session.ts", 'import { FakeTransport } from "../testing/index.js";', "call may not import testing"],
    ["src/index.ts", 'export * from "./testing/index.js";', "the library does not import testing"],
    ["src/llm/anthropic.ts", 'import { Patter } from "../patter.js";', "llm may not import patter.ts"],
    ["src/core/clock.ts", 'import "../../scripts/build.mjs";', "it lies outside src"],
    ["src/patter.ts", 'import "./core/clock.test.js";', "nothing imports a test"],
    ["src/plugins/x.ts", 'import "../core/clock.js";', "the layer plugins is not in test/architecture/layers.ts"],
  ])("sees that %s must not say %s", (path, source, reason) => {
    expect(violations(path, source)).toEqual([expect.stringContaining(reason)]);
  });

  it.each([
    ["src/stt/deepgram.ts", 'import { url } from "../provider-kit/websocket-stt.js";'],
    ["src/llm/anthropic.ts", 'import { parse } from "./anthropic/wire.js";'],
    ["src/llm/anthropic/wire.ts", 'import type { LLM } from "../anthropic.js";'],
    ["src/llm/anthropic.test.ts", 'import { vendor } from "../../test/llm/vendor.js"; import { LLM } from "./anthropic.js";'],
    ["src/call/session.test.ts", 'import { FakeTransport } from "../testing/index.js";'],
    ["src/server/app.ts", 'import type { Agent } from "../agent/agent.js";'],
    ["src/patter.ts", 'import { LLM } from "./llm/anthropic.js"; import { Server } from "./server/server.js";'],
    ["src/cli/main.ts", 'import { FakeTransport } from "../testing/index.js"; import { Patter } from "../patter.js";'],
    ["src/core/clock.ts", 'const text = `import { x } from "../audio/g711.js"`; // import "../call/session.js"'],
    ["src/cli/load.ts", "const user = await import(path);"],
  ])("lets %s say %s", (path, source) => {
    expect(violations(path, source)).toEqual([]);
  });

  it("shows the chain that leads to a heavy package, and only when it loads at once", () => {
    const graph: Module[] = [
      parseModule("src/index.ts", 'export { Patter } from "./patter.js"; export type { App } from "./server/app.js";'),
      parseModule(
        "src/patter.ts",
        'import { send } from "./provider-kit/http.js"; const serve = () => import("./server/app.js");',
      ),
      parseModule("src/provider-kit/http.ts", 'import { request } from "undici"; import type { WebSocket } from "ws";'),
      parseModule("src/server/app.ts", 'import { Hono } from "hono/tiny";'),
    ];
    expect(eagerImports("src/index.ts", graph)).toEqual(["src/index.ts -> src/patter.ts -> src/provider-kit/http.ts -> undici"]);
    expect(eagerImports("src/server/app.ts", graph)).toEqual(["src/server/app.ts -> hono/tiny"]);
  });

  it("knows that an import of types only, written inside the braces, still loads the module", () => {
    const graph = [parseModule("src/index.ts", 'import { type Dispatcher } from "undici";')];
    expect(eagerImports("src/index.ts", graph)).toEqual(["src/index.ts -> undici"]);
  });
});

describe("the rules test", () => {
  const violations = (path: string, source: string): string[] => ruleViolations([parseModule(path, source)]);

  it.each([
    ["const atMs = Date.now();", "Date.now"],
    ["const today = new Date();", "new Date()"],
    ["const id = setTimeout(run, 5);", "setTimeout"],
    ["const wait = { delay: setInterval };", "setInterval"],
    ["const wait = globalThis.setTimeout;", "setTimeout"],
    ["const startMs = performance.now();", "performance.now"],
    ["const signal = AbortSignal.timeout(5);", "AbortSignal.timeout"],
    ['import { setTimeout as sleep } from "node:timers/promises";', "node:timers/promises"],
    ["const key = process.env.DEEPGRAM_API_KEY;", "process.env"],
    ['const key = process["env"].DEEPGRAM_API_KEY;', "process.env"],
    ['console.log("hello");', "console.log"],
    ["export default class LLM {}", "export default"],
  ])("sees %s", (source, name) => {
    expect(violations("src/llm/openai.ts", source)).toContainEqual(expect.stringContaining(name));
  });

  it.each([
    ["src/core/clock.ts", "const atMs = Date.now(); setTimeout(run, 5);"],
    ["src/core/clock.test.ts", "const atMs = Date.now();"],
    ["src/stt/local/decode-worker.ts", "const startMs = performance.now();"],
    ["src/observe/log.ts", "const text = new Date(epochMs).toISOString(); const date: Date = new Date(2026, 0);"],
    ["src/call/timers.ts", "this.setTimeout = 1; const options = { setTimeout: 1 }; clock.setTimer(5, run);"],
    ["src/provider-kit/credentials.ts", "const key = process.env.DEEPGRAM_API_KEY;"],
    ["src/cli/main.ts", 'console.log(process.env["HOME"]);'],
    ["src/llm/openai.ts", '// console.log(Date.now())\nconst text = "setTimeout";'],
  ])("lets %s say %s", (path, source) => {
    expect(violations(path, source)).toEqual([]);
  });

  it("names the line", () => {
    expect(violations("src/llm/openai.ts", "\n\nDate.now();")).toEqual([expect.stringContaining("src/llm/openai.ts:3 ")]);
  });
});
