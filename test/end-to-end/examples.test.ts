import { spawn } from "node:child_process";
import { readdirSync } from "node:fs";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { getpatter } from "./command-line.js";

const EXAMPLES = resolve("examples");

/** No request ever shows them. */
const TELEPHONE_KEYS = {
  TWILIO_ACCOUNT_SID: "AC1",
  TWILIO_AUTH_TOKEN: "unused",
  DEEPGRAM_API_KEY: "unused",
  ANTHROPIC_API_KEY: "unused",
  ELEVENLABS_API_KEY: "unused",
};

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "examples-"));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

/** Types with an example. What needs a key gets one that no request ever shows. */
function chat(name: string, input: string, env: Readonly<Record<string, string | undefined>> = { ANTHROPIC_API_KEY: "unused" }) {
  return getpatter(["chat", join(EXAMPLES, name)], { cwd: folder, input, env });
}

describe("an example", () => {
  it("is run by a test here", () => {
    // Those that are tests themselves are run as such.
    expect(readdirSync(EXAMPLES).filter((name) => !name.endsWith(".test.ts"))).toEqual([
      "anthropic-agent.ts",
      "anthropic-options.ts",
      "browser-agent.ts",
      "callbacks.ts",
      "elevenlabs-voices.ts",
      "inbound-call.ts",
      "on-message.ts",
      "outbound-call.ts",
      "own-llm.ts",
      "tools.ts",
      "transfer.ts",
      "typed-chat.ts",
    ]);
  });

  it("browser-agent.ts: an agent to talk to greets", async () => {
    const { code, stdout } = await chat("browser-agent.ts", "/hangup\n");
    expect(stdout).toContain("agent  Hi, how can I help?\n");
    expect(code).toBe(0);
  });

  it("anthropic-agent.ts: with its flag a test server answers turn by turn, and no key is needed", async () => {
    const { code, stdout } = await getpatter(["chat", join(EXAMPLES, "anthropic-agent.ts"), "--", "--test-server"], {
      cwd: folder,
      input: "hello\nholidays\nanything else\n",
      env: { ANTHROPIC_API_KEY: undefined },
    });
    expect(stdout).toContain("agent  Hi, how can I help?\nyou    hello\nagent  I am not Claude, only its test server");
    expect(stdout).toContain("you    holidays\nagent  Good choice.");
    expect(stdout).toContain("you    anything else\nagent  That is all I know.");
    expect(stdout).toContain("Cost of the model: $");
    expect(code).toBe(0);
  });

  it("anthropic-agent.ts: without the flag it asks for the key", async () => {
    const { code, stderr } = await chat("anthropic-agent.ts", "hello\n", { ANTHROPIC_API_KEY: undefined });
    expect(stderr).toMatch(/^error: AnthropicLLM needs a credential: .* set ANTHROPIC_API_KEY\.\n$/);
    expect(code).toBe(1);
  });

  it("anthropic-options.ts: a call tells its timings, its tokens and its cost", async () => {
    const wrapper = join(folder, "options-with-server.ts");
    await writeFile(
      wrapper,
      `import { AnthropicLLM } from "getpatter";
import { AnthropicServer } from "getpatter/testing";
import example from ${JSON.stringify(join(EXAMPLES, "anthropic-options.ts"))};
const server = await AnthropicServer.start();
const llm = new AnthropicLLM({ apiKey: "unused", baseUrl: server.url, model: "claude-haiku-5-5" });
export default { ...example, agent: { ...example.agent, systemPrompt: example.agent.systemPrompt.repeat(80), llm } };`,
    );
    const { code, stdout } = await getpatter(["chat", wrapper], {
      input: "hello\nand now\n",
      env: { ANTHROPIC_API_KEY: "unused" },
    });
    expect(stdout).toMatch(
      /req_\d+ end_turn \{\s+connectMs: [\d.e-]+,\s+headersMs: [\d.e-]+,\s+firstContentMs: [\d.e-]+\s+\} \[\]/,
    );
    expect(stdout).toMatch(/turn: 2,[^}]+cacheReadTokens: [1-9]\d*,[^}]+\},\s+cacheHitShare: 0\.9\d+,\s+costUsd: [\d.e-]+/);
    expect(stdout).toMatch(/Claude cost \$0\.000\d/);
    expect(code).toBe(0);
  });

  it("tools.ts: a model calls a typed tool, and learns of wrong arguments", async () => {
    const wrapper = join(folder, "tools-with-model.ts");
    await writeFile(
      wrapper,
      `import { TestLLM } from "getpatter/testing";
import example from ${JSON.stringify(join(EXAMPLES, "tools.ts"))};
const call = (args: object) => ({ toolCalls: [{ name: "check_stock", arguments: args }] });
const llm = new TestLLM([call({ article: 5 }), call({ article: "hammer" }), "We have twelve."]);
export default { phone: example.phone, agent: { ...example.agent, llm } };`,
    );
    const { code, stdout } = await getpatter(["chat", wrapper], {
      input: "do you have hammers\n",
      env: { ANTHROPIC_API_KEY: "unused" },
    });
    expect(stdout).toMatch(/check_stock failed: Invalid arguments: article/);
    expect(stdout).toContain('check_stock -> {"article":"hammer","pieces":12}');
    expect(stdout).toContain("agent  We have twelve.\n");
    expect(code).toBe(0);
  });

  it.each([
    ["inbound-call.ts", "Hi, how can I help?"],
    ["transfer.ts", "Hello, this is the hardware shop."],
    ["elevenlabs-voices.ts", "Hi, how can I help?"],
  ])("%s: an agent for a telephone line greets", async (name, greeting) => {
    const { code, stdout } = await chat(name, "/hangup\n", TELEPHONE_KEYS);
    expect(stdout).toContain(`agent  ${greeting}\n`);
    expect(code).toBe(0);
  });

  it("inbound-call.ts: without an account it says what to set", async () => {
    const { code, stderr } = await chat("inbound-call.ts", "", { ...TELEPHONE_KEYS, TWILIO_AUTH_TOKEN: undefined });
    expect(stderr).toMatch(/^error: Twilio needs a credential: .* set TWILIO_AUTH_TOKEN\.\n$/);
    expect(code).toBe(1);
  });

  it("outbound-call.ts: asks which number to call", async () => {
    const child = spawn(process.execPath, ["--import", "tsx", join(EXAMPLES, "outbound-call.ts")], { stdio: "pipe" });
    let stderr = "";
    for await (const chunk of child.stderr) stderr += String(chunk);
    expect(stderr).toContain("Which number? npx tsx examples/outbound-call.ts +15550109999");
  });

  it("own-llm.ts: a generator answers", async () => {
    const { stdout } = await chat("own-llm.ts", "polly\n");
    expect(stdout).toContain("agent  You said: polly. What else?\n");
  });

  it("on-message.ts: a function answers", async () => {
    const { stdout } = await chat("on-message.ts", "where are you\nwhat\n");
    expect(stdout).toContain("agent  We are at twelve Harbour Street.\n");
    expect(stdout).toContain("agent  Do you want the hours or the address?\n");
  });

  it("callbacks.ts: a program hears of the call and ends it", async () => {
    const { stdout } = await chat("callbacks.ts", "hello\ngoodbye\nnever read\n");
    expect(stdout).toContain("terminal calls agent\n");
    expect(stdout).toContain("user: goodbye\n");
    expect(stdout).toContain("ended: agent_hung_up, 5 lines, 2 answers\n");
  });

  it("typed-chat.ts: a program of its own holds a call in the terminal", async () => {
    const child = spawn(process.execPath, ["--import", "tsx", join(EXAMPLES, "typed-chat.ts")], { stdio: "pipe" });
    child.stdin.end("hello\n");
    let stdout = "";
    for await (const chunk of child.stdout) stdout += String(chunk);
    expect(stdout).toBe("agent  Type something, or /quit.\nyou    hello\nagent  That was message 1.\n       You hung up.\n");
  });
});
