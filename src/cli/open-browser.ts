import { spawn } from "node:child_process";
import type { CommandContext } from "./command.js";

/** Whether a person with a screen is likely to sit here. */
export function hasScreen({ out, env }: CommandContext): boolean {
  const isSet = (name: string): boolean => (env[name] ?? "") !== "";
  if (!out.isTerminal || isSet("CI") || isSet("SSH_CONNECTION")) return false;
  return process.platform !== "linux" || isSet("DISPLAY") || isSet("WAYLAND_DISPLAY");
}

/** Opens an address in the user's browser. Where that fails nothing happens: the address is on the screen. */
export function openBrowser(url: string): void {
  const [program, ...args] = opener(url);
  const child = spawn(program, args, { stdio: "ignore", detached: true });
  child.on("error", () => {
    // No such program on this system.
  });
  child.unref();
}

function opener(url: string): [string, ...string[]] {
  switch (process.platform) {
    case "darwin":
      return ["open", url];
    case "win32":
      return ["cmd", "/c", "start", "", url];
    default:
      return ["xdg-open", url];
  }
}
