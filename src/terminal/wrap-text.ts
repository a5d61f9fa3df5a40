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
      const head = headOf(word, width)
      lines.push(head)
      word = word.slice(head.length)
    }
    line = word
  }
  return line === '' ? lines : [...lines, line]
}

const GRAPHEMES = new Intl.Segmenter('en')

/** As many characters as there is room for, and one at least: it may be wider than the whole width. */
function headOf(word: string, width: number): string {
  let head = ''
  for (const {segment} of GRAPHEMES.segment(word)) {
    if (head !== '' && stringWidth(head + segment) > width) break
    head += segment
  }
  return head
}

/** A sentence as it is shown: wrapped where there is a terminal. */
export function fitSentence(text: string, {width}: {readonly width?: number} = {}): string {
  return width === undefined ? text : wrapText(text, width).join('\n')
}
