import { type ReadonlySignal, useSignalEffect } from "@preact/signals";
import { useRef } from "preact/hooks";

/** Levels are shown from here to 0 dBFS. */
const FLOOR_DB = -54;

/** How full a meter is at a loudness of 0 to 1, itself 0 to 1. */
export function meterShare(level: number): number {
  if (level <= 0) return 0;
  return Math.max(0, Math.min(1, 1 - (20 * Math.log10(level)) / FLOOR_DB));
}

/** A level meter. It follows its signal without rendering anew. */
export function LevelMeter({ label, level }: { readonly label: string; readonly level: ReadonlySignal<number> }) {
  const bar = useRef<HTMLDivElement>(null);
  useSignalEffect(() => {
    bar.current?.style.setProperty("transform", `scaleX(${meterShare(level.value).toFixed(3)})`);
  });
  return (
    <div class="meter" aria-hidden="true">
      <span class="meter-label">{label}</span>
      <div class="meter-track">
        <div class="meter-bar" ref={bar} />
      </div>
    </div>
  );
}
