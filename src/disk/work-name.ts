import {createHash, randomBytes} from 'node:crypto'
import path from 'node:path'
import {livenessOf, thisProcess, type Liveness} from './process-identity.js'

/** What the names of folders for spools begin with. */
export const SPOOL_PREFIX = 'transship-'

/** Longest name in bytes that common file systems hold. */
export const MAX_NAME_BYTES = 255
/** What stands behind the prefix of a name: 12 hex digits, and of work without a lock the process that does it. */
const SUFFIX = /^[0-9a-f]{12}(?:-([1-9][0-9]{0,9})-([0-9]{1,20})-([0-9a-f]{8}))?$/

/** Hex digits that tell one host, start and space of process ids from others: a name has no room for all of it. */
function spaceMark(): string {
  const {host, space} = thisProcess()
  return createHash('sha256')
    .update(JSON.stringify([host, space]))
    .digest('hex')
    .slice(0, 8)
}

/** A new name for work under a lock, which says whether the work goes on. */
export function lockedWorkName(prefix: string): string {
  return `${prefix}${randomBytes(6).toString('hex')}`
}

/** A new name for work without a lock: it names the process, so that later ones can tell whether the work goes on. */
export function ownedWorkName(prefix: string): string {
  const suffix = ownedSuffix()
  return `${shortened(prefix, MAX_NAME_BYTES - suffix.length)}${suffix}`
}

/** Twelve random hex digits and this process: the end of a name that nobody else makes. */
export function ownedSuffix(): string {
  const {pid, started} = thisProcess()
  return `${randomBytes(6).toString('hex')}-${pid}-${started}-${spaceMark()}`
}

/** Whether the process still runs that the end of a name tells; `unknown` where it tells none, undefined where it is none. */
export function livenessOfSuffix(text: string): Liveness | undefined {
  const suffix = SUFFIX.exec(text)
  if (suffix === null) return undefined
  const [, pid, started, space] = suffix
  if (pid === undefined || started === undefined || space !== spaceMark()) return 'unknown'
  return livenessOf({...thisProcess(), pid: Number(pid), started})
}

/** Where what becomes `target` is made: beside it, so that a rename puts it in its place. */
export function workPathBeside(target: string): string {
  return path.join(path.dirname(target), ownedWorkName(prefixBeside(target)))
}

/** What the names of all work on a target begin with. */
export function prefixBeside(target: string): string {
  return `.${path.basename(target)}.tmp-`
}

/** The beginning of what is too long, cut between characters; its end, which tells what the name is, stays. */
function shortened(prefix: string, maxBytes: number): string {
  const end = prefix.slice(prefix.lastIndexOf('.tmp-'))
  let begin = prefix.slice(0, prefix.length - end.length)
  if (Buffer.byteLength(prefix) <= maxBytes || end.length === prefix.length) return prefix
  while (Buffer.byteLength(begin) + end.length > maxBytes) begin = begin.replace(/.$/su, '')
  return `${begin}${end}`
}

/** A name taken apart: what it begins with, and whether the process that it names still runs; `unknown` where it names none. */
export interface WorkName {
  readonly prefix: string
  readonly liveness: Liveness
}

/** Undefined for a name that this program does not make. */
export function parseWorkName(name: string): WorkName | undefined {
  // The suffix holds no such text, so that the last one ends the prefix.
  const match = /^(.*?(?:\.tmp-|^\.appx-tmp-|^transship-))([0-9a-f][0-9a-f-]*)$/s.exec(name)
  const [, prefix, text] = match ?? []
  if (prefix === undefined || !isOwnPrefix(prefix)) return undefined
  const liveness = livenessOfSuffix(text ?? '')
  return liveness === undefined ? undefined : {prefix, liveness}
}

/** `.tmp-` in a repository or layout, `.appx-tmp-`, `.NAME.tmp-` beside a file or folder, `transship-` for spools. */
function isOwnPrefix(prefix: string): boolean {
  return /^(?:\.tmp-|\.appx-tmp-|\..+\.tmp-|transship-)$/s.test(prefix)
}

/** True for a name of work with that very prefix, or what `ownedWorkName` makes of it where it is too long. */
export function isWorkOf(name: string, prefix: string): boolean {
  const parsed = parseWorkName(name)
  if (parsed === undefined) return false
  const suffixLength = name.length - parsed.prefix.length
  return parsed.prefix === prefix || parsed.prefix === shortened(prefix, MAX_NAME_BYTES - suffixLength)
}
