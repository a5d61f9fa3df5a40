import assert from 'node:assert/strict'
import {closeSync, mkdirSync, openSync, writeFileSync} from 'node:fs'
import path from 'node:path'
import {writeLonePayload} from '../../../src/formats/package/lone-payload.js'
import {digestOf} from '../../../src/model/digest.js'
import type {LayerEntry} from '../../../src/model/layer-entry.js'
import {directoryEntry, fileEntry, linkEntry, opaque, tombstone} from '../../helpers/file-system-model.js'
import {layerTarOf} from '../../helpers/layer-archives.js'
import {temporaryFolder} from '../../helpers/temporary-folder.js'

interface Expected {
  readonly below?: number
  /** With nothing below it; the code where it is refused. */
  readonly lowest?: number | string
}

const [FILE, OTHER] = [fileEntry('Files/a.txt', 'a'), fileEntry('Files/b.txt', 'b')]

describe('a layer that is written without those below', () => {
  const folder = temporaryFolder()
  let made = 0

  /** The number of entries that were written; undefined where only the layers below can tell what is to be written. */
  async function written(entries: readonly LayerEntry[], isLowest: boolean): Promise<number | undefined> {
    const place = path.join(folder.path, String(made++))
    mkdirSync(path.join(place, 'package'), {recursive: true})
    const tar = await layerTarOf(entries)
    const file = path.join(place, 'layer.tar')
    writeFileSync(file, tar)
    const fd = openSync(file, 'r')
    try {
      const diffId = digestOf(tar)
      const descriptor = {mediaType: 'application/vnd.oci.image.layer.v1.tar', digest: diffId, size: tar.byteLength}
      const metadata = {
        identity: {publisher: 'CN=Contoso', name: 'Shop', version: '1.0.0.0'},
        isOsImage: false,
        dependencies: [],
      } as never
      const found = await writeLonePayload(
        {
          folder: path.join(place, 'package'),
          draft: {metadata, form: 'delta', keepRecipe: true, pins: 'none'},
          layer: {
            title: 'layer 1',
            descriptor,
            compression: 'none',
            diffId,
            range: {fd, title: 'layer.tar', offset: 0, length: tar.byteLength},
          },
          isLowest,
          isForFile: false,
        },
        {onRead: () => undefined},
      )
      return found?.payload.entries
    } finally {
      closeSync(fd)
    }
  }

  for (const [note, entries, expected] of [
    ['files and folders', [FILE, OTHER], {below: 3, lowest: 3}],
    ['a deletion', [FILE, tombstone('Files/old.txt')], {below: 3, lowest: 3}],
    ['a deletion of a file that it holds as well', [FILE, tombstone('Files/a.txt')], {below: 3, lowest: 3}],
    ['a hard link to a file of its own', [FILE, linkEntry('Files/link', 'Files/a.txt')], {below: 3, lowest: 3}],
    ['a hard link to a file that comes later', [linkEntry('Files/link', 'Files/a.txt'), FILE], {lowest: 3}],
    [
      'a hard link to a file of a layer below',
      [FILE, linkEntry('Files/link', 'Files/below')],
      {lowest: 'LINK_TARGET_MISSING'},
    ],
    ['an opaque folder', [directoryEntry('Files/d'), opaque('Files/d')], {}],
    ['a deletion of a folder that it holds as well', [directoryEntry('Files/d'), tombstone('Files/d')], {}],
  ] as const satisfies readonly (readonly [string, readonly LayerEntry[], Expected])[])
    it(note, async () => {
      const {below, lowest} = expected as Expected
      assert.deepEqual(
        {
          below: await written(entries, false),
          lowest: await written(entries, true).catch((error: unknown) => (error as {code?: string}).code),
        },
        {below, lowest},
      )
    })
})
