/** One way to go on with the word at the cursor. */
export interface Candidate {
  /** The whole word, unquoted. */
  readonly text: string
  /** Whether the word ends here; else more of it follows, such as a folder's content. */
  readonly isWhole: boolean
  readonly description?: string
}

/** Those of some words that begin as typed, as whole words. */
export function matching(words: readonly string[], typed: string): readonly Candidate[] {
  return words.filter((word) => word.startsWith(typed)).map((text) => ({text, isWhole: true}))
}

/** The same candidates behind a text in front of each. */
export function behind(front: string, candidates: readonly Candidate[]): readonly Candidate[] {
  return candidates.map((candidate) => ({...candidate, text: front + candidate.text}))
}
