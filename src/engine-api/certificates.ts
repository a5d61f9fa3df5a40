import path from 'node:path'
import {findBoundedText} from '../disk/safe-open.js'
import {asTransshipError} from '../model/errors.js'
import type {EngineTls} from './endpoint.js'

/** The PEM files of a folder, as DOCKER_CERT_PATH and contexts keep them; each may be missing. `NO_ACCESS`. */
export async function readCertificates(folder: string): Promise<EngineTls> {
  const entries = await Promise.all(
    (['ca', 'cert', 'key'] as const).map(async (name) => [name, await findText(path.join(folder, `${name}.pem`))]),
  )
  return Object.fromEntries(entries.filter(([, text]) => text !== undefined)) as EngineTls
}

/** Certificates, and what contexts say of themselves, have some kilobytes. */
const MAX_TEXT_BYTES = 4 * 2 ** 20

/** A file's text; undefined when there is none. */
// eslint-disable-next-line @typescript-eslint/require-await -- callers await it as they do other reads
export async function findText(file: string): Promise<string | undefined> {
  try {
    return findBoundedText(file, MAX_TEXT_BYTES, {links: 'followed'})
  } catch (error) {
    throw asTransshipError(error, {path: file})
  }
}
