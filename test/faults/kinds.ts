import {constants} from 'node:os'
import path from 'node:path'
import {changeSource, CHANGES, stopsAtRead} from './changing-sources.js'
import type {Direction} from './directions.js'
import {fillDisk} from './full-disk.js'
import {CALLS, type Call, type Fault} from './shim.js'
import {writersAtOnce} from './writers.js'
import {
  countCalls,
  faultsAfter,
  runDirection,
  runWithFault,
  stateOf,
  withRoot,
  type Bench,
  type Expected,
} from './trial.js'

/** One fault that was tried, and what was wrong afterwards. */
export interface Trial {
  readonly kind: string
  readonly direction: string
  /** Which of the faults of this kind it was. */
  readonly at: string
  readonly wrong: readonly string[]
}

export interface Moments {
  /** So many of each kind and direction, or all where there are fewer. */
  readonly each: number
  readonly kills: number
  readonly random: () => number
}

export interface Kind {
  readonly name: string
  /** What it is, for the docs. */
  readonly summary: string
  /** Undefined when it can be tried here, else why not. */
  readonly obstacle?: () => string | undefined
  readonly trials: (bench: Bench, direction: Direction, moments: Moments) => AsyncGenerator<Trial>
}

const {errno, signals} = constants

interface CallFault extends Omit<Fault, 'at'> {
  readonly name: string
  readonly summary: string
  readonly under: 'from' | 'to'
  readonly expected: Expected
}

const FAILED: Expected = {exits: [0, 4]}
const SUCCEEDED: Expected = {exits: [0]}
const CLOCK_YEAR = 365 * 86_400

/** Kinds that let one system call, or all from one on, end in another way. */
export const CALL_FAULTS: readonly CallFault[] = [
  {
    name: 'write: EIO',
    summary: 'one write to the destination fails with EIO',
    calls: ['write'],
    errno: errno.EIO,
    under: 'to',
    expected: {exits: [4], codes: ['IO_FAILED']},
  },
  {
    name: 'write: ENOSPC',
    summary: 'every write from one on fails with ENOSPC',
    calls: ['write', 'mkdir'],
    errno: errno.ENOSPC,
    sticky: true,
    under: 'to',
    expected: {...FAILED, codes: ['NO_SPACE']},
  },
  {
    name: 'write: short',
    summary: 'one write takes only half of the bytes',
    calls: ['write'],
    errno: 0,
    under: 'to',
    expected: SUCCEEDED,
  },
  {
    name: 'fsync: EIO',
    summary: 'one fsync fails with EIO',
    calls: ['fsync'],
    errno: errno.EIO,
    under: 'to',
    expected: {...FAILED, codes: ['IO_FAILED']},
  },
  {
    name: 'rename: EIO',
    summary: 'one rename fails with EIO',
    calls: ['rename'],
    errno: errno.EIO,
    under: 'to',
    // Removing work moves its folders: what cannot be removed is noted, and the next run removes it.
    expected: {...FAILED, codes: ['IO_FAILED'], mayLeaveWork: true},
  },
  {
    name: 'rename: EACCES',
    summary: 'every rename from one on fails with EACCES',
    calls: ['rename'],
    errno: errno.EACCES,
    sticky: true,
    under: 'to',
    // What was moved out of the way cannot come back either: it waits in the work for the next run.
    expected: {...FAILED, codes: ['NO_ACCESS'], mayLeaveWork: true, mayBePartial: true},
  },
  {
    name: 'open: EIO',
    summary: 'opening one file of the destination fails with EIO',
    calls: ['open'],
    errno: errno.EIO,
    under: 'to',
    expected: {...FAILED, codes: ['IO_FAILED'], mayLeaveWork: true},
  },
  {
    name: 'open: EMFILE',
    summary: 'every open from one on fails with EMFILE',
    calls: ['open'],
    errno: errno.EMFILE,
    sticky: true,
    under: 'to',
    expected: {...FAILED, codes: ['IO_FAILED'], mayLeaveWork: true, mayBePartial: true},
  },
  {
    name: 'mkdir: EACCES',
    summary: 'one mkdir fails with EACCES',
    calls: ['mkdir'],
    errno: errno.EACCES,
    under: 'to',
    expected: {...FAILED, codes: ['NO_ACCESS']},
  },
  {
    name: 'remove: EIO',
    summary: 'one removal of a file or folder fails with EIO',
    calls: ['remove'],
    errno: errno.EIO,
    under: 'to',
    expected: {...FAILED, codes: ['IO_FAILED'], mayLeaveWork: true},
  },
  {
    name: 'times: EPERM',
    summary: 'setting the times of one file fails with EPERM',
    calls: ['times'],
    errno: errno.EPERM,
    under: 'to',
    expected: {...FAILED, codes: ['NO_ACCESS']},
  },
  {
    name: 'no hard links',
    summary: 'the file system has no hard links (EPERM)',
    calls: ['link'],
    errno: errno.EPERM,
    sticky: true,
    under: 'to',
    expected: {...FAILED, codes: ['NO_ACCESS', 'IO_FAILED']},
  },
  {
    name: 'read-only',
    summary: 'the file system becomes read-only (EROFS) in the middle',
    calls: ['write', 'rename', 'link', 'mkdir', 'remove', 'truncate', 'times'],
    errno: errno.EROFS,
    sticky: true,
    under: 'to',
    expected: {...FAILED, codes: ['NO_ACCESS'], mayLeaveWork: true, mayBePartial: true},
  },
  {
    name: 'source: EIO',
    summary: 'one read of the source fails with EIO',
    calls: ['read'],
    errno: errno.EIO,
    under: 'from',
    expected: {...FAILED, codes: ['IO_FAILED']},
  },
  {
    name: 'source: short',
    summary: 'one read of the source gives only half of the bytes',
    calls: ['read'],
    errno: 0,
    under: 'from',
    expected: SUCCEEDED,
  },
  {
    name: 'clock: a year back',
    summary: 'the wall clock jumps back by a year',
    calls: CALLS,
    clock: -CLOCK_YEAR,
    under: 'to',
    expected: SUCCEEDED,
  },
  {
    name: 'clock: a year on',
    summary: 'the wall clock jumps on by a year',
    calls: CALLS,
    clock: CLOCK_YEAR,
    under: 'to',
    expected: SUCCEEDED,
  },
  // Whoever is interrupted in its last steps has done its work.
  ...(['SIGINT', 'SIGTERM', 'SIGHUP'] as const).map((name) => ({
    name,
    summary: `${name} at a random system call`,
    calls: CALLS,
    signal: signals[name],
    under: 'to' as const,
    expected: {exits: [0, 130, name]},
  })),
]

const KILL: CallFault = {
  name: 'SIGKILL',
  summary: 'SIGKILL at a random system call on the destination',
  calls: CALLS,
  signal: signals.SIGKILL,
  under: 'to',
  // Sent by a thread while another ends the process, it comes too late: then all must be done.
  expected: {exits: [0, 'SIGKILL'], mayLeaveWork: true, mayBePartial: true},
}

export const KINDS: readonly Kind[] = [
  ...CALL_FAULTS.map((fault) => callKind(fault, ({each}) => each)),
  callKind(KILL, ({kills}) => kills),
  {name: 'full disk', summary: 'a disk that is full, 64 KB larger each time', ...fillDisk},
  {
    name: 'too few handles',
    summary: 'a limit on open files (ulimit -n), one larger each time',
    trials: tooFewHandles,
  },
  ...CHANGES.map((change) => ({
    name: `source: ${change.name}`,
    summary: `the source is ${change.summary} at a random read`,
    trials: (bench: Bench, direction: Direction, {each, random}: Moments) =>
      changedSources(bench, direction, change.name, Math.ceil(each / 2), random),
  })),
  {name: 'writers', summary: 'two and eight writers of one place at the same time', trials: writersAtOnce},
]

function callKind({name, summary, ...fault}: CallFault, count: (moments: Moments) => number): Kind {
  return {name, summary, trials: (bench, direction, moments) => callTrials(bench, direction, moments)}

  async function* callTrials(bench: Bench, direction: Direction, moments: Moments): AsyncGenerator<Trial> {
    const total = await countCalls(bench, direction, fault.calls, fault.under)
    for (const at of chosen(total, count(moments), moments.random)) {
      const {wrong} = await faultAt(bench, direction, fault, at)
      yield {kind: name, direction: direction.name, at: `call ${at} of ${total}`, wrong}
    }
  }
}

/** One run whose call of that number fails: what is wrong then, and whether it made so many calls. */
export function faultAt(
  bench: Bench,
  direction: Direction,
  {expected, under, ...rest}: Omit<CallFault, 'name' | 'summary'>,
  at: number,
): Promise<{readonly wrong: readonly string[]; readonly isMet: boolean}> {
  return withRoot(bench, direction, async (root) => {
    const before = stateOf(path.join(root, 'to'), {withWork: false})
    const outcome = await runWithFault(bench, direction, root, {...rest, at}, under)
    // It may have made fewer calls this time, and then met no fault.
    const isMet = outcome.calls >= at
    return {wrong: await faultsAfter(bench, direction, root, outcome, before, isMet ? expected : SUCCEEDED), isMet}
  })
}

/** `count` of the numbers 1 to `total`, sorted; all of them when there are no more. */
export function chosen(total: number, count: number, random: () => number): number[] {
  const all = Array.from({length: total}, (_, index) => index + 1)
  while (all.length > count) all.splice(Math.floor(random() * all.length), 1)
  return all
}

async function* tooFewHandles(bench: Bench, direction: Direction, {each}: Moments): AsyncGenerator<Trial> {
  const [least, most] = [20, 60]
  const step = Math.max(1, Math.floor((most - least) / each))
  for (let limit = least; limit <= most; limit += step) {
    yield await withRoot(bench, direction, async (root) => {
      const before = stateOf(path.join(root, 'to'), {withWork: false})
      const wrapper = ['sh', '-c', `ulimit -n ${limit}; exec "$@"`, 'sh']
      const outcome = await runDirection(direction, root, {wrapper})
      const wrong = await faultsAfter(bench, direction, root, outcome, before, {exits: [0, 4], mayLeaveWork: true})
      return {kind: 'too few handles', direction: direction.name, at: `${limit} handles`, wrong}
    })
  }
}

async function* changedSources(
  bench: Bench,
  direction: Direction,
  change: string,
  count: number,
  random: () => number,
): AsyncGenerator<Trial> {
  const calls: readonly Call[] = ['read']
  const total = await countCalls(bench, direction, calls, 'from')
  for (const at of chosen(total, count, random)) {
    yield await withRoot(bench, direction, async (root) => {
      const before = stateOf(path.join(root, 'to'), {withWork: false})
      const outcome = await runWithFault(bench, direction, root, stopsAtRead(at), 'from', {
        onStart: (pid) => changeSource(pid, change, path.join(root, 'from', direction.stock)),
      })
      const expected: Expected = {exits: [0, 3, 4], changesSource: true}
      const wrong = await faultsAfter(bench, direction, root, outcome, before, expected)
      return {kind: `source: ${change}`, direction: direction.name, at: `read ${at} of ${total}`, wrong}
    })
  }
}
