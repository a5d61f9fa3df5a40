const PATTERN = /^(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(?:\.(\d+))?Z$/

/**
 * An RFC 3339 time in the form packages use: UTC, seven decimals (100 ns), Z. Finer digits are cut. Undefined when the
 * text is no time. Source: .NET round-trip format, inbox package page 1.4.
 */
export function findPackageTime(rfc3339: string | undefined): string | undefined {
  if (rfc3339 === undefined) return undefined
  const direct = PATTERN.exec(rfc3339)
  if (direct?.[1] !== undefined) return `${direct[1]}.${(direct[2] ?? '').slice(0, 7).padEnd(7, '0')}Z`
  const parsed = Date.parse(rfc3339)
  if (Number.isNaN(parsed)) return undefined
  const fraction = /\.(\d+)/.exec(rfc3339)?.[1] ?? ''
  return `${new Date(parsed).toISOString().slice(0, 19)}.${fraction.slice(0, 7).padEnd(7, '0')}Z`
}

/** Seconds since 1970 in the same form. */
export function packageTimeOfSeconds(seconds: number): string {
  return `${new Date(seconds * 1000).toISOString().slice(0, 19)}.0000000Z`
}
