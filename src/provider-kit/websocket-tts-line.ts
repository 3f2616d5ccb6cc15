import type { Clock } from "../core/clock.js";
import type { SpeechPart } from "./http-tts.js";
import type { VendorSocket } from "./websocket.js";
import type { ContextDialect, ContextMessage } from "./websocket-tts.js";

/** Who a context speaks for. */
export interface ContextReceiver {
  receive(part: SpeechPart): void;
  /** The vendor has said all it will say in this context. */
  finished(): void;
  /** The context failed, or its socket did. */
  lost(error: unknown): void;
}

export interface TtsLineOptions {
  readonly dialect: ContextDialect;
  readonly socket: VendorSocket;
  readonly clock: Clock;
  readonly onOver: () => void;
}

/** One socket and the contexts that are open on it. */
export class TtsLine implements AsyncDisposable {
  readonly #options: TtsLineOptions;
  /** Without a receiver: prepared for the next reply, or only finishing to speak for one that is gone. */
  readonly #contexts = new Map<string, ContextReceiver | undefined>();
  readonly #waiting = new Set<(hasRoom: boolean) => void>();
  /** What the vendor said before it closed the socket. */
  #error: unknown;
  #prepared: string | undefined;
  #opened = 0;
  #isOver = false;
  #isClosing = false;
  #keepAlive: Disposable | undefined;

  constructor(options: TtsLineOptions) {
    this.#options = options;
    this.#prepare();
    this.#watch();
    void this.#read();
  }

  get liveContexts(): number {
    return this.#contexts.size;
  }

  get isOver(): boolean {
    return this.#isOver;
  }

  get hasRoom(): boolean {
    return !this.#isOver && (this.#prepared !== undefined || this.#contexts.size < this.#options.dialect.maxContexts);
  }

  /** Waits at most `ms` for a place; says whether there is one. */
  async room(ms: number): Promise<boolean> {
    if (this.hasRoom || this.#isOver) return this.hasRoom;
    return await new Promise((resolve) => {
      const done = (hasRoom: boolean): void => {
        this.#waiting.delete(done);
        timer[Symbol.dispose]();
        resolve(hasRoom);
      };
      const timer = this.#options.clock.setTimer(ms, () => done(false));
      this.#waiting.add(done);
    });
  }

  /** Opens a context; there must be room. */
  take(receiver: ContextReceiver): string {
    const context = this.#prepared ?? this.#begin();
    this.#prepared = undefined;
    this.#contexts.set(context, receiver);
    return context;
  }

  send(message: string): void {
    this.#options.socket.send(message);
  }

  /** Nothing more of the context is wanted; it stays open until the vendor says that it is over. */
  cancel(context: string): void {
    if (this.#contexts.get(context) === undefined) return;
    this.#contexts.set(context, undefined);
    this.send(this.#options.dialect.cancel(context));
    this.#prepare();
  }

  /** Closes the socket as soon as no reply is speaking. */
  retire(): void {
    this.#isClosing = true;
    if (!this.#isSpeaking) void this[Symbol.asyncDispose]();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#isClosing = true;
    this.#keepAlive?.[Symbol.dispose]();
    await this.#options.socket[Symbol.asyncDispose]();
  }

  #begin(): string {
    const context = `reply-${++this.#opened}`;
    this.#contexts.set(context, undefined);
    this.send(this.#options.dialect.begin(context));
    return context;
  }

  /** Opens the next reply's context ahead, once nobody speaks. */
  #prepare(): void {
    if (this.#isSpeaking) return;
    if (this.#isClosing) this.retire();
    else if (this.#prepared === undefined && this.hasRoom) this.#prepared = this.#begin();
  }

  get #isSpeaking(): boolean {
    return [...this.#contexts.values()].some((receiver) => receiver !== undefined);
  }

  /** Contexts that are cancelled or finishing are left to end. */
  #watch(): void {
    const { clock, dialect } = this.#options;
    this.#keepAlive = clock.setTimer(dialect.keepAliveMs, () => {
      for (const [context, receiver] of this.#contexts) {
        if (receiver !== undefined || context === this.#prepared) this.send(dialect.keepAlive(context));
      }
      this.#watch();
    });
  }

  async #read(): Promise<void> {
    const { socket, dialect } = this.#options;
    try {
      for await (const message of socket.messages) this.#receive(dialect.decode(message));
    } catch (error) {
      this.#error ??= error;
    }
    this.#end();
  }

  #receive(message: ContextMessage): void {
    switch (message.type) {
      case "speech":
        this.#contexts.get(message.context)?.receive(message);
        return;
      case "final":
        this.#finish(message.context)?.finished();
        this.#prepare();
        return;
      case "error":
        if (message.context === undefined) this.#error ??= message.error;
        else this.#finish(message.context)?.lost(message.error);
        return;
      case "other":
        return;
    }
  }

  #finish(context: string): ContextReceiver | undefined {
    const receiver = this.#contexts.get(context);
    if (!this.#contexts.delete(context)) return undefined;
    if (this.#prepared === context) this.#prepared = undefined;
    const [waiting] = this.#waiting;
    waiting?.(true);
    return receiver;
  }

  #end(): void {
    const { socket, dialect, onOver } = this.#options;
    this.#isOver = true;
    this.#keepAlive?.[Symbol.dispose]();
    // A message that could not be decoded leaves the socket open.
    void socket[Symbol.asyncDispose]();
    const error = this.#error ?? dialect.closed(socket.closed);
    const receivers = [...this.#contexts.values()];
    this.#contexts.clear();
    for (const waiting of this.#waiting) waiting(false);
    onOver();
    for (const receiver of receivers) receiver?.lost(error);
  }
}
