const GRAPHEMES = new Intl.Segmenter('en', {granularity: 'grapheme'})
/** Scripts whose signs take two columns of a monospaced font, and emoji. */
const WIDE =
  /[\p{Script=Han}\p{Script=Hangul}\p{Script=Hiragana}\p{Script=Katakana}\p{Emoji_Presentation}\uff01-\uff60]/u

/** Columns that the text takes in a monospaced font. */
export function columnsOf(text: string): number {
  let columns = 0
  for (const {segment} of GRAPHEMES.segment(text)) columns += WIDE.test(segment) ? 2 : 1
  return columns
}

/** The text in so many columns at most: its middle is left out, since names differ at their ends. */
export function elide(text: string, columns: number): string {
  if (columnsOf(text) <= columns) return text
  const graphemes = [...GRAPHEMES.segment(text)].map(({segment}) => segment)
  const room = Math.max(0, columns - 1)
  const head = take(graphemes, Math.ceil(room / 2))
  const tail = take(graphemes.toReversed(), room - columnsOf(head.join('')))
  return `${head.join('')}…${tail.toReversed().join('')}`
}

function take(graphemes: readonly string[], columns: number): string[] {
  const taken: string[] = []
  let used = 0
  for (const grapheme of graphemes) {
    used += columnsOf(grapheme)
    if (used > columns) break
    taken.push(grapheme)
  }
  return taken
}
