const UNITS = ['KiB', 'MiB', 'GiB', 'TiB', 'PiB'] as const

/** A size for people: `512 B`, `1.5 KiB`, `2.0 GiB`; units of 1024. */
export function formatBytes(bytes: number): string {
  if (bytes < 1024) return `${Math.round(bytes)} B`
  let value = bytes
  let unit = -1
  // 1023.95 would be shown as 1024.0 of the smaller unit.
  while ((value >= 1023.95 || unit < 0) && unit < UNITS.length - 1) {
    value /= 1024
    unit++
  }
  return `${value.toFixed(1)} ${UNITS[unit] ?? ''}`
}

/** A span of time for people: `4 s`, `2 min 5 s`, `1 h 3 min`. */
export function formatSeconds(seconds: number): string {
  const whole = Math.max(0, Math.round(seconds))
  if (whole < 60) return `${whole} s`
  if (whole < 3600) return `${Math.floor(whole / 60)} min ${whole % 60} s`
  return `${Math.floor(whole / 3600)} h ${Math.floor((whole % 3600) / 60)} min`
}

/** `12.0 MiB of 2.0 GiB (0 %), 80.0 MiB/s, 25 s left`: what of it is known. */
export function formatProgress(bytes: number, totalBytes: number | undefined, seconds: number): string {
  const isTotalKnown = totalBytes !== undefined && totalBytes >= bytes
  // Rounded down: only what is whole is 100 %.
  const percent = isTotalKnown && totalBytes > 0 ? ` (${Math.floor((bytes * 100) / totalBytes)} %)` : ''
  const parts = [isTotalKnown ? `${formatBytes(bytes)} of ${formatBytes(totalBytes)}${percent}` : formatBytes(bytes)]
  const bytesPerSecond = seconds > 0 ? bytes / seconds : 0
  if (bytesPerSecond > 0) {
    parts.push(`${formatBytes(bytesPerSecond)}/s`)
    if (isTotalKnown) parts.push(`${formatSeconds((totalBytes - bytes) / bytesPerSecond)} left`)
  }
  return parts.join(', ')
}
