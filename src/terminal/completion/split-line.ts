/** A command line up to the cursor, as bash reads it. */
export interface SplitLine {
  /** Words without their quotes; the last is the one at the cursor, empty behind a space. */
  readonly words: readonly string[]
  /** The quote that the word at the cursor stands in. */
  readonly quote: '' | '"' | "'"
  /** How much of the last word, unquoted, stands before the part that readline replaces. */
  readonly kept: number
}

/** Words of another command on the same line, such as what a pipe feeds. */
const ENDS_COMMAND = /[|&;()\n]/

/**
 * Splits a line by the rules of bash for quotes and backslashes. `breaks`: COMP_WORDBREAKS, at whose characters readline
 * begins the part that it replaces. Source: Bash Reference Manual, 3.1.2 Quoting and 8.6 Programmable Completion.
 */
export function splitLine(line: string, breaks = ' \t\n"\'><=;|&(:'): SplitLine {
  let words: string[] = []
  let word: string | undefined
  let quote: SplitLine['quote'] = ''
  let kept = 0
  const end = () => {
    if (word !== undefined) words.push(word)
    word = undefined
    kept = 0
  }
  for (let at = 0; at < line.length; at++) {
    const character = line.charAt(at)
    if (quote !== '') {
      const next = line.charAt(at + 1)
      if (character === quote) quote = ''
      else if (quote === '"' && character === '\\' && /["\\$`]/.test(next)) {
        word = (word ?? '') + next
        at++
      } else word = (word ?? '') + character
    } else if (character === '"' || character === "'") {
      quote = character
      word ??= ''
      kept = word.length
    } else if (character === '\\') {
      at++
      word = (word ?? '') + line.charAt(at)
    } else if (character === ' ' || character === '\t') end()
    else if (ENDS_COMMAND.test(character)) {
      end()
      words = []
    } else {
      word = (word ?? '') + character
      if (breaks.includes(character)) kept = word.length
    }
  }
  return {words: [...words, word ?? ''], quote, kept}
}
