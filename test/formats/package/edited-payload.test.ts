import assert from 'node:assert/strict'
import {appendFileSync, readFileSync, rmSync, utimesSync, writeFileSync} from 'node:fs'
import path from 'node:path'
import {
  findEdits,
  findIndexEdit,
  findPayloadChange,
  findPayloadDifference,
} from '../../../src/formats/package/payload-change.js'
import {untouchedLayer} from '../../../src/formats/package/untouched-layer.js'
import {digestOf} from '../../../src/model/digest.js'
import {directoryEntry, fileEntry} from '../../helpers/file-system-model.js'
import type {DirectoryEntry} from '../../../src/model/layer-entry.js'
import {carrierOf} from '../../helpers/layout-folders.js'
import {openBelow} from '../../helpers/open-files.js'
import {temporaryFolder} from '../../helpers/temporary-folder.js'
import {draftWith, writeDraft} from '../../helpers/written-packages.js'

const ENTRIES = [
  directoryEntry('Files'),
  fileEntry('Files/a', 'text'),
  fileEntry('Files/b', 'more'),
  directoryEntry('Hives'),
]
const APP = 'CN=Contoso_App_1.0.0.0'

describe('a payload that was edited', () => {
  const folder = temporaryFolder()
  const made = async (keepRecipe = true) => writeDraft(folder.path, await draftWith('App', ENTRIES, {keepRecipe}))
  const files = ({files: list}: {files: readonly {file: string; kind: string}[]}) =>
    list.map(({file, kind}) => `${file} ${kind}`)

  it('is told file by file, by its index and by its recipe', async () => {
    const written = await made()
    assert.deepEqual(files(await findEdits(written.stored, {})), [])
    writeFileSync(path.join(written.folder, 'Files/a'), carrierOf('TEXT'))
    writeFileSync(path.join(written.folder, 'Files/new'), carrierOf(''))
    assert.deepEqual(files(await findEdits(written.stored, {})), ['Files/a changed', 'Files/new added'])
    const change = await findPayloadChange(written.stored, {})
    assert.deepEqual(
      [files(change!.edits!), change?.why.includes('Files/a')],
      [['Files/a changed', 'Files/new added'], true],
    )
    rmSync(path.join(written.folder, 'payload-index.jsonl'))
    assert.deepEqual(files(await findEdits(written.stored, {})), ['Files/new added', 'payload-index.jsonl removed'])
    assert.ok((await findPayloadChange(written.stored, {}))?.why.includes('missing'))
    assert.deepEqual(openBelow(folder.path), [])
  })

  it('may be its index alone', async () => {
    const written = await made()
    appendFileSync(path.join(written.folder, 'payload-index.jsonl'), '\n')
    assert.deepEqual(files(await findEdits(written.stored, {})), ['payload-index.jsonl changed'])
    const change = await findPayloadChange(written.stored, {})
    assert.deepEqual(
      [files(change!.edits!), change?.why.includes(written.payload!.digest)],
      [['payload-index.jsonl changed'], true],
    )
    const line = readFileSync(path.join(written.folder, 'payload-index.jsonl'), 'utf8').split('\n').length - 1
    assert.ok((await findPayloadDifference(written.stored, {}))?.why.startsWith(`Line ${line} `))
    const {Digest: _, ...undigested} = written.stored.payload
    assert.equal(await findPayloadChange({...written.stored, payload: undigested}, {}), undefined)
    assert.deepEqual(files(findIndexEdit({...written.stored, payload: undigested}, undefined)), [])
    assert.deepEqual(
      files(findIndexEdit({...written.stored, payload: {...written.stored.payload, Kind: 'none'}}, undefined)),
      [],
    )
  })

  it('of a stub is nothing', async () => {
    const stub = {...(await made()).stored, payload: {Kind: 'none', Layout: 'transport-1'} as const}
    assert.deepEqual(files(await findEdits(stub, {})), [])
  })

  it('cannot come back where its index tells more than a layer holds', async () => {
    const written = await made(false)
    const file = path.join(written.folder, 'payload-index.jsonl')
    const remade = async (change: (text: string) => string) => {
      const before = readFileSync(file)
      writeFileSync(file, change(before.toString()))
      const found = await findPayloadDifference(
        {...written.stored, payload: {...written.stored.payload, Digest: digestOf(readFileSync(file))}},
        {},
      )
      writeFileSync(file, before)
      return found?.why
    }
    assert.equal(await findPayloadDifference(written.stored, {}), undefined)
    assert.match(
      (await remade((text) =>
        text.replace('"p":"Files",', '"p":"Files","attr":16,').replace(/("h":"[0-9]+"),"attr":16/, '$1,"attr":16'),
      )) ?? '',
      /payload-index\.jsonl/,
    )
    assert.match(
      (await remade((text) => text.replace(/(\{"p":"Files","c":)"[0-9]+"/, '$1"7"'))) ?? '',
      /folder Files\./,
    )
    rmSync(file)
    assert.match((await findPayloadDifference(written.stored, {}))?.why ?? '', /missing/)
  })

  it('may have a plain utility VM with times of its own', async () => {
    const vm = directoryEntry('UtilityVM') as DirectoryEntry
    const times = {...vm.meta.times, creation: vm.meta.times.creation + 10n}
    const entries = [...ENTRIES, {...vm, meta: {...vm.meta, times}}]
    const {folder: root, stored} = await writeDraft(folder.path, await draftWith('App', entries, {keepRecipe: false}))
    assert.match(
      readFileSync(path.join(root, 'payload-index.jsonl'), 'utf8'),
      /"p":"UtilityVM","c":"116444736000000010"/,
    )
    assert.equal(await findPayloadDifference(stored, {}), undefined)
  })

  it('is refused below what was made on it, before the first entry or behind the last', async () => {
    const written = await made()
    const layer = untouchedLayer(written.stored)
    assert.deepEqual(
      [layer.findChange, layer.findEdits, layer.diffId],
      [undefined, undefined, written.stored.docker?.Layers?.[0]?.DiffID],
    )
    const read = async (meanwhile: () => void = () => undefined) => {
      let count = 0
      for await (const entry of layer.entries({})) if (entry.kind !== 'frame' && ++count === 3) meanwhile()
      return count
    }
    assert.equal(await read(), 4)
    const file = path.join(written.folder, 'Files/a')
    await assert.rejects(
      read(() => {
        utimesSync(file, 1, 2)
      }),
      {code: 'DEPENDENCY_MISMATCH', at: {path: APP}, message: /Files\/a/},
    )
    writeFileSync(file, carrierOf('TEXT'))
    await assert.rejects(untouchedLayer(written.stored).entries({})[Symbol.asyncIterator]().next(), {
      code: 'DEPENDENCY_MISMATCH',
      at: {path: APP},
    })
    const {Digest: _, ...payload} = written.stored.payload
    let count = 0
    for await (const _entry of untouchedLayer({...written.stored, docker: {}, payload}).entries({})) count++
    assert.equal(count, 4, 'there is nothing to compare')
  })
})
