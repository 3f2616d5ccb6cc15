import { useEffect, useRef } from "preact/hooks";
import type { PageInfo } from "../../../../src/carriers/browser/protocol.js";
import type { Phone } from "../phone.js";
import { CallScreen } from "./call-screen.js";
import { StartScreen } from "./start-screen.js";

/** The page: the start screen with its button, or the call. */
export function App({ phone, info }: { readonly phone: Phone; readonly info: PageInfo }) {
  const state = phone.state.value;
  const isInCall = state.name === "in_call";
  const wasInCall = useRef(false);
  useEffect(() => {
    if (isInCall || wasInCall.current) document.querySelector<HTMLElement>(isInCall ? "#mute" : "#call")?.focus();
    wasInCall.current = isInCall;
  }, [isInCall]);
  return (
    <main class={isInCall ? "page page-call" : "page"}>
      {state.name === "in_call" ? (
        <CallScreen phone={phone} info={info} startedMs={state.startedMs} />
      ) : (
        <StartScreen phone={phone} info={info} state={state} />
      )}
    </main>
  );
}
