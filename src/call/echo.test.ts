import { describe, expect, test } from "vitest";
import { EchoMeter } from "./echo.js";

/** A voice's loudness in dBFS, frame by frame, the same for the same seed. */
function voice(frames: number, seed: number): number[] {
  let state = seed;
  return Array.from({ length: frames }, (_, index) => {
    state = (state * 1_103_515_245 + 12_345) % 2_147_483_648;
    const syllable = Math.sin((index * (5 + seed)) / 23 + seed);
    return -30 + 10 * syllable + (state / 2_147_483_648) * 6;
  });
}

const silence = (frames: number): number[] => new Array<number>(frames).fill(-100);

function meter(microphone: readonly number[], agent: readonly number[]): EchoMeter {
  const echo = new EchoMeter();
  for (const [index, level] of microphone.entries()) echo.add(level, agent[index] ?? -100);
  return echo;
}

describe("the echo meter", () => {
  const agent = [...silence(20), ...voice(80, 5), ...silence(50)];

  test("knows the agent's voice, quieter and later", () => {
    const late = [...silence(5), ...agent].map((level) => Math.max(-100, level - 18));
    expect(meter(late.slice(0, agent.length), agent).isEcho(1600)).toBe(true);
  });

  test("knows it when a pause has cut it short", () => {
    const cut = [...silence(60), ...voice(15, 5), ...silence(25)];
    const back = [...silence(64), ...voice(15, 5).map((level) => level - 15), ...silence(21)];
    expect(meter(back, cut).isEcho(1200)).toBe(true);
  });

  test("does not take a caller for it who speaks over the agent, or begins while it speaks", () => {
    for (const seed of [1, 2, 3, 4, 7, 8, 9, 11]) {
      const over = [...silence(40), ...voice(80, seed), ...silence(30)];
      expect(meter(over, agent).isEcho(1600)).toBe(false);
      // The agent is paused five frames after the caller began.
      const paused = [...silence(10), ...voice(65, 5), ...silence(45)];
      const short = [...silence(70), ...voice(20, seed), ...silence(30)];
      expect(meter(short, paused).isEcho(1600)).toBe(false);
    }
  });

  test("says nothing before it has heard enough, or of an agent that was silent", () => {
    expect(meter(voice(20, 5), voice(20, 5)).isEcho(400)).toBe(false);
    expect(meter(voice(100, 5), silence(100)).isEcho(1600)).toBe(false);
    expect(meter(silence(100), silence(100)).isEcho(1600)).toBe(false);
  });
});
