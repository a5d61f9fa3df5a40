import {
  closeSync,
  constants,
  fstatSync,
  openSync,
  readdirSync,
  readlinkSync,
  readSync,
  realpathSync,
  statSync,
  type BigIntStats,
  type Dirent,
} from 'node:fs'
import {open, stat, type FileHandle} from 'node:fs/promises'
import path from 'node:path'
import {findSystemCode, InputError} from '../model/errors.js'
import {foldPath} from '../model/layer-path.js'
import {canNameHandles, HANDLES, insideFolder} from './open-folder.js'

/** Never waiting for the other end of a pipe, and never taking a terminal. Windows knows neither flag: undefined adds no bit. */
const AT_ONCE = constants.O_RDONLY | constants.O_NONBLOCK | constants.O_NOCTTY
/** The same, and never through a link. */
const NOT_THROUGH_LINKS = AT_ONCE | constants.O_NOFOLLOW

/** Read at a time beyond the length that a file says it has. */
const CHUNK_BYTES = 4096

export interface OpenRules {
  /** How messages call the file; default: its path. */
  readonly place?: string
  /**
   * `followed` for what users name themselves, who may name a link; `refused` (the default) for what is found under a
   * name of ours in a folder that others may write to.
   */
  readonly links?: 'followed' | 'refused'
  /** A listing has told that it is a regular file: only its handle is asked again. */
  readonly isListed?: boolean
}

/** What was opened: a regular file, as its handle says. */
export interface OpenedFile {
  readonly fd: number
  readonly stats: BigIntStats
}

/**
 * Opens a regular file for reading. A pipe would hang the reader, a device may act on being opened, a folder fails at the
 * first read: all are `UNRECOGNISED_FORMAT`, told of the name before it is opened and of the handle afterwards, since the
 * name may lead elsewhere by then. Errors of the system come as they are.
 */
export function openRegular(file: string, rules: OpenRules = {}): OpenedFile {
  const place = rules.place ?? file
  const found = rules.isListed === true ? undefined : statSync(file, {throwIfNoEntry: false})
  if (found !== undefined) requireRegular(found, place)
  const fd = openSync(file, flagsOf(rules))
  try {
    const stats = fstatSync(fd, {bigint: true})
    requireRegular(stats, place)
    return {fd, stats}
  } catch (error) {
    closeSync(fd)
    throw error
  }
}

/** A folder whose files are opened by relative names; no link on the way may lead out of it, whoever put it there. */
export class OpenRoot {
  readonly #root: string
  #real: string | undefined
  /** The same, found by Node itself. */
  #followed: string | undefined
  /** The folder looked at last, where handles have no names. */
  #checked: string | undefined

  constructor(root: string) {
    this.#root = root
  }

  /**
   * Opens a file that was listed below the folder. `NAME_UNSAFE` when what is open lies elsewhere than it was listed, as a
   * folder on the way has become a link; else what `openRegular` throws.
   */
  open(name: string, place: string): OpenedFile {
    const file = path.join(this.#root, name)
    const opened = openRegular(file, {place, isListed: true})
    try {
      this.#requireInside(opened.fd, name, place)
      return opened
    } catch (error) {
      closeSync(opened.fd)
      throw error
    }
  }

  /** The names in a folder that was listed below the root, the empty name being the root itself. */
  list(name: string, place: string): Dirent<Buffer>[] {
    const folder = path.join(this.#root, name)
    // The root may be a link: that is how its user names it.
    if (name === '') return namesIn(folder)
    return insideFolder(folder, (at) => {
      if (canNameHandles()) this.#requireInside(Number(path.basename(at.toString())), name, place)
      return namesIn(at)
    })
  }

  #requireInside(fd: number, name: string, place: string): void {
    this.#real ??= realpathSync.native(this.#root)
    const expected = path.join(this.#real, name)
    const isInside = canNameHandles() ? isAt(readlinkSync(`${HANDLES}/${fd}`), expected) : this.#isBelowReal(name)
    if (isInside) return
    throw new InputError('NAME_UNSAFE', {
      what: `'${place}' does not lie where it was listed.`,
      why: 'A folder on the way is a link, or was moved while it was read; what lies behind a link is never read.',
      suggestions: ['Stop what changes the source, or do not trust it.'],
      at: {path: place},
    })
  }

  #isBelowReal(name: string): boolean {
    const folder = path.dirname(path.join(this.#root, name))
    if (this.#checked === folder) return true
    const [real, root] = this.#realNames(folder)
    // Names may be spelt in another case than they have.
    const isReal = foldPath(real) === foldPath(path.dirname(path.join(root, name)))
    if (isReal) this.#checked = folder
    return isReal
  }

  /** A folder and the root without the links on their way, both found alike: the ways spell drives differently. */
  #realNames(folder: string): readonly [folder: string, root: string] {
    try {
      return [realpathSync.native(folder), this.#real ?? '']
    } catch (error) {
      // Wine's GetFinalPathNameByHandle refuses long paths; Node follows the links by itself then.
      if (findSystemCode(error) !== 'UNKNOWN') throw error
      this.#followed ??= realpathSync(this.#root)
      return [realpathSync(folder), this.#followed]
    }
  }
}

/** A file that was removed meanwhile is still what was listed. */
function isAt(found: string, expected: string): boolean {
  return found === expected || found === `${expected} (deleted)`
}

function namesIn(folder: string | Buffer): Dirent<Buffer>[] {
  return readdirSync(folder, {withFileTypes: true, encoding: 'buffer'})
}

/** The same without waiting for the disk. */
export async function openRegularHandle(file: string, rules: OpenRules = {}): Promise<FileHandle> {
  const place = rules.place ?? file
  const found = await stat(file).catch((error: unknown) => {
    // A dangling link and the like: opening tells.
    if (findSystemCode(error) === undefined) throw error
    return undefined
  })
  if (found !== undefined) requireRegular(found, place)
  const handle = await open(file, flagsOf(rules))
  try {
    requireRegular(await handle.stat(), place)
    return handle
  } catch (error) {
    await handle.close()
    throw error
  }
}

function flagsOf({links = 'refused'}: OpenRules): number {
  return links === 'followed' ? AT_ONCE : NOT_THROUGH_LINKS
}

function requireRegular(stats: {isFile(): boolean}, place: string): void {
  if (!stats.isFile()) throw notRegular(place)
}

/** `UNRECOGNISED_FORMAT` for a pipe, a device, a socket or a folder where a file is to be. */
export function notRegular(place: string): InputError {
  return new InputError('UNRECOGNISED_FORMAT', {
    what: `'${place}' is not a file.`,
    why: 'A folder, pipe, socket or device is never read in the place of a file.',
    suggestions: ['Give the path of a regular file; an archive may also come from standard input, as -.'],
    at: {path: place},
  })
}

/** `LIMIT_EXCEEDED` for a file that is larger than anything of its kind. */
function tooLarge(place: string, limitBytes: number): InputError {
  return new InputError('LIMIT_EXCEEDED', {
    what: `'${place}' has more than ${limitBytes} bytes, which is all that is read of a file of its kind.`,
    at: {path: place},
  })
}

/**
 * The bytes of a regular file. The bound holds for what is read, not for what the file says of itself: it may grow, and
 * some file systems tell no size. `LIMIT_EXCEEDED`, `UNRECOGNISED_FORMAT`; errors of the system come as they are.
 */
export function readBounded(file: string, limitBytes: number, rules: OpenRules = {}): Buffer {
  const {fd} = openRegular(file, rules)
  try {
    return readOpened(fd, limitBytes, rules.place ?? file)
  } finally {
    closeSync(fd)
  }
}

/** What an open file holds from its begin on, up to a limit (`LIMIT_EXCEEDED`). */
export function readOpened(fd: number, limitBytes: number, place: string): Buffer {
  const pieces: Buffer[] = []
  let total = 0
  const stated = Math.min(fstatSync(fd).size, limitBytes)
  for (;;) {
    const wanted = total < stated ? stated - total : CHUNK_BYTES
    // One byte beyond the limit tells that there is more.
    const piece = Buffer.allocUnsafe(Math.min(wanted, limitBytes + 1 - total))
    const count = readSync(fd, piece, 0, piece.byteLength, total)
    if (count === 0) break
    total += count
    if (total > limitBytes) throw tooLarge(place, limitBytes)
    pieces.push(piece.subarray(0, count))
  }
  return pieces.length === 1 && pieces[0] !== undefined ? pieces[0] : Buffer.concat(pieces)
}

/** The same as text in UTF-8; undefined where there is no such file. */
export function findBoundedText(file: string, limitBytes: number, rules: OpenRules = {}): string | undefined {
  try {
    return readBounded(file, limitBytes, rules).toString('utf8')
  } catch (error) {
    const code = findSystemCode(error)
    if (code === 'ENOENT' || code === 'ENOTDIR') return undefined
    throw error
  }
}
