/** Where a call is, in Twilio's words. */
export type TwilioCallStatus =
  | "queued"
  | "initiated"
  | "ringing"
  | "in-progress"
  | "completed"
  | "busy"
  | "failed"
  | "no-answer"
  | "canceled";

/** Statuses that a call does not leave. */
export type TwilioFinalStatus = "completed" | "busy" | "failed" | "no-answer" | "canceled";

/** What answered, in the words of answering-machine detection. */
export type TwilioAnsweredBy =
  | "human"
  | "machine_start"
  | "machine_end_beep"
  | "machine_end_silence"
  | "machine_end_other"
  | "fax"
  | "unknown";
