import {readFile} from 'node:fs/promises'
import path from 'node:path'
import {asTransshipError, findSystemCode} from '../model/errors.js'
import type {EngineTls} from './endpoint.js'

/** The PEM files of a folder, as DOCKER_CERT_PATH and contexts keep them; each may be missing. `NO_ACCESS`. */
export async function readCertificates(folder: string): Promise<EngineTls> {
  const entries = await Promise.all(
    (['ca', 'cert', 'key'] as const).map(async (name) => [name, await findText(path.join(folder, `${name}.pem`))]),
  )
  return Object.fromEntries(entries.filter(([, text]) => text !== undefined)) as EngineTls
}

/** A file's text; undefined when there is none. */
export async function findText(file: string): Promise<string | undefined> {
  try {
    return await readFile(file, 'utf8')
  } catch (error) {
    const code = findSystemCode(error)
    if (code === 'ENOENT' || code === 'ENOTDIR') return undefined
    throw asTransshipError(error, {path: file})
  }
}
