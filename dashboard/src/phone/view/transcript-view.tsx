import { useCallback, useEffect, useRef } from "preact/hooks";
import type { TranscriptEntry } from "../transcript.js";

/** How close to its end, in pixels, a transcript goes on following the conversation. */
const FOLLOW_PX = 80;

/** The conversation as it happens; it follows the newest line unless the reader scrolled up. */
export function TranscriptView({ entries }: { readonly entries: readonly TranscriptEntry[] }) {
  const log = useRef<HTMLDivElement>(null);
  const follows = useRef(true);
  const follow = useCallback(() => {
    const element = log.current;
    if (element !== null && follows.current) element.scrollTop = element.scrollHeight;
  }, []);
  useEffect(follow, [entries]);
  useEffect(() => {
    const observer = new ResizeObserver(follow);
    observer.observe(log.current as HTMLElement);
    return () => observer.disconnect();
  }, []);
  return (
    <div
      class="transcript"
      ref={log}
      role="log"
      aria-live="polite"
      aria-relevant="additions text"
      aria-label="Transcript"
      tabIndex={0}
      onScroll={({ currentTarget: element }) => {
        follows.current = element.scrollHeight - element.scrollTop - element.clientHeight < FOLLOW_PX;
      }}
    >
      <ol class="lines">
        {entries.map((entry) => (
          <Line key={entry.key} entry={entry} />
        ))}
      </ol>
    </div>
  );
}

function Line({ entry }: { readonly entry: TranscriptEntry }) {
  switch (entry.who) {
    case "note":
      return <li class="note">{entry.text}</li>;
    case "caller":
      return (
        <li class="line line-caller">
          <span class="speaker">You</span>
          <p>
            {entry.text}
            {/* Words that may still change are not read out. */}
            {entry.partial !== "" && (
              <span class="partial" aria-hidden="true">
                {entry.text === "" ? entry.partial : ` ${entry.partial}`}
              </span>
            )}
          </p>
        </li>
      );
    case "agent":
      return (
        <li class="line line-agent">
          <span class="speaker">
            Agent
            {entry.answeredInMs !== undefined && <span class="timing"> answered in {entry.answeredInMs} ms</span>}
          </span>
          <p>
            {entry.text}
            {entry.wasInterrupted && <span class="cut"> — interrupted</span>}
          </p>
        </li>
      );
  }
}
