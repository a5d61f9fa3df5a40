import assert from 'node:assert/strict'
import {cpSync, createReadStream, readdirSync, readFileSync, writeFileSync} from 'node:fs'
import path from 'node:path'
import {decodeRecipe, RecipeEncoder} from '../../src/codecs/recipe/recipe-file.js'
import type {RecipeRecord} from '../../src/codecs/recipe/recipe-records.js'
import {checkOf} from '../../src/codecs/recipe/record-recipe.js'
import {encodeArchiveFrame, type ArchiveFrame, type RawPlace} from '../../src/codecs/layer-tar/archive-frame.js'
import {canonicalHeader} from '../../src/codecs/layer-tar/canonical-header.js'
import {convert} from '../../src/convert/convert.js'
import {verify} from '../../src/convert/verify.js'
import {digestOf} from '../../src/model/digest.js'
import type {LayerEntry} from '../../src/model/layer-entry.js'
import {parseLayerPath} from '../../src/model/layer-path.js'
import {parseReference, transportOf} from '../../src/transports/catalog.js'
import {paxMember, rawHeader, rawMember} from '../helpers/raw-tar.js'
import {ALL_TARGETS, assertRefused} from '../helpers/refusals.js'
import {temporaryFolder} from '../helpers/temporary-folder.js'

/*
 * Recipes of a package that say more, less or something else than its payload holds, with right digests all around: who
 * writes a recipe writes those too.
 */

const EVIL = 'Files/evil.exe'
const SETTINGS = parseLayerPath('Files/Shop/settings.json')
const SHOP = parseLayerPath('Files/Shop/shop.exe')
const raw = (place: RawPlace, bytes: Uint8Array): RecipeRecord => ({
  kind: 'frame',
  archive: encodeArchiveFrame({kind: 'raw', place, bytes}),
})
const member = (frame: Omit<Extract<ArchiveFrame, {kind: 'member'}>, 'kind'>) =>
  encodeArchiveFrame({kind: 'member', ...frame})
const outer = (header: Uint8Array, body = ''): RecipeRecord => ({
  kind: 'frame',
  archive: member({header, body: {kind: 'inline', bytes: Buffer.from(body)}}),
})
const evil = rawMember({name: EVIL}, 'MZ')
const globalHeader = rawMember({name: 'pax', type: 'g'}, '20 comment=something\n')

type Edit = (
  records: RecipeRecord[],
  entryOf: (path: string) => Extract<LayerEntry, {kind: 'file' | 'directory'}>,
) => void

/** Puts a record behind the first. */
const added =
  (...more: RecipeRecord[]): Edit =>
  (records) => {
    records.splice(1, 0, ...more)
  }

/** Gives an entry of the payload a form, with the check that fits. */
const formed =
  (name: string, frame: (header: Buffer) => Uint8Array): Edit =>
  (records, entryOf) => {
    const at = records.findIndex((record) => record.kind === 'entry' && record.path === name)
    const record = records[at]
    assert.ok(record?.kind === 'entry')
    const entry = entryOf(name)
    const form = {archive: frame(Buffer.from(canonicalHeader(entry, true))), check: checkOf(entry)}
    records[at] = {...record, form}
  }

/** A header block with other bytes in it, and a checksum that fits. */
function patched(header: Buffer, offset: number, text: string): Buffer {
  const at = header.byteLength - 512
  const block = Buffer.from(header)
  block.write(text, at + offset, 'latin1')
  block.fill(' ', at + 148, at + 156)
  const sum = block.subarray(at).reduce((total, byte) => total + byte, 0)
  block.write(`${sum.toString(8).padStart(6, '0')}\0 `, at + 148, 'latin1')
  return block
}

const content = {kind: 'content'} as const

const ROWS: readonly {title: string; edit: Edit}[] = [
  {title: 'a file of its own', edit: added(outer(rawHeader({name: EVIL, size: 2}), 'MZ'))},
  {title: 'a file outside the layer', edit: added(outer(rawHeader({name: '../evil.exe', size: 2}), 'MZ'))},
  {title: 'an absolute file', edit: added(outer(rawHeader({name: '/evil.exe', size: 2}), 'MZ'))},
  {title: 'a folder of its own', edit: added(outer(rawHeader({name: 'Files/evil/', type: '5'})))},
  {title: 'a link', edit: added(outer(rawHeader({name: EVIL, type: '2', linkname: '..\\..'})))},
  {title: 'a hard link', edit: added(outer(rawHeader({name: EVIL, type: '1', linkname: SHOP})))},
  {title: 'a whiteout', edit: added(outer(rawHeader({name: 'Files/.wh.Windows'})))},
  {title: 'a note of AUFS that leads out', edit: added(outer(rawHeader({name: '../.wh..wh.plnk', size: 2}), 'MZ'))},
  {title: 'a member behind a global header', edit: added(raw('global', Buffer.concat([globalHeader, evil])))},
  {title: 'a member in place of a global header', edit: added(raw('global', evil))},
  {title: 'two global headers in one', edit: added(raw('global', Buffer.concat([globalHeader, globalHeader])))},
  {title: 'a global header that is cut', edit: added(raw('global', globalHeader.subarray(0, 512)))},
  {title: 'a member in place of padding', edit: added(raw('padding', evil))},
  {title: 'a member in place of a last padding', edit: added(raw('short-padding', evil))},
  {title: 'a member in place of a short end', edit: added(raw('short-end', evil))},
  {title: 'an end in front of entries', edit: added(raw('end', evil))},
  {title: 'a short end in front of entries', edit: added(raw('short-end', Buffer.alloc(512)))},
  {
    title: 'a short end and a member behind it',
    edit: (records) => records.splice(-1, 0, raw('short-end', Buffer.alloc(512)), raw('end', evil)),
  },
  {
    title: 'an end and a member behind it',
    edit: (records) => records.splice(-1, 0, raw('end', Buffer.alloc(512)), outer(rawHeader({name: EVIL, size: 0}))),
  },
  {
    title: 'a member in the header of an entry',
    edit: formed(SETTINGS, (header) => member({header: Buffer.concat([evil, header]), body: content})),
  },
  {
    title: 'a member in the body of an entry',
    edit: formed('Files/Shop/empty.log', (header) =>
      member({header: patched(header, 124, '00000001000'), body: {kind: 'inline', bytes: evil}}),
    ),
  },
  {
    title: 'other content for a file',
    edit: formed(SETTINGS, (header) => member({header, body: {kind: 'inline', bytes: evil}})),
  },
  {
    title: 'a file without its content',
    edit: formed(SETTINGS, (header) =>
      member({header: patched(header, 124, '00000000000'), body: {kind: 'inline', bytes: Buffer.alloc(0)}}),
    ),
  },
  {
    title: 'a body for a folder',
    edit: formed('Files/Shop', (header) => member({header, body: {kind: 'inline', bytes: evil}})),
  },
  {
    title: 'another size',
    edit: formed(SETTINGS, (header) => member({header: patched(header, 124, '00000000001'), body: content})),
  },
  {
    title: 'another kind',
    edit: formed(SETTINGS, (header) => member({header: patched(header, 156, '5'), body: content})),
  },
  {
    title: 'another name',
    edit: formed(SETTINGS, () => member({header: rawHeader({name: EVIL, size: 0}), body: content})),
  },
  {
    title: 'a name that leads out',
    edit: formed(SETTINGS, (header) => member({header: patched(header, 0, '../'), body: content})),
  },
  {
    title: 'other attributes',
    edit: formed(SETTINGS, (header) => {
      const text = header.toString('latin1').replace(/MSWINDOWS\.fileattr=\d/, 'MSWINDOWS.fileattr=7')
      return member({header: Buffer.from(text, 'latin1'), body: content})
    }),
  },
  {
    title: 'holes where the payload has data',
    edit: formed(SETTINGS, () => {
      const map = [
        ['GNU.sparse.major', '0'],
        ['GNU.sparse.minor', '1'],
        ['GNU.sparse.name', SETTINGS],
        ['GNU.sparse.numblocks', '0'],
        ['GNU.sparse.map', ''],
      ] as const
      const header = Buffer.concat([paxMember(map), rawHeader({name: SETTINGS, size: 0})])
      return member({header, body: {kind: 'sparse', mapBytes: Buffer.alloc(0), ranges: []}})
    }),
  },
  {
    title: 'a hard link to another file',
    edit: (records) => {
      const at = records.findIndex(({kind}) => kind === 'hard-link')
      const record = records[at]
      assert.ok(record?.kind === 'hard-link')
      const header = rawHeader({name: record.path, type: '1', linkname: '../../evil'})
      records[at] = {...record, archive: member({header, body: {kind: 'inline', bytes: Buffer.alloc(0)}})}
    },
  },
]

describe('bad input: recipes that smuggle', function () {
  this.timeout(60_000)
  const folder = temporaryFolder()
  let count = 0

  /** A repository whose top package has the changed recipe; its reference. */
  async function smuggling(edit: Edit): Promise<{source: string; top: string}> {
    const sound = path.join(folder.path, 'sound')
    if (count === 0) await convert('docker-archive:samples/shop.tar', `inbox:${sound}`, {layers: 'chain'})
    const repository = path.join(folder.path, `repository-${++count}`)
    cpSync(sound, repository, {recursive: true, preserveTimestamps: true})
    const top = readdirSync(repository).find((name) => /shop_1/i.test(name)) ?? ''
    const file = path.join(repository, top, 'docker', 'recipe-0.gz')
    const source = `inbox:${repository}:${top}`
    const records: RecipeRecord[] = []
    for await (const record of decodeRecipe(createReadStream(file) as AsyncIterable<Uint8Array>)) records.push(record)
    const entries = new Map<string, Extract<LayerEntry, {kind: 'file' | 'directory'}>>()
    const reference = parseReference(source)
    const image = await transportOf(reference).open(reference, {})
    for await (const entry of image.layers.at(-1)!.entries())
      if (entry.kind === 'file' || entry.kind === 'directory') entries.set(entry.path, entry)
    await image.close()
    edit(records, (name) => entries.get(name)!)
    const encoder = new RecipeEncoder()
    const pieces = records.flatMap((record) => encoder.add(record) ?? [])
    const bytes = Buffer.concat([...pieces, encoder.flush()])
    writeFileSync(file, bytes)
    const document = path.join(repository, top, 'metadata.json')
    const text = readFileSync(document, 'utf8')
    writeFileSync(document, text.replace(/"RecipeDigest":"[^"]*"/, `"RecipeDigest":"${digestOf(bytes)}"`))
    return {source, top}
  }

  it('are told from the same recipe, written again', async () => {
    const {source, top} = await smuggling(() => undefined)
    const {faults, layers} = await verify(source)
    assert.deepEqual(faults, [])
    assert.ok(layers.some(({title, reproducible}) => title.includes(top.slice(3)) && reproducible === true))
  })

  for (const {title, edit} of ROWS)
    it(`${title}: verify finds RECIPE_CORRUPT, and convert refuses it and changes nothing`, async () => {
      const {source} = await smuggling(edit)
      const {faults} = await verify(source)
      assert.deepEqual(
        faults.map(({code}) => code),
        ['RECIPE_CORRUPT'],
        JSON.stringify(faults),
      )
      await assertRefused(source, ALL_TARGETS.at(-2)!, path.join(folder.path, `to-${count}`), {
        code: 'RECIPE_CORRUPT',
        names: [],
      })
    })
})
