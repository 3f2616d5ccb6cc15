import { Transcoder } from "../audio/transcode.js";
import { type AudioFormat, type AudioFrame, audioDurationMs } from "../core/audio-frame.js";
import type { CallEventBody } from "../core/call-event.js";
import type { Clock } from "../core/clock.js";
import { ProviderError, ProviderTimeoutError } from "../core/errors.js";
import { AsyncQueue } from "../core/queue.js";
import { abortable, deferred, untilAborted } from "../core/signals.js";
import type { TtsStream } from "../core/tts.js";
import type { PlayoutTrack } from "./playout.js";
import { type HeardReply, ReplyText } from "./reply-text.js";
import type { SpeechOutput } from "./speech-output.js";

export interface ReplyVoiceOptions {
  readonly reply: number;
  readonly speech: SpeechOutput;
  readonly track: PlayoutTrack;
  readonly format: AudioFormat;
  readonly clock: Clock;
  readonly signal: AbortSignal;
  emit(body: CallEventBody): void;
}

/** A sentence as the model wrote it, and as it is to be said. */
export interface QueuedSentence {
  readonly round: number;
  readonly source: string;
  readonly spoken: string;
  /** Whether it only bridges the time until the answer. */
  readonly isHold: boolean;
}

/** A synthesiser that owes audio and sends nothing for so long, in ms, has failed. */
const SILENCE_MS = 5000;
/** Sentences that may be synthesised while the one before is still being sent. */
const SENTENCES_AHEAD = 1;

/** Less audio than a frame, in ms, may wait for more before it is sent. */
const FRAME_MS = 20;

/** As when a voice does not know the language of the text. */
function noAudio(provider: string): ProviderError {
  return new ProviderError(`${provider} gave no audio for the reply: check that the voice speaks its language.`, { provider });
}

/** Speaks one reply: sentences in, audio to playout, one sentence of synthesis ahead. */
export class ReplyVoice {
  readonly #options: ReplyVoiceOptions;
  readonly #stream: TtsStream;
  readonly #sentences = new AsyncQueue<QueuedSentence>();
  readonly #text = new ReplyText();
  /** Where each sentence's audio ends, in ms, as far as it has been synthesised. */
  readonly #endsMs: number[] = [];
  #written = 0;
  #isSynthesised = false;
  #wake: () => void = () => {};
  readonly #stalled = deferred<never>();
  #deadline: Disposable | undefined;

  constructor(options: ReplyVoiceOptions) {
    this.#options = options;
    this.#stream = options.speech.speak(options.signal);
  }

  /** Whether everything it was given has been synthesised. */
  get isIdle(): boolean {
    return this.#sentences.size === 0 && this.#endsMs.length === this.#written;
  }

  say(sentence: QueuedSentence): void {
    this.#sentences.push(sentence);
  }

  /** Nothing more will be said. */
  end(): void {
    this.#sentences.end();
  }

  heardAt(audioMs: number, isEstimated: boolean): HeardReply {
    return this.#text.heardAt(audioMs, isEstimated);
  }

  /** Resolves when all audio has been handed to playout. Rejects when the synthesiser fails or the signal aborts. */
  async run(): Promise<void> {
    const { track } = this.#options;
    try {
      await Promise.race([Promise.all([this.#write(), this.#synthesise()]), this.#stalled.promise]);
    } finally {
      this.#deadline?.[Symbol.dispose]();
      track.end();
    }
  }

  async #write(): Promise<void> {
    const { reply, signal, emit } = this.#options;
    for await (const sentence of this.#sentences) {
      const mustBeSent = this.#written - SENTENCES_AHEAD - 1;
      if (mustBeSent >= 0) await abortable(this.#sent(mustBeSent), signal);
      signal.throwIfAborted();
      this.#written++;
      emit({ type: "sentence_ready", reply, text: sentence.spoken, ...(sentence.isHold && { isHold: true }) });
      this.#stream.write(this.#text.add(sentence.round, sentence.source, sentence.spoken));
      this.#stream.flush();
      this.#watchSynthesis();
    }
    this.#stream.end();
  }

  /** Resolves when audio behind the sentence's end is being sent, or the sentence behind it turns out to have no sound. */
  async #sent(sentence: number): Promise<void> {
    while (this.#endsMs.length <= sentence) {
      if (this.#isSynthesised) return;
      await this.#progress();
    }
    const endMs = this.#endsMs[sentence] as number;
    let isSent = false;
    const sent = this.#options.track.sentBeyond(endMs).then(() => {
      isSent = true;
    });
    while (!isSent && !this.#isSynthesised && (this.#endsMs[sentence + 1] ?? Number.POSITIVE_INFINITY) - endMs >= FRAME_MS) {
      await Promise.race([sent, this.#progress()]);
    }
  }

  /** While a sentence waits for its audio, the synthesiser must not fall silent. */
  #watchSynthesis(): void {
    const { clock, speech } = this.#options;
    this.#deadline?.[Symbol.dispose]();
    this.#deadline = undefined;
    if (this.#endsMs.length === this.#written || this.#isSynthesised) return;
    const { provider } = speech;
    this.#deadline = clock.setTimer(SILENCE_MS, () =>
      this.#stalled.reject(new ProviderTimeoutError(`${provider} gave no audio for ${SILENCE_MS / 1000} s.`, { provider })),
    );
  }

  /** Resolves when a sentence has been synthesised, or all have. */
  #progress(): Promise<void> {
    return new Promise((resolve) => {
      this.#wake = resolve;
    });
  }

  async #synthesise(): Promise<void> {
    const { reply, speech, format, signal, emit } = this.#options;
    const transcoder = new Transcoder(speech.format, format);
    let hasAudio = false;
    try {
      for await (const event of untilAborted(this.#stream, signal)) {
        // The reply may have ended while the event was on its way here.
        signal.throwIfAborted();
        this.#watchSynthesis();
        switch (event.type) {
          case "audio": {
            if (event.frame.bytes.length === 0) break;
            if (!hasAudio) emit({ type: "tts_first_audio", reply });
            hasAudio = true;
            this.#play(transcoder.process(event.frame));
            break;
          }
          case "words":
            this.#text.addWords(event.words);
            break;
          case "flushed":
            this.#completeSentence(event.textEnd);
            break;
          case "usage":
            emit({ type: "tts_usage", provider: speech.provider, model: speech.model, characters: event.characters });
            break;
        }
      }
      this.#play(transcoder.flush());
      if (!hasAudio && !this.#text.isEmpty) throw noAudio(speech.provider);
    } finally {
      this.#isSynthesised = true;
      this.#wake();
      this.#sentences.end();
    }
  }

  #play(frame: AudioFrame | undefined): void {
    if (frame === undefined) return;
    this.#text.addAudio(audioDurationMs(frame.format, frame.bytes.length));
    this.#options.track.write(frame);
  }

  #completeSentence(textEnd: number): void {
    this.#text.completeText(textEnd);
    this.#options.track.boundary();
    this.#endsMs.push(this.#text.audioMs);
    this.#watchSynthesis();
    this.#wake();
  }
}
