/** A first agent: short, complete, and different enough from the demo to be changed without regret. */
export const AGENT_FILE = `import { appendFile } from "node:fs/promises";
import { AnthropicLLM, Browser, endCallTool, LocalSTT, LocalTTS, Patter, SileroVAD, tool } from "getpatter";
import { dateSlot, dialogue, ScriptedLLM, timeSlot } from "getpatter/llm/scripted";

// Calls come from a page in your browser: no account and no key.
const phone = new Patter({ carrier: new Browser({ title: "Appointments" }) });

const today = () => new Date().toLocaleDateString("sv-SE");

// What the model may do. The handler's answer goes back to the model.
const bookAppointment = tool({
  name: "book_appointment",
  description: "Books an appointment. Call it once the caller has agreed to the day and the time.",
  parameters: {
    type: "object",
    properties: {
      date: { type: "string", description: "YYYY-MM-DD" },
      time: { type: "string", description: "HH:MM, 24 hours" },
    },
    required: ["date", "time"],
  },
  handler: async ({ date, time }) => {
    await appendFile("appointments.jsonl", \`\${JSON.stringify({ date, time })}\\n\`);
    return { status: "booked", date, time };
  },
});

// In place of a model where there is no key: it understands a day and a time, and nothing else.
const slots = {
  date: dateSlot({ ask: ["For which day?"], names: ["day"], today }),
  time: timeSlot({ ask: ["At what time?"], names: ["time"], from: "09:00" }),
};
const script = dialogue({
  name: "appointments",
  greeting: { say: "Hello! For which day would you like an appointment?", asks: "date" },
  slots,
  confirm: ({ date, time }) => ({ say: \`An appointment \${slots.date.say(date)}, at \${slots.time.say(time)}.\`, ask: "Is that correct?" }),
  action: {
    tool: "book_appointment",
    say: "One moment.",
    arguments: ({ date, time }) => ({ date, time }),
    outcome: () => ({ type: "done", say: "Your appointment is booked." }),
  },
});

const agent = phone.agent({
  vad: new SileroVAD(),
  stt: new LocalSTT(),
  llm: process.env["ANTHROPIC_API_KEY"] ? new AnthropicLLM() : new ScriptedLLM({ script }),
  tts: new LocalTTS(),
  systemPrompt: \`You book appointments on the phone, from nine to five, Monday to Friday. Today is \${today()}.
Answer in one or two short sentences without lists or symbols: you are heard, not read.
Ask for the day and the time, read them back, and book once the caller agrees.\`,
  firstMessage: "Hello! For which day would you like an appointment?",
  tools: [bookAppointment, endCallTool()],
});

export default { phone, agent };
`;

export const ENV_EXAMPLE_FILE = `# Copy this file to .env and fill in what you have. Keep .env out of version control.

# With a key the agent thinks with Claude; without one, with the script in agent.ts.
ANTHROPIC_API_KEY=
`;

/** What an editor and `npx tsc` check the agent with; running it needs no setting. */
export const TYPESCRIPT_FILE = `{
  "compilerOptions": { "target": "es2022", "module": "nodenext", "strict": true, "noEmit": true }
}
`;

/** A package.json for the agent's folder; `packages` are names with the versions that fit. */
export function packageFile(name: string, packages: Readonly<Record<string, string>>): string {
  const file = {
    name,
    private: true,
    type: "module",
    scripts: { start: "getpatter serve agent.ts", chat: "getpatter chat agent.ts" },
    dependencies: packages,
  };
  return `${JSON.stringify(file, null, 2)}\n`;
}
