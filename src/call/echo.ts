/** Both sides' loudness is kept for so many frames of 20 ms. */
const KEPT_FRAMES = 250;
/** An echo comes at most so many frames after the sound that caused it. */
const MAX_LAG_FRAMES = 30;
/** Each loudness is the mean of so many frames before and behind. */
const SMOOTHED_FRAMES = 2;
/** With fewer frames of the agent's voice than this nothing is proved. */
const MIN_VOICED_FRAMES = 8;
/** What is quieter counts as silence, in dBFS. */
const FLOOR_DBFS = -60;
/** What is louder counts as the agent's voice, in dBFS. */
const VOICE_DBFS = -45;
/** From this correlation on, the microphone's loudness follows the agent's. */
const ECHO_CORRELATION = 0.85;
/** So many frames, as a share of the voiced ones, may be loud where the agent is silent. */
const MAX_UNEXPLAINED = 0.2;

/**
 * Compares how loud the microphone and the agent are, 20 ms by 20 ms. An echo rises and falls with the agent's voice, a moment
 * later, and is silent where the agent is, however badly it is recognised; a caller's voice does neither.
 */
export class EchoMeter {
  readonly #microphone: number[] = [];
  readonly #agent: number[] = [];

  /** Adds 20 ms of both sides, in dBFS. */
  add(microphoneDbfs: number, agentDbfs: number): void {
    this.#microphone.push(Math.max(FLOOR_DBFS, microphoneDbfs));
    this.#agent.push(Math.max(FLOOR_DBFS, agentDbfs));
    if (this.#microphone.length <= KEPT_FRAMES) return;
    this.#microphone.shift();
    this.#agent.shift();
  }

  /** Whether the last `durationMs` of the microphone sound like the agent come back. */
  isEcho(durationMs: number): boolean {
    const frames = Math.min(Math.ceil(durationMs / 20), this.#microphone.length - MAX_LAG_FRAMES);
    if (frames < MIN_VOICED_FRAMES) return false;
    const heard = smoothed(this.#microphone).slice(-frames);
    const said = smoothed(this.#agent);
    for (let lag = 0; lag <= MAX_LAG_FRAMES; lag++) {
      const end = said.length - lag;
      if (follows(heard, said.slice(end - frames, end))) return true;
    }
    return false;
  }
}

/** Whether what was heard follows the agent's voice frame by frame, and is silent where it is. */
function follows(heard: readonly number[], agent: readonly number[]): boolean {
  const voiced = agent.flatMap((level, index) => (level > VOICE_DBFS ? [index] : []));
  if (voiced.length < MIN_VOICED_FRAMES) return false;
  const heardVoiced = voiced.map((index) => heard[index] as number);
  if (
    correlation(
      heardVoiced,
      voiced.map((index) => agent[index] as number),
    ) < ECHO_CORRELATION
  )
    return false;
  const middle = mean(heardVoiced);
  const unexplained = heard.filter((level, index) => level > middle && !isNearVoice(agent, index)).length;
  return unexplained <= MAX_UNEXPLAINED * voiced.length;
}

/** Whether the agent's voice sounds at a frame, or just before or after it. */
function isNearVoice(agent: readonly number[], index: number): boolean {
  for (let near = Math.max(0, index - 2); near <= index + 2; near++) if ((agent[near] ?? FLOOR_DBFS) > VOICE_DBFS) return true;
  return false;
}

/** Evens out what jitter of a frame or two does to the edges of words. */
function smoothed(levels: readonly number[]): number[] {
  return levels.map((_, index) => mean(levels.slice(Math.max(0, index - SMOOTHED_FRAMES), index + SMOOTHED_FRAMES + 1)));
}

/** Pearson's, from -1 to 1; 0 where either side does not vary. */
function correlation(a: readonly number[], b: readonly number[]): number {
  const meanA = mean(a);
  const meanB = mean(b);
  let product = 0;
  let squareA = 0;
  let squareB = 0;
  for (const [index, value] of a.entries()) {
    const fromA = value - meanA;
    const fromB = (b[index] as number) - meanB;
    product += fromA * fromB;
    squareA += fromA * fromA;
    squareB += fromB * fromB;
  }
  return squareA === 0 || squareB === 0 ? 0 : product / Math.sqrt(squareA * squareB);
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}
