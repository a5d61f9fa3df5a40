import {mkdirSync} from 'node:fs'
import {tmpdir} from 'node:os'
import path from 'node:path'
import {asTransshipError, EnvironmentError, findSystemCode} from '../model/errors.js'
import {removeOwnSpools} from './own-leftovers.js'
import {ownedWorkName, SPOOL_PREFIX} from './work-name.js'

/**
 * A new folder for spools in the system's temporary folder, for this user's eyes only; what earlier runs of this user
 * left there is removed. Throws `IO_FAILED` where the temporary folder is missing, `NO_ACCESS`, `NO_SPACE`.
 */
export function makeTemporaryFolder(): string {
  const parent = tmpdir()
  removeOwnSpools(parent)
  const folder = path.join(parent, ownedWorkName(SPOOL_PREFIX))
  try {
    mkdirSync(folder, {mode: 0o700})
    return folder
  } catch (error) {
    throw temporaryFolderFailure(error, parent)
  }
}

function temporaryFolderFailure(error: unknown, parent: string): unknown {
  const code = findSystemCode(error)
  if (code !== 'ENOENT' && code !== 'ENOTDIR') return asTransshipError(error, {path: parent})
  return new EnvironmentError('IO_FAILED', {
    what: `There is no temporary folder '${parent}'.`,
    why: 'What has to be read twice or out of order is kept there meanwhile.',
    suggestions: ['Make it, or set TMPDIR (Windows: TEMP) to a folder that exists.'],
    at: {path: parent},
    cause: error,
  })
}
