import cliTruncate from 'cli-truncate'
import stringWidth from 'string-width'

/** A printable text in lines of at most `width` columns, broken at spaces, and inside a word only where it is longer. */
export function wrapText(text: string, width: number): string[] {
  const lines: string[] = []
  let line = ''
  for (let word of text.split(' ')) {
    const joined = line === '' ? word : `${line} ${word}`
    if (stringWidth(joined) <= width) {
      line = joined
      continue
    }
    if (line !== '') lines.push(line)
    while (stringWidth(word) > width) {
      // A character may be wider than the whole width.
      const head = cliTruncate(word, width, {truncationCharacter: ''}) || (/^./u.exec(word)?.[0] ?? '')
      lines.push(head)
      word = word.slice(head.length)
    }
    line = word
  }
  return line === '' ? lines : [...lines, line]
}
