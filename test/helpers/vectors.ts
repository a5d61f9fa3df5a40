import {execFileSync} from 'node:child_process'
import {mkdirSync, readFileSync} from 'node:fs'
import path from 'node:path'
import {gunzipSync} from 'node:zlib'
import {byteSourceOf} from '../../src/codecs/backup-stream/byte-source.js'
import {encodeIndexLine, PayloadIndex} from '../../src/formats/transport-layout/payload-index.js'
import {lstatSync} from 'node:fs'

/** Layers and layouts that Microsoft's own code has written; see test/vectors/README.md. */
export const VECTORS = [
  'basic',
  'everything',
  'long-and-unicode-names',
  'reparse-tombstones',
  'streams-sparse',
  'utility-vm',
] as const

export function vectorFile(vector: string, name: string): Buffer {
  return readFileSync(path.join('test/vectors', vector, name))
}

export function vectorTar(vector: string): Buffer {
  return gunzipSync(vectorFile(vector, 'layer.tar.gz'))
}

/** One object a line. */
export function vectorLines(vector: string, name: string): Record<string, unknown>[] {
  return vectorFile(vector, name)
    .toString()
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as Record<string, unknown>)
}

/** Unpacks a vector's layout below `folder` and gives its root. */
export function unpackLayout(vector: string, folder: string): string {
  const root = path.join(folder, vector)
  mkdirSync(root, {recursive: true})
  execFileSync('tar', [
    '--warning=no-timestamp',
    '-xpf',
    path.join('test/vectors', vector, 'layout.tar.gz'),
    '-C',
    root,
  ])
  return root
}

/** The vector's times as a payload index, which a Windows host would have in its file system. */
export function vectorIndex(vector: string, root: string): Buffer {
  const lines = vectorFile(vector, 'times.jsonl')
    .toString()
    .split('\n')
    .filter((line) => line !== '')
  const text = lines.map((line) => {
    // FILETIMEs are larger than what JSON.parse keeps exact.
    const time = (key: string) => BigInt(new RegExp(`"${key}":(-?\\d+)`).exec(line)?.[1] ?? '0')
    const {path: name, attr} = JSON.parse(line) as {path: string; attr?: number}
    const stats = lstatSync(path.join(root, name))
    return encodeIndexLine({
      path: name,
      ...(stats.isFile() ? {sizeBytes: stats.size} : {}),
      times: {creation: time('c'), lastAccess: time('a'), lastWrite: time('w'), change: time('h')},
      ...(attr === undefined ? {} : {attributes: attr}),
    })
  })
  return Buffer.from(`${text.join('\n')}\n`)
}

export function indexOfVector(vector: string, root: string): PayloadIndex {
  return new PayloadIndex(byteSourceOf(vectorIndex(vector, root)))
}
