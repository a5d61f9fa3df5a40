import {spawnSync} from 'node:child_process'
import {mkdirSync, mkdtempSync, rmSync} from 'node:fs'
import path from 'node:path'
import {flagsOf, layOut, placed, type Direction} from './directions.js'
import type {Kind, Trial} from './kinds.js'
import {doneState, faultsAfter, runProgram, stateOf, type Bench} from './trial.js'

const STEP_KB = 64
/** Who has so much room has enough for every direction. */
const ENOUGH_KB = 64 * 1024

/** A disk in memory that holds the source aside and the destination; each time 64 KB larger, until the run succeeds. */
export const fillDisk: Pick<Kind, 'obstacle' | 'trials'> = {
  obstacle: () => {
    if (process.platform !== 'linux' || process.getuid?.() !== 0) return 'only root can mount a small disk'
    const folder = mkdtempSync('/dev/shm/transship-disk-')
    try {
      if (!mount(folder, 64)) return 'a small disk cannot be mounted here'
      unmount(folder)
      return undefined
    } finally {
      rmSync(folder, {recursive: true})
    }
  },
  trials: fullDisks,
}

async function* fullDisks(bench: Bench, direction: Direction, {each}: {readonly each: number}): AsyncGenerator<Trial> {
  const most = await neededKilobytes(bench, direction)
  const steps = Math.ceil(most / STEP_KB)
  const stride = Math.max(1, Math.floor(steps / (each * 4)))
  for (let step = 1; step <= steps + 2; step += stride) yield await oneDisk(bench, direction, step * STEP_KB)
}

/** What is there and what is made, in whole pages; the work comes on top of what is there. */
async function neededKilobytes(bench: Bench, direction: Direction): Promise<number> {
  await doneState(bench, direction)
  const folder = mkdtempSync(path.join(bench.folder, 'measure-'))
  try {
    layOut(direction, bench.stock, folder)
    await runProgram(commandOf(direction, folder), {})
    const {stdout} = spawnSync('du', ['-sk', path.join(folder, 'to')], {encoding: 'utf8'})
    return 2 * Number.parseInt(stdout, 10)
  } finally {
    rmSync(folder, {recursive: true})
  }
}

function commandOf(direction: Direction, root: string): string[] {
  return [
    'convert',
    placed(direction.source, root),
    placed(direction.destination, root),
    ...flagsOf(direction.options),
    '--json',
  ]
}

async function oneDisk(bench: Bench, direction: Direction, kilobytes: number): Promise<Trial> {
  const root = path.join(bench.folder, 'trial')
  const to = path.join(root, 'to')
  mkdirSync(to, {recursive: true})
  const trial = (wrong: readonly string[]): Trial => ({
    kind: 'full disk',
    direction: direction.name,
    at: `${kilobytes} KB`,
    wrong,
  })
  if (!mount(to, ENOUGH_KB)) return trial(['the disk cannot be mounted'])
  try {
    layOut(direction, bench.stock, root)
    const before = stateOf(to, {withWork: false})
    // A disk never becomes smaller than what lies on it: the system refuses, and this step says nothing.
    if (!resize(to, usedKilobytes(to) + kilobytes)) return trial([])
    const outcome = await runProgram(commandOf(direction, root), {})
    resize(to, ENOUGH_KB)
    return trial(await faultsAfter(bench, direction, root, outcome, before, {exits: [0, 4], codes: ['NO_SPACE']}))
  } finally {
    unmount(to)
    rmSync(root, {recursive: true, force: true})
  }
}

function usedKilobytes(folder: string): number {
  const {stdout} = spawnSync('df', ['-k', '--output=used', folder], {encoding: 'utf8'})
  return Number.parseInt(stdout.split('\n')[1] ?? '', 10)
}

function mount(folder: string, kilobytes: number): boolean {
  return spawnSync('mount', ['-t', 'tmpfs', '-o', `size=${kilobytes}k`, 'tmpfs', folder]).status === 0
}

function resize(folder: string, kilobytes: number): boolean {
  return spawnSync('mount', ['-o', `remount,size=${kilobytes}k`, folder]).status === 0
}

function unmount(folder: string): void {
  spawnSync('umount', [folder])
}
