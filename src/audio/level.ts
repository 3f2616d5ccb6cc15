/** The lowest level reported, in dBFS: that of digital silence. */
export const MIN_DBFS = -100;

/** Loudness of samples as their root mean square in dBFS: 0 for a full-scale square wave, -3 for a sine. */
export function rmsDbfs(samples: Int16Array): number {
  let sum = 0;
  for (let i = 0; i < samples.length; i++) sum += samples[i]! ** 2;
  return toDbfs(Math.sqrt(sum / Math.max(1, samples.length)));
}

/** The highest sample's level in dBFS. */
export function peakDbfs(samples: Int16Array): number {
  let peak = 0;
  for (let i = 0; i < samples.length; i++) peak = Math.max(peak, Math.abs(samples[i]!));
  return toDbfs(peak);
}

function toDbfs(amplitude: number): number {
  return Math.max(MIN_DBFS, 20 * Math.log10(amplitude / 32_768));
}
