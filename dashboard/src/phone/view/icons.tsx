/** Line icons of 24 units; decorative, so hidden from screen readers. */
const PATHS = {
  phone:
    "M6.6 3.6 9 3.2c.6-.1 1.1.2 1.3.8l1 2.7c.2.5 0 1.1-.4 1.4L9.3 9.2a11 11 0 0 0 5.5 5.5l1.1-1.6c.3-.4.9-.6 1.4-.4l2.7 1c.6.2.9.7.8 1.3l-.4 2.4c-.2 1.2-1.2 2-2.4 1.9C10.8 18.7 5.3 13.2 4.7 6c-.1-1.2.7-2.2 1.9-2.4z",
  microphone: "M12 3a3 3 0 0 0-3 3v5a3 3 0 0 0 6 0V6a3 3 0 0 0-3-3zM5.5 11a6.5 6.5 0 0 0 13 0M12 17.5V21",
  keypad: "M6 5.5h.01M12 5.5h.01M18 5.5h.01M6 11.5h.01M12 11.5h.01M18 11.5h.01M6 17.5h.01M12 17.5h.01M18 17.5h.01",
  slash: "M4 4l16 16",
} as const;

/** A receiver, to call. */
export function PhoneIcon() {
  return <Icon paths={[PATHS.phone]} filled />;
}

/** A receiver laid down. */
export function HangUpIcon() {
  return <Icon paths={[PATHS.phone]} filled turned />;
}

/** A microphone, struck through when muted. */
export function MicrophoneIcon({ muted }: { readonly muted: boolean }) {
  return <Icon paths={muted ? [PATHS.microphone, PATHS.slash] : [PATHS.microphone]} />;
}

/** Nine dots. */
export function KeypadIcon() {
  return <Icon paths={[PATHS.keypad]} heavy />;
}

interface IconProps {
  readonly paths: readonly string[];
  readonly filled?: boolean;
  readonly heavy?: boolean;
  readonly turned?: boolean;
}

function Icon({ paths, filled = false, heavy = false, turned = false }: IconProps) {
  const classes = ["icon", filled && "icon-filled", heavy && "icon-heavy", turned && "icon-turned"].filter(Boolean).join(" ");
  return (
    <svg class={classes} viewBox="0 0 24 24" aria-hidden="true">
      {paths.map((path) => (
        <path key={path} d={path} />
      ))}
    </svg>
  );
}
