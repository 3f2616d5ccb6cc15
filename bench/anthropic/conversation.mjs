// The call that every client makes: a prompt and eight tools of 5,000 tokens together, and twenty turns.

/** The default model of `AnthropicLLM`. */
export const MODEL = "claude-haiku-4-5-20251001";
export const MAX_TOKENS = 1024;
/** Counted as the test server does, at four characters each. */
const PREFIX_TOKENS = 5000;

const text = (description) => ({ type: "string", description });
const tool = (name, description, properties) => ({
  name,
  description,
  parameters: { type: "object", properties, required: Object.keys(properties), additionalProperties: false },
});

/** JSON Schema tools without any vendor's wrapping. */
export const TOOLS = [
  tool("find_patient", "Finds a patient's record. Call it before anything that changes an appointment.", {
    lastName: text("The last name, as spelled by the caller"),
    birthDate: text("The date of birth, YYYY-MM-DD"),
  }),
  tool("free_slots", "Lists free appointments for a treatment in a range of days, the earliest first.", {
    treatment: text("The code of the treatment from the price list, such as T07"),
    from: text("The first day, YYYY-MM-DD"),
    to: text("The last day, YYYY-MM-DD, at most 30 days after the first"),
  }),
  tool("book_slot", "Books a free appointment for a patient. Read the day and the time back before you call it.", {
    patientId: text("From find_patient"),
    slotId: text("From free_slots"),
    reason: text("What the patient wants done, in a few words"),
  }),
  tool("cancel_appointment", "Cancels an appointment. It can not be undone: ask the caller to confirm first.", {
    patientId: text("From find_patient"),
    appointmentId: text("From list_appointments"),
  }),
  tool("list_appointments", "Lists the future appointments of a patient.", { patientId: text("From find_patient") }),
  tool("check_insurance", "Says whether an insurer pays for a treatment, and which share.", {
    insurer: text("The name of the insurer"),
    treatment: text("The code of the treatment from the price list"),
  }),
  tool("leave_message", "Leaves a message for the practice; someone calls back on the next working day.", {
    phone: text("The number to call back, E.164"),
    message: text("What it is about, in one or two sentences"),
    urgency: { type: "string", enum: ["routine", "today", "emergency"], description: "How soon someone must call back" },
  }),
  tool("transfer_call", "Hands the call to a person at the desk. Say so before you call it.", {
    desk: { type: "string", enum: ["reception", "billing", "emergency"], description: "Which desk" },
    summary: text("What the caller wants, for the person who takes over"),
  }),
];

const RULES = `You answer the telephone of a dental practice. You speak with callers, so keep every answer to one or two short sentences, say numbers and dates in words, and never read out a list: name the two best choices and ask.
Find the patient before you change anything. Read a day and a time back before you book it. When a caller is in pain, offer the next free slot of today first. Give no medical advice: a dentist calls back for that.
The practice is open from eight to six on weekdays and from nine to one on Saturdays. It is closed on Sundays and on public holidays.

The price list, with the time that each treatment takes:
`;
const TREATMENTS = [
  "check-up with cleaning",
  "filling of one surface",
  "filling of two surfaces",
  "root canal of a front tooth",
  "root canal of a molar",
  "crown of ceramic",
  "bridge of three units",
  "removal of a wisdom tooth",
  "whitening of both rows",
  "night guard",
  "fluoride treatment for children",
  "repair of a denture",
];
const AGES = ["adults", "children under twelve", "patients over seventy", "patients without insurance", "returning patients"];

/** The system prompt: the rules and as much of the price list as makes the prefix as long as it has to be. */
export const SYSTEM = systemPrompt(PREFIX_TOKENS * 4 - TOOLS.reduce((sum, each) => sum + wireLength(each), 0));

function systemPrompt(length) {
  let prompt = RULES;
  for (let number = 1; prompt.length < length; number++) {
    const treatment = TREATMENTS[number % TREATMENTS.length];
    const age = AGES[number % AGES.length];
    prompt += `T${String(number).padStart(2, "0")}: ${treatment} for ${age}, ${20 + ((number * 7) % 70)} minutes, ${40 + ((number * 37) % 800)} euros.\n`;
  }
  return prompt.slice(0, length).trimEnd();
}

function wireLength({ name, description, parameters }) {
  return JSON.stringify({ type: "tool", name, description, input_schema: parameters }).length;
}

/** What the caller says, turn by turn. */
export const CALLER = [
  "Hello, I would like to make an appointment for a check-up, please.",
  "My last name is Sample, with an S at the beginning.",
  "I was born on the third of May nineteen eighty.",
  "Next week would be good, but not on Monday.",
  "Is there anything early in the morning?",
  "Hm, half past eight is a little too early for me.",
  "Nine fifteen sounds good. How long will it take?",
  "And what does it cost without insurance?",
  "I do have insurance, can you check whether they pay for it?",
  "All right, then please book it.",
  "Sorry, which day was that again?",
  "Could my daughter come along at the same time?",
  "She is seven, and she needs the fluoride treatment.",
  "Is that with the same dentist?",
  "Good. One of my fillings hurts a little when I drink something cold.",
  "No, it is not urgent, it can wait until then.",
  "Do I have to bring anything with me?",
  "Where can I park the car?",
  "And if I have to cancel, until when can I do that?",
  "Thank you very much, that was all. Goodbye.",
];
const ANSWER = "Certainly, I can do that for you. We have a free slot on Tuesday at a quarter past nine; would that suit you?";

/** The messages up to the caller's words of a turn, counted from 0, as user and assistant lines. */
export function linesOf(turn) {
  return CALLER.slice(0, turn + 1).flatMap((content, index) => [
    ...(index === 0 ? [] : [{ role: "assistant", content: ANSWER }]),
    { role: "user", content },
  ]);
}
