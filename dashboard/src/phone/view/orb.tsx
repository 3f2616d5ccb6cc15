import { type ReadonlySignal, useSignalEffect } from "@preact/signals";
import { useRef } from "preact/hooks";
import type { Activity } from "../transcript.js";
import { meterShare } from "./level.js";

interface OrbProps {
  readonly activity: Activity;
  readonly callerLevel: ReadonlySignal<number>;
  readonly agentLevel: ReadonlySignal<number>;
}

/** The agent's presence: it swells with its voice, and its ring with the caller's. */
export function Orb({ activity, callerLevel, agentLevel }: OrbProps) {
  const core = useRef<HTMLDivElement>(null);
  const ring = useRef<HTMLDivElement>(null);
  useSignalEffect(() => {
    core.current?.style.setProperty("transform", `scale(${1 + 0.22 * meterShare(agentLevel.value)})`);
  });
  useSignalEffect(() => {
    ring.current?.style.setProperty("transform", `scale(${1 + 0.4 * meterShare(callerLevel.value)})`);
  });
  return (
    <div class={`orb orb-${activity}`} aria-hidden="true">
      <div class="orb-ring" ref={ring} />
      <div class="orb-core" ref={core} />
    </div>
  );
}
