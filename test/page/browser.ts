import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type BrowserContext, type BrowserContextOptions, chromium, type Page } from "playwright-core";
import { findChromium } from "../../scripts/system-tools.mjs";

const QUIET_FLAGS = [
  "--no-sandbox",
  "--disable-gpu",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
];

export interface PhoneOptions {
  /** The page's address. */
  readonly url: string;
  /** A WAV file that is played once into the microphone, from the moment the call asks for it. Default: beeps. */
  readonly microphone?: string;
  /** `refused`: the browser's question for the microphone is answered with no. */
  readonly permission?: "granted" | "refused";
  readonly flags?: readonly string[];
  readonly context?: BrowserContextOptions;
}

/** What `window.phoneStats()` answers. */
export interface PhoneStats {
  readonly framesSent: number;
  readonly framesDropped: number;
  readonly receivedBytes: number;
  readonly marksReported: number;
  readonly gaps: readonly { readonly durationMs: number; readonly atMark: boolean }[];
  readonly overflows: number;
}

export interface TranscriptLine {
  readonly who: "caller" | "agent" | "note";
  readonly text: string;
}

/** What left the page for the loudspeaker. */
export interface RenderedAudio {
  readonly sampleRate: number;
  readonly samples: Int16Array;
}

/** Opens the page in a Chromium of its own; dispose to close it. Throws, with what to do, when there is no Chromium. */
export async function openPhone(options: PhoneOptions): Promise<PhonePage> {
  const executablePath = findChromium();
  if (executablePath === undefined) throw new Error("No Chromium found: install it, on Debian with `apt-get install chromium`.");
  const profile = await mkdtemp(join(tmpdir(), "phone-"));
  const microphone = options.microphone === undefined ? [] : [`--use-file-for-fake-audio-capture=${options.microphone}%noloop`];
  const permission = options.permission === "refused" ? "--deny-permission-prompts" : "--use-fake-ui-for-media-stream";
  const context = await chromium.launchPersistentContext(profile, {
    executablePath,
    args: [...QUIET_FLAGS, "--use-fake-device-for-media-stream", permission, ...microphone, ...(options.flags ?? [])],
    ...options.context,
  });
  const page = context.pages()[0] ?? (await context.newPage());
  await page.addInitScript(await readFile(new URL("tap-page.js", import.meta.url), "utf8"));
  const phone = new PhonePage(page, context, profile);
  await page.goto(options.url);
  return phone;
}

/** The page with the phone, as a caller uses it. */
export class PhonePage implements AsyncDisposable {
  readonly page: Page;
  /** What the page's console and the browser complained about. */
  readonly complaints: string[] = [];
  readonly #context: BrowserContext;
  readonly #profile: string;

  constructor(page: Page, context: BrowserContext, profile: string) {
    this.page = page;
    this.#context = context;
    this.#profile = profile;
    page.on("pageerror", (error) => this.complaints.push(error.message));
    page.on("console", (message) => {
      if (["error", "warning"].includes(message.type())) this.complaints.push(message.text());
    });
  }

  /** Presses the button and waits for the call to be connected. */
  async call(): Promise<void> {
    await this.pressCall();
    await this.page.getByRole("button", { name: "Hang up" }).waitFor();
  }

  async pressCall(): Promise<void> {
    await this.page.locator("#call").click();
  }

  async hangUp(): Promise<void> {
    await this.page.getByRole("button", { name: "Hang up" }).click();
  }

  /** The line under the title before and after a call. */
  async status(): Promise<string> {
    return (await this.page.locator(".status").textContent()) ?? "";
  }

  /** Waits until the call is over. */
  async ended(timeoutMs = 30_000): Promise<void> {
    await this.page.locator(".status").waitFor({ timeout: timeoutMs });
  }

  /** The lines as shown, partial words included. */
  async transcript(): Promise<TranscriptLine[]> {
    return this.page.evaluate<TranscriptLine[]>(`[...document.querySelectorAll(".lines > li")].map((line) => ({
      who: line.classList.contains("note") ? "note" : line.classList.contains("line-caller") ? "caller" : "agent",
      text: (line.querySelector("p") ?? line).textContent.trim(),
    }))`);
  }

  /** Resolves when the transcript's text matches. */
  async waitForTranscript(pattern: RegExp, timeoutMs = 30_000): Promise<void> {
    await this.page.locator(".lines").filter({ hasText: pattern }).waitFor({ timeout: timeoutMs });
  }

  /** Of the present or the last call. */
  stats(): Promise<PhoneStats> {
    return this.page.evaluate<PhoneStats>("window.phoneStats()");
  }

  /** Everything rendered for the loudspeaker since the last call was begun, mono. */
  async renderedAudio(): Promise<RenderedAudio> {
    const { sampleRate, base64 } = await this.page.evaluate<{ sampleRate: number; base64: string }>("window.tappedAudio()");
    const bytes = Buffer.from(base64, "base64");
    return { sampleRate, samples: new Int16Array(bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.length)) };
  }

  async screenshot(path: string): Promise<void> {
    await this.page.screenshot({ path });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#context.close();
    await rm(this.#profile, { recursive: true, force: true });
  }
}
