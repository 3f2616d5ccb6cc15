import { useState } from "preact/hooks";
import type { PageInfo } from "../../../../src/carriers/browser/protocol.js";
import type { Phone } from "../phone.js";
import type { Activity } from "../transcript.js";
import { CallTimer } from "./call-timer.js";
import { HangUpIcon, KeypadIcon, MicrophoneIcon } from "./icons.js";
import { Keypad } from "./keypad.js";
import { LevelMeter } from "./level.js";
import { Orb } from "./orb.js";
import { RunsOn } from "./runs-on.js";
import { TranscriptView } from "./transcript-view.js";

const ACTIVITY_TEXT: Readonly<Record<Activity, string>> = { listening: "Listening", thinking: "Thinking", speaking: "Speaking" };

interface CallScreenProps {
  readonly phone: Phone;
  readonly info: PageInfo;
  readonly startedMs: number;
}

/** A running call. */
export function CallScreen({ phone, info, startedMs }: CallScreenProps) {
  const { entries, activity } = phone.conversation.value;
  const [isKeypadOpen, setKeypadOpen] = useState(false);
  const isMuted = phone.isMuted.value;
  return (
    <>
      <section class="panel">
        <header class="panel-header">
          <Orb activity={activity} callerLevel={phone.callerLevel} agentLevel={phone.agentLevel} />
          <div class="panel-title">
            <h1>{info.title}</h1>
            <p class="activity">
              <span data-activity={activity}>{ACTIVITY_TEXT[activity]}</span>
              <CallTimer startedMs={startedMs} />
            </p>
            <p class="visually-hidden" role="status">
              In call
            </p>
          </div>
        </header>
        <div class="meters">
          <LevelMeter label={isMuted ? "Muted" : "You"} level={phone.callerLevel} />
          <LevelMeter label="Agent" level={phone.agentLevel} />
        </div>
        {isKeypadOpen && <Keypad onPress={phone.press} />}
        <div class="controls">
          <button id="mute" type="button" class="control" aria-pressed={isMuted} onClick={() => phone.toggleMute()}>
            <span class="control-face">
              <MicrophoneIcon muted={isMuted} />
            </span>
            {isMuted ? "Unmute" : "Mute"}
          </button>
          <button
            type="button"
            class="control"
            aria-expanded={isKeypadOpen}
            aria-controls="keypad"
            onClick={() => setKeypadOpen(!isKeypadOpen)}
          >
            <span class="control-face">
              <KeypadIcon />
            </span>
            Keypad
          </button>
          <button type="button" class="control control-hang-up" onClick={() => phone.hangUp()}>
            <span class="control-face">
              <HangUpIcon />
            </span>
            Hang up
          </button>
        </div>
        <RunsOn info={info} />
      </section>
      <TranscriptView entries={entries} />
    </>
  );
}
