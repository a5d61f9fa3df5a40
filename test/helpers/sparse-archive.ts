import {closeSync, ftruncateSync, openSync, writeSync} from 'node:fs'
import {makeImageConfig} from '../../src/convert/image-config.js'
import {headerBlock} from '../../src/formats/archive-file/tar-file.js'
import {digestOf, digestHex} from '../../src/model/digest.js'

/**
 * A Docker archive whose layers are as large as asked for and take no room on the disk: their contents are holes. What the
 * configuration states of them is made up, so it can be listed and inspected, not converted.
 */
export function writeSparseArchive(file: string, layerBytes: readonly number[]): void {
  const diffIds = layerBytes.map((_, index) => digestOf(Buffer.from(String(index))))
  const config = makeImageConfig({
    platform: {os: 'windows', architecture: 'amd64', osVersion: '10.0.17763.1'},
    created: '2019-01-01T00:00:00Z',
    labels: {},
    diffIds,
    history: diffIds.map(() => ({created: '2019-01-01T00:00:00Z', created_by: 'layer'})),
  })
  const configName = `${digestHex(digestOf(config.bytes))}.json`
  const layerNames = diffIds.map((_, index) => `${String(index)}/layer.tar`)
  const manifest = JSON.stringify([{Config: configName, RepoTags: ['large/app:1'], Layers: layerNames}])
  const fd = openSync(file, 'wx')
  let at = 0
  const add = (name: string, size: number, body?: Uint8Array) => {
    writeSync(fd, headerBlock({name, typeflag: '0', mode: 0o644, size}), undefined, undefined, at)
    at += 512
    if (body !== undefined) writeSync(fd, body, undefined, undefined, at)
    at += Math.ceil(size / 512) * 512
  }
  try {
    const documents = [
      ['manifest.json', Buffer.from(manifest)],
      [configName, config.bytes],
    ] as const
    for (const [name, bytes] of documents) add(name, bytes.byteLength, bytes)
    for (const [index, size] of layerBytes.entries()) add(layerNames[index] ?? '', size)
    ftruncateSync(fd, at + 1024)
  } finally {
    closeSync(fd)
  }
}
