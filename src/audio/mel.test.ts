import { expect, test } from "vitest";
import { MEL_FRAME, MelBands, melBandPosition } from "./mel.js";

function bandsOf(samples: (i: number) => number): Float64Array {
  const energies = new Float64Array(23);
  new MelBands(23).compute(
    Float64Array.from({ length: MEL_FRAME }, (_, i) => samples(i)),
    0,
    energies,
    0,
  );
  return energies;
}

const tone = (hz: number, amplitude: number) => (i: number) => amplitude * Math.sin((2 * Math.PI * hz * i) / 16_000);

/** The frequency at a position among the bands, by bisection. */
function hzAt(position: number): number {
  let [low, high] = [20, 8000];
  while (high - low > 0.01) {
    const middle = (low + high) / 2;
    if (melBandPosition(middle) < position) low = middle;
    else high = middle;
  }
  return low;
}

test("the bands cover 20 to 8000 Hz; the eighteenth begins the band that telephones cut off", () => {
  expect(melBandPosition(20)).toBeCloseTo(-1, 9);
  expect(melBandPosition(8000)).toBeCloseTo(23, 9);
  expect(hzAt(17)).toBeGreaterThan(3900);
  expect(hzAt(17)).toBeLessThan(4000);
});

test("a tone at the centre of a band is loudest in that band", () => {
  for (let band = 2; band < 23; band++) {
    const energies = bandsOf(tone(hzAt(band), 3000));
    expect(energies.indexOf(Math.max(...energies))).toBe(band);
  }
});

test("twice the amplitude adds the logarithm of 4 to every band", () => {
  const noise = (i: number) => 2000 * Math.sin(i * i);
  const quiet = bandsOf(noise);
  bandsOf((i) => 2 * noise(i)).forEach((energy, band) => expect(energy - quiet[band]!).toBeCloseTo(Math.log(4), 9));
});

test("a constant is silence, and silence is 0", () => {
  expect([...bandsOf(() => 5000)]).toEqual(new Array(23).fill(0));
});
