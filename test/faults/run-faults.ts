import {mkdtempSync, rmSync} from 'node:fs'
import {tmpdir} from 'node:os'
import path from 'node:path'
import {DIRECTIONS, makeStock} from './directions.js'
import {KINDS, type Kind, type Moments, type Trial} from './kinds.js'
import {compileShim} from './shim.js'
import {doneState, type Bench} from './trial.js'

export interface FaultOptions {
  /** Kinds and directions whose name holds one of the texts; all without them. */
  readonly kinds?: readonly string[]
  readonly directions?: readonly string[]
  /** So many moments of each kind and direction. */
  readonly each: number
  readonly kills: number
  readonly seed: number
  readonly onTrial?: (trial: Trial) => void
  readonly onKind?: (kind: Kind, trials: number) => void
  /** Of earlier runs: these are not tried again. */
  readonly earlier?: readonly Pair[]
  readonly onPair?: (pair: Pair) => void
}

/** A kind that was tried in a direction, to its end. */
export interface Pair {
  readonly kind: string
  readonly direction: string
  readonly trials: number
  readonly wrong: readonly Trial[]
}

export interface FaultReport {
  readonly pairs: readonly Pair[]
  /** Kinds that could not be tried here, and why. */
  readonly skipped: readonly {readonly kind: Kind; readonly why: string}[]
}

/** Makes what all trials share; `close` removes it. Tells why no system call can be made to fail here. */
export async function openBench(kilobytes: number): Promise<Bench | {readonly why: string}> {
  const folder = mkdtempSync(path.join(tmpdir(), 'transship-faults-'))
  const shim = compileShim(folder)
  if ('why' in shim) {
    closeBench({folder})
    return shim
  }
  const stock = path.join(folder, 'stock')
  await makeStock(stock, kilobytes)
  return {folder, stock, library: shim.library, done: new Map(), calls: new Map()}
}

export function closeBench({folder}: Pick<Bench, 'folder'>): void {
  rmSync(folder, {recursive: true, force: true})
}

/** Tries the kinds of faults in the directions. */
export async function runFaults(bench: Bench, options: FaultOptions): Promise<FaultReport> {
  const pairs: Pair[] = []
  const skipped: {kind: Kind; why: string}[] = []
  const {earlier = []} = options
  for (const kind of KINDS.filter(({name}) => isChosen(name, options.kinds))) {
    const why = kind.obstacle?.()
    if (why !== undefined) {
      skipped.push({kind, why})
      continue
    }
    for (const direction of DIRECTIONS.filter(({name}) => isChosen(name, options.directions))) {
      if (earlier.some((pair) => pair.kind === kind.name && pair.direction === direction.name)) continue
      const random = randomFrom(`${options.seed} ${kind.name} ${direction.name}`)
      const moments: Moments = {each: options.each, kills: options.kills, random}
      await doneState(bench, direction)
      const wrong: Trial[] = []
      let trials = 0
      for await (const trial of kind.trials(bench, direction, moments)) {
        trials++
        if (trial.wrong.length > 0) wrong.push(trial)
        options.onTrial?.(trial)
      }
      const pair = {kind: kind.name, direction: direction.name, trials, wrong}
      pairs.push(pair)
      options.onPair?.(pair)
    }
    options.onKind?.(kind, trialsOf(pairs.filter((pair) => pair.kind === kind.name)))
  }
  return {pairs: [...earlier, ...pairs], skipped}
}

export function trialsOf(pairs: readonly Pair[]): number {
  return pairs.reduce((sum, {trials}) => sum + trials, 0)
}

function isChosen(name: string, texts: readonly string[] | undefined): boolean {
  return texts === undefined || texts.some((text) => name.includes(text))
}

/**
 * The same moments in each run of one seed, whatever else is tried: FNV-1a of the text, then a linear congruential
 * generator (Numerical Recipes).
 */
function randomFrom(seed: string): () => number {
  let state = 0x811c9dc5
  for (const byte of Buffer.from(seed)) state = Math.imul(state ^ byte, 0x01000193)
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    return state / 2 ** 32
  }
}
