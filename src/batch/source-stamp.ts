import {createHash} from 'node:crypto'
import {lstat, readdir} from 'node:fs/promises'
import path from 'node:path'
import type {ListRow} from '../convert/list.js'

/** What changes when the content of a listed source does, as plain JSON. */
export interface SourceIdentity {
  readonly imageId?: string
  readonly payloadDigests?: readonly string[]
  /** Of files that state no digest: sizes and times. */
  readonly stamp?: string
}

/**
 * What identifies a row: the image ID, or the payloads of a package and of what it depends on, as far as the place
 * states them; else sizes and times of the files under `file`, which is undefined where there are none.
 */
export async function identityOfRow(
  row: ListRow,
  {rows, file}: {readonly rows: readonly ListRow[]; readonly file: string | undefined},
): Promise<SourceIdentity> {
  const imageId = row.imageId === undefined ? {} : {imageId: row.imageId}
  if (row.kind === 'package') {
    const digests = closureOf(row, rows).map(({payloadDigest, identity, layers}) =>
      payloadDigest === undefined && layers !== 0 ? undefined : `${identity ?? ''} ${payloadDigest ?? 'stub'}`,
    )
    const known = digests.filter((digest) => digest !== undefined)
    if (known.length === digests.length) return {...imageId, payloadDigests: known}
  } else if (row.imageId !== undefined) return imageId
  return file === undefined ? imageId : {...imageId, stamp: await stampOf(file)}
}

/** A package and what it depends on, as far as it is listed, nearest first. */
export function closureOf(row: ListRow, rows: readonly ListRow[]): readonly ListRow[] {
  const byIdentity = new Map(rows.map((each) => [each.identity?.toLowerCase(), each]))
  const found = new Set([row])
  for (const each of found) {
    for (const dependency of each.dependencies ?? []) {
      const next = byIdentity.get(dependency.toLowerCase())
      if (next !== undefined) found.add(next)
    }
  }
  return [...found]
}

/** Of names, sizes and times: reading the content would cost as much as to convert it. */
async function stampOf(file: string): Promise<string> {
  const hash = createHash('sha256')
  const visit = async (full: string, name: string): Promise<void> => {
    const found = await lstat(full)
    hash.update(`${name}\0${found.isDirectory() ? 'folder' : `${found.size} ${found.mtimeMs}`}\0`)
    if (!found.isDirectory()) return
    for (const child of (await readdir(full)).sort()) await visit(path.join(full, child), `${name}/${child}`)
  }
  await visit(file, '')
  return hash.digest('hex').slice(0, 32)
}
