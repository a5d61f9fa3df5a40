import type {Candidate} from './candidate.js'
import {splitLine} from './split-line.js'

export const SHELLS = ['bash', 'zsh', 'fish', 'powershell'] as const
export type Shell = (typeof SHELLS)[number]

/** What a script of ours sends: the words behind the program's name, or for bash the line up to the cursor. */
export interface Question {
  readonly words: readonly string[]
  /** The answer for the shell, a line for each candidate. */
  readonly answer: (candidates: readonly Candidate[]) => readonly string[]
}

/** Reads what the script of a shell sends, and says how that shell wants to be answered. */
export function readQuestion(shell: Shell, sent: readonly string[]): Question {
  if (shell !== 'bash') return {words: sent, answer: (candidates) => candidates.map(lineOf)}
  const [line = '', breaks] = sent
  const {words, quote, kept} = splitLine(line, breaks)
  return {
    words: words.slice(1),
    answer: (candidates) =>
      candidates.filter(isPrintable).map(({text, isWhole}) => {
        const rest = text.slice(kept)
        if (quote !== '') return rest
        return escapeForBash(rest) + (isWhole ? ' ' : '')
      }),
  }
}

/** Word, whether it ends there, and what it means, with tabs between them. */
function lineOf({text, isWhole, description = ''}: Candidate): string {
  return [text, isWhole ? '1' : '0', description.replaceAll(/\s+/g, ' ')]
    .map((part) => part.replaceAll('\t', ' '))
    .join('\t')
}

/** A name with a line break would be two candidates, of which neither is one. */
function isPrintable({text}: Candidate): boolean {
  return !/[\n\t]/.test(text)
}

/** Backslashes before what bash would take for something else. */
function escapeForBash(text: string): string {
  return text.replaceAll(/[^\w@%+=:,./{}^~-]|^~/gu, (character) =>
    (character.codePointAt(0) ?? 0) > 127 ? character : `\\${character}`,
  )
}
