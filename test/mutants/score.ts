import type {Fate, Verdict} from './judge.js'

export interface Score {
  /** `codecs/tar`, `formats/package` …, or `src/model` for files that lie in no folder of their own. */
  readonly folder: string
  readonly mutants: number
  readonly killed: number
  readonly timedOut: number
  readonly survived: number
  readonly notCovered: number
}

/** No test has told it from the code as it is. */
export function isUnnoticed(fate: Fate): boolean {
  return fate === 'survived' || fate === 'not-covered'
}

/** By top folder of `src`. */
export function scoreOf(verdicts: readonly Verdict[]): Score[] {
  const folders = new Map<string, Verdict[]>()
  for (const verdict of verdicts) {
    const [, folder = ''] = verdict.mutant.file.split(/[\\/]/)
    folders.set(folder, [...(folders.get(folder) ?? []), verdict])
  }
  return [...folders].sort(([left], [right]) => (left < right ? -1 : 1)).map(([folder, own]) => countOf(folder, own))
}

/** The share that tests found, in percent; one that hangs is found too. */
export function percentOf({mutants, killed, timedOut}: Score): number {
  return mutants === 0 ? 100 : ((killed + timedOut) / mutants) * 100
}

export function toMarkdown(scores: readonly Score[]): string {
  const rows = scores.map(
    (score) =>
      `| ${score.folder} | ${score.mutants} | ${score.killed} | ${score.timedOut} | ${score.survived} | ${score.notCovered} | ${percentOf(score).toFixed(1)} % |`,
  )
  const head =
    '| Folder | Mutants | Killed | Timed out | Survived | Not covered | Score |\n|---|---|---|---|---|---|---|'
  return [head, ...rows, ''].join('\n')
}

function countOf(folder: string, verdicts: readonly Verdict[]): Score {
  const count = (fate: Verdict['fate']) => verdicts.filter((verdict) => verdict.fate === fate).length
  return {
    folder,
    mutants: verdicts.length,
    killed: count('killed'),
    timedOut: count('timed-out'),
    survived: count('survived'),
    notCovered: count('not-covered'),
  }
}
