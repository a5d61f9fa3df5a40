/** Docker's own length: enough to tell thousands of digests apart. */
const SHOWN_DIGITS = 12

const WHOLE = /^(\s*)(?:sha\d+:)?([0-9a-f]{64,128})$/
const INSIDE = /(sha\d+:[0-9a-f]{12})[0-9a-f]{52,}/g

/**
 * A text for a table with its digests cut to their first 12 digits: a digest alone without its algorithm, as Docker shows
 * ids; one in a longer text with it, and an ellipsis.
 */
export function shortenDigests(text: string): string {
  if (text.length < 64) return text
  const whole = WHOLE.exec(text)
  if (whole !== null) return `${whole[1] ?? ''}${whole[2]?.slice(0, SHOWN_DIGITS) ?? ''}`
  return text.replaceAll(INSIDE, '$1…')
}
