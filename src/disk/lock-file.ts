import {closeSync, lstatSync} from 'node:fs'
import path from 'node:path'
import {findSystemCode, InputError} from '../model/errors.js'
import type {ProcessIdentity} from './process-identity.js'
import {openRegular, readOpened} from './safe-open.js'

/* What a lock file says, and how it is read. */

/** A lock names one process; nothing that is longer is one. */
export const MAX_LOCK_BYTES = 4096
/** Of holders that renew more rarely nobody would wait for the end. */
const RAREST_RENEWAL_MS = 60_000

/** What a lock file says. */
export interface Holder extends ProcessIdentity {
  /** Set where the holder promises to write the file again so often. */
  readonly renewedEveryMs?: number
}

/** A lock that was found. */
export interface FoundLock {
  readonly content: string
  readonly modifiedNs: bigint
}

/** Undefined when there is none. One that cannot be read is none that may be taken over: the error is thrown. */
export function findLock(file: string): FoundLock | undefined {
  let opened
  try {
    // To be opened is what makes network file systems ask their server, where a stat may answer from memory.
    opened = openRegular(file)
  } catch (error) {
    const code = findSystemCode(error)
    if (code === 'ENOENT' && !isLink(file)) return undefined
    // A pipe, a device, a link: no process of ours has made it, and who follows it may hang or harm.
    if (error instanceof InputError || code === 'ELOOP' || code === 'ENOENT') throw notALock(file, error)
    throw error
  }
  const {fd, stats} = opened
  try {
    return {content: readOpened(fd, MAX_LOCK_BYTES, file).toString('utf8'), modifiedNs: stats.mtimeNs}
  } catch (error) {
    throw error instanceof InputError ? notALock(file, error) : error
  } finally {
    closeSync(fd)
  }
}

function isLink(file: string): boolean {
  return lstatSync(file, {throwIfNoEntry: false})?.isSymbolicLink() === true
}

function notALock(file: string, cause: unknown): InputError {
  return new InputError('UNRECOGNISED_FORMAT', {
    what: `'${file}' has the name of a lock, and is none that transship makes.`,
    why: 'A lock is a small regular file; links, pipes, devices and folders are never opened in its place.',
    suggestions: [`See what it is: ls -l ${file}`, `To remove it: transship doctor --clean ${path.dirname(file)}`],
    at: {path: file},
    cause,
  })
}

/** Undefined for what names no holder: a machine that loses its power leaves an empty file. */
export function parseHolder(content: string): Holder | undefined {
  let json: unknown
  try {
    json = JSON.parse(content)
  } catch {
    return undefined
  }
  if (typeof json !== 'object' || json === null || !('pid' in json) || !('host' in json)) return undefined
  const {pid, host} = json
  if (typeof pid !== 'number' || !(pid > 0) || typeof host !== 'string') return undefined
  const space = 'space' in json && typeof json.space === 'string' ? {space: json.space} : {}
  const started = 'started' in json && typeof json.started === 'string' ? {started: json.started} : {}
  const every = 'renewedEveryMs' in json && typeof json.renewedEveryMs === 'number' ? json.renewedEveryMs : 0
  const renewed = every > 0 && every <= RAREST_RENEWAL_MS ? {renewedEveryMs: every} : {}
  return {pid, host, ...space, ...started, ...renewed}
}

/**
 * Who holds a lock; undefined where there is none or it is empty, as a loss of power
 * leaves it. Throws `UNRECOGNISED_FORMAT` for a link or pipe.
 */
export function findHolder(file: string): ProcessIdentity | 'none of ours' | undefined {
  const content = findLock(file)?.content ?? ''
  return parseHolder(content) ?? (content === '' ? undefined : 'none of ours')
}
