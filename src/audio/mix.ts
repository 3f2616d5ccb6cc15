/** Adds two signals sample by sample, each times its gain (1 by default); too loud a sum is clipped. */
export function mix(a: Int16Array, b: Int16Array, gains: { readonly a?: number; readonly b?: number } = {}): Int16Array {
  const gainA = gains.a ?? 1;
  const gainB = gains.b ?? 1;
  const mixed = new Int16Array(Math.max(a.length, b.length));
  for (let i = 0; i < mixed.length; i++) {
    const sum = Math.round((a[i] ?? 0) * gainA + (b[i] ?? 0) * gainB);
    mixed[i] = sum > 32_767 ? 32_767 : sum < -32_768 ? -32_768 : sum;
  }
  return mixed;
}

/** The samples of a left and a right channel in turn; the shorter one is padded with silence. */
export function interleave(left: Int16Array, right: Int16Array): Int16Array {
  const frames = Math.max(left.length, right.length);
  const stereo = new Int16Array(2 * frames);
  for (let i = 0; i < frames; i++) {
    stereo[2 * i] = left[i] ?? 0;
    stereo[2 * i + 1] = right[i] ?? 0;
  }
  return stereo;
}
