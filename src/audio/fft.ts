/** A complex Fourier transform of one power-of-two size, with its tables. */
export class Fft {
  readonly size: number;
  readonly #cosines: Float64Array;
  readonly #sines: Float64Array;
  readonly #reversed: Uint16Array;

  /** `size` is a power of two, at most 65,536. */
  constructor(size: number) {
    this.size = size;
    this.#cosines = Float64Array.from({ length: size / 2 }, (_, i) => Math.cos((2 * Math.PI * i) / size));
    this.#sines = Float64Array.from({ length: size / 2 }, (_, i) => -Math.sin((2 * Math.PI * i) / size));
    this.#reversed = new Uint16Array(size);
    for (let i = 1; i < size; i++) this.#reversed[i] = (this.#reversed[i >> 1]! >> 1) | (i & 1 ? size >> 1 : 0);
  }

  /** Transforms in place. Swapping the two arrays gives the inverse, times `size`. */
  transform(real: Float64Array, imaginary: Float64Array): void {
    this.#permute(real);
    this.#permute(imaginary);
    const { size } = this;
    for (let half = 1; half < size; half *= 2) {
      const stride = size / (2 * half);
      for (let k = 0; k < half; k++) {
        const cosine = this.#cosines[k * stride]!;
        const sine = this.#sines[k * stride]!;
        for (let a = k; a < size; a += 2 * half) {
          const b = a + half;
          const re = real[b]! * cosine - imaginary[b]! * sine;
          const im = real[b]! * sine + imaginary[b]! * cosine;
          real[b] = real[a]! - re;
          imaginary[b] = imaginary[a]! - im;
          real[a] = real[a]! + re;
          imaginary[a] = imaginary[a]! + im;
        }
      }
    }
  }

  #permute(values: Float64Array): void {
    for (let i = 0; i < this.size; i++) {
      const j = this.#reversed[i]!;
      if (j <= i) continue;
      const value = values[i]!;
      values[i] = values[j]!;
      values[j] = value;
    }
  }
}
