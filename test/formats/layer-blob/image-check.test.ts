import assert from 'node:assert/strict'
import {gzipSync} from 'node:zlib'
import {checkLayer} from '../../../src/formats/layer-blob/check-layer.js'
import {packFindings} from '../../../src/formats/layer-blob/check-task.js'
import {checkingNames, namesOfStored} from '../../../src/formats/layer-blob/checked-names.js'
import {ImageCheck, NOT_READ} from '../../../src/formats/layer-blob/image-check.js'
import type {StoredLayer} from '../../../src/formats/layer-blob/read-layer-blob.js'
import {digestOf} from '../../../src/model/digest.js'
import {EnvironmentError, InputError, UnsupportedError} from '../../../src/model/errors.js'
import type {WorkEvent} from '../../../src/model/events.js'
import {chunked} from '../../helpers/bytes.js'
import {linkEntry} from '../../helpers/file-system-model.js'
import {CONFIG, fileOf, layerTarOf} from '../../helpers/layer-archives.js'
import type {Verdict} from '../../../src/model/transport.js'
import {parseLayerPath} from '../../../src/model/layer-path.js'
import {assertRejects} from '../../helpers/told.js'
import {RAW_END, rawMember} from '../../helpers/raw-tar.js'
import {breakingOff, streamOf} from '../../helpers/streams.js'

const OTHER = digestOf(Buffer.from('other'))

function storedOf(bytes: Buffer, more: Partial<StoredLayer> = {}): StoredLayer {
  return {
    title: 'layer 1',
    descriptor: {mediaType: 'a/b', digest: digestOf(bytes), size: bytes.byteLength},
    compression: 'none',
    open: () => chunked(bytes, 500),
    ...more,
  }
}

describe('a layer that is read to its end to be checked', () => {
  const sound = () => layerTarOf([fileOf('Files/a.txt', 'a'), fileOf('Files/b.txt', 'b')])

  it('of Windows has its entries counted, and its names kept', async () => {
    const {faults, entries, names} = await checkLayer(storedOf(await sound()), 'windows', {})
    assert.deepEqual([faults, entries], [[], 3])
    assert.equal(names?.parts.title, 'layer 1')
  })

  it('of another system has its members counted, whatever they are called', async () => {
    const tar = Buffer.concat([rawMember({name: 'etc/'}), rawMember({name: 'etc/x'}, 'x'), RAW_END])
    const findings = await checkLayer(storedOf(tar), 'linux', {})
    assert.deepEqual(findings, {faults: [], entries: 2})
    const {faults} = await checkLayer(storedOf(tar), 'windows', {})
    assert.ok(faults.length > 0)
  })

  it('of another system may have no member without a name', async () => {
    const tar = Buffer.concat([rawMember({name: 'a'}, 'x'), rawMember({name: ''}, 'x'), RAW_END])
    const {faults, entries} = await checkLayer(storedOf(tar), 'linux', {})
    assert.equal(entries, 1)
    assert.deepEqual(
      faults.map((fault) => fault.isOfTar && [fault.code, fault.subject]),
      [['NAME_UNSAFE', 'layer 1']],
    )
  })

  it('may lack its end only where its diffID is known', async () => {
    const cut = rawMember({name: 'Files/', type: '5'})
    for (const os of ['linux', 'windows'])
      for (const diffId of [undefined, digestOf(cut)]) {
        const {faults} = await checkLayer(storedOf(cut, {diffId}), os, {})
        const codes = faults.map((fault) => (fault.isOfTar ? fault.code : fault.fault.code))
        assert.equal(codes.includes('ARCHIVE_TRUNCATED'), diffId === undefined, os)
      }
  })

  it('has a wrong digest told besides a fault inside, with where it is', async () => {
    const tar = Buffer.concat([rawMember({name: 'Files/', type: '5'}), rawMember({name: '../x'}, 'x'), RAW_END])
    const packed = gzipSync(tar)
    const {faults, names} = await checkLayer(storedOf(packed, {compression: 'gzip', diffId: OTHER}), 'windows', {})
    const told = faults.map((fault) => (fault.isOfTar ? [fault.code, fault.subject] : []))
    assert.deepEqual([told.at(-1), names], [['DIGEST_MISMATCH', 'layer 1 (uncompressed)'], undefined])
    assert.ok(told.length > 1)
  })

  it('has the faults of its hives, by layer and file', async () => {
    const tar = await layerTarOf([fileOf(`${CONFIG}/SYSTEM`, 'no hive')])
    const {faults} = await checkLayer(storedOf(tar), 'windows', {})
    assert.deepEqual(
      faults.map((fault) => !fault.isOfTar && [fault.fault.code, fault.fault.subject]),
      [['HIVE_CORRUPT', `layer 1: ${CONFIG}/SYSTEM`]],
    )
    assert.deepEqual((await checkLayer(storedOf(tar), 'linux', {})).faults, [])
  })

  it('fails with what is no fault of the layer', async () => {
    const error = new EnvironmentError('IO_FAILED', {what: 'The disk fails.'})
    const layer = storedOf(await sound(), {open: () => breakingOff(error)})
    for (const os of ['windows', 'linux']) await assert.rejects(checkLayer(layer, os, {}), (found) => found === error)
  })

  it('has findings that are plain data', async () => {
    const findings = await checkLayer(storedOf(await sound()), 'windows', {})
    const event = {kind: 'note', code: 'x', message: 'm', subject: 's'} as const
    assert.deepEqual(packFindings(findings, [event]), {
      faults: [],
      entries: 3,
      events: [event],
      names: findings.names?.parts,
    })
    assert.deepEqual(packFindings({faults: [], entries: 1}, []), {faults: [], entries: 1, events: []})
  })
})

describe('what verifying gathers', () => {
  const events: WorkEvent[] = []
  const checkOf = () => {
    events.length = 0
    return new ImageCheck('the image', {onEvent: (event) => events.push(event)})
  }

  it('begins with nothing', () => {
    assert.deepEqual(checkOf().verdict, {faults: [], layers: [], bytes: 0})
  })

  it('is each fault once, at its place or at the image', () => {
    const check = checkOf()
    const placed = new InputError('CONFIG_INVALID', {what: 'A fault.', at: {path: 'a'}})
    check.fault(placed)
    check.item.fault(placed)
    check.fault(new InputError('CONFIG_INVALID', {what: 'Another.'}))
    check.subject = 'the next one'
    check.fault(new InputError('CONFIG_INVALID', {what: 'A third.'}))
    check.add('MANIFEST_INVALID', 'Another.', 'b')
    check.warn({code: 'any', message: 'A warning.'})
    assert.deepEqual(check.verdict.faults, [
      {code: 'CONFIG_INVALID', message: placed.message, subject: 'a'},
      {code: 'CONFIG_INVALID', message: 'Another.', subject: 'the image'},
      {code: 'CONFIG_INVALID', message: 'A third.', subject: 'the next one'},
      {code: 'MANIFEST_INVALID', message: 'Another.', subject: 'b'},
      {code: 'ARCHIVE_CONTRADICTORY', message: 'A warning.', subject: 'the next one'},
    ])
    assert.equal(check.item, check)
  })

  it('is bytes, and notes of what was not read', () => {
    const check = checkOf()
    check.count(3)
    check.count(4)
    check.unread('It is only named.', 'layer 2')
    assert.equal(check.verdict.bytes, 7)
    assert.equal(NOT_READ, 'not-read')
    assert.deepEqual(events, [{kind: 'note', code: 'not-read', message: 'It is only named.', subject: 'layer 2'}])
  })

  const CLASSES = [
    ['a fault of the input', new InputError('MANIFEST_INVALID', {what: 'x'}), 'kept', 'kept'],
    ['a fault of what is not supported', new UnsupportedError('LIMIT_EXCEEDED', {what: 'x'}), 'kept', 'kept'],
    ['nothing there', new InputError('NOT_FOUND', {what: 'x'}), 'thrown', 'kept'],
    ['a form that is not handled', new UnsupportedError('FORMAT_UNSUPPORTED', {what: 'x'}), 'thrown', 'kept'],
    ['a failing disk', new EnvironmentError('IO_FAILED', {what: 'x'}), 'thrown', 'thrown'],
    ['a mistake', new TypeError('x'), 'thrown', 'thrown'],
  ] as const
  for (const [note, error, atTop, inside] of CLASSES)
    it(`is ${atTop} at the top and ${inside} inside: ${note}`, async () => {
      const fails = () => Promise.reject(error)
      for (const [isTop, expected] of [
        [true, atTop],
        [false, inside],
      ] as const) {
        const check = checkOf()
        const work = isTop ? check.gatherTop(fails) : check.gather(fails)
        if (expected === 'thrown') await assert.rejects(work, (found) => found === error)
        else assert.equal(await work, isTop ? undefined : false)
        assert.equal(check.verdict.faults.length, expected === 'kept' ? 1 : 0)
      }
    })

  it('tells whether a step ended well', async () => {
    assert.equal(await checkOf().gather(() => Promise.resolve()), true)
  })

  it('is each blob of a layout, whose name states its digest', async () => {
    const bytes = Buffer.from('blob')
    const body = {sizeBytes: 4, open: () => chunked(bytes)}
    const [sha256, sha512] = [digestOf(bytes), digestOf(bytes, 'sha512')].map((digest) => digest.replace(':', '/'))
    const check = checkOf()
    await check.blob(`blobs/${sha256}`, body)
    await check.blob(`blobs/${sha512}`, body)
    assert.deepEqual(check.verdict, {faults: [], layers: [], bytes: 8})
    const wrong = `blobs/${OTHER.replace(':', '/')}`
    await check.blob(wrong, body)
    const nameless = [`blobs/md5/${'a'.repeat(32)}`, `x/blobs/${sha256}`, `blobs/${sha256}/x`, 'blobs/sha256/abc']
    for (const name of nameless) await check.blob(name, body)
    const {faults, bytes: counted}: Verdict = check.verdict
    assert.equal(counted, 12)
    assert.deepEqual(
      faults.map(({code, subject}) => [code, subject]),
      [wrong, ...nameless].map((name) => ['DIGEST_MISMATCH', name]),
    )
    for (const [index, name] of nameless.entries()) assert.ok(faults[index + 1]?.message.includes(name))
  })

  it('is each layer with its entries, and names held against the layers below', async () => {
    const link = [linkEntry('Files/link.txt', 'Files/none.txt')]
    const layers = [
      storedOf(await layerTarOf([fileOf('Files/a.txt', 'a')])),
      storedOf(await layerTarOf(link), {title: 'layer 2', diffId: digestOf(await layerTarOf(link))}),
    ]
    const check = checkOf()
    const names = namesOfStored(layers.map((layer) => ({title: layer.title, find: () => Promise.resolve(layer)})))
    for (const [index, layer] of layers.entries()) await check.layer(layer, 'windows', {names, index})
    const {faults, layers: verdicts} = check.verdict
    assert.deepEqual(verdicts, [
      {title: 'layer 1', entries: 2},
      {title: 'layer 2', entries: 2, diffId: layers[1]?.diffId},
    ])
    assert.deepEqual(
      faults.map(({code}) => code),
      ['LINK_TARGET_MISSING'],
    )
  })

  it('is the same for a layer whose reading was begun', async () => {
    const tar = await layerTarOf([fileOf('Files/a.txt', 'a')])
    const check = checkOf()
    const layer = storedOf(tar, {diffId: OTHER})
    check.begin(layer, 'windows')
    const names = namesOfStored([{title: 'layer 1', find: () => Promise.resolve(layer)}])
    await check.layer(layer, 'windows', {names, index: 0})
    assert.deepEqual(
      check.verdict.faults.map(({code, subject}) => [code, subject]),
      [['DIGEST_MISMATCH', 'layer 1 (uncompressed)']],
    )
    await check.stop()
  })
})

describe('names of stored layers', () => {
  const entriesOf = async (names: ReturnType<typeof namesOfStored>) => {
    const faults: {code: string; subject: string}[] = []
    const report = ({code, subject}: {code: string; subject: string}) => faults.push({code, subject})
    const found: string[] = []
    const checked = checkingNames(streamOf(linkEntry('Files/link.txt', 'Files/a.txt')), {names, index: 1}, {report})
    for await (const entry of checked) found.push(entry.kind === 'hard-link' ? (entry.means?.kind ?? 'none') : '')
    return {found, faults}
  }

  it('are read when they are asked for, and not before', async () => {
    const layer = storedOf(await layerTarOf([fileOf('Files/a.txt', 'a')]))
    let finds = 0
    const find = () => {
      finds++
      return Promise.resolve(layer)
    }
    const names = namesOfStored([
      {title: 'layer 1', find},
      {title: 'layer 2', find: undefined},
    ])
    assert.equal(finds, 0)
    assert.deepEqual(await entriesOf(names), {found: ['below'], faults: []})
    assert.equal(finds, 1)
  })

  it('are not known of a layer that is not there', async () => {
    const names = namesOfStored([
      {title: 'layer 1', find: undefined},
      {title: 'layer 2', find: undefined},
    ])
    assert.deepEqual((await entriesOf(names)).faults, [])
  })

  it('that lead nowhere are told with the layer', async () => {
    const layer = storedOf(await layerTarOf([fileOf('Files/b.txt', 'b')]))
    const names = namesOfStored([
      {title: 'layer 1', find: () => Promise.resolve(layer)},
      {title: 'layer 2', find: undefined},
    ])
    const {faults} = await entriesOf(names)
    assert.deepEqual(
      faults.map(({code}) => code),
      ['LINK_TARGET_MISSING'],
    )
    assert.match(faults[0]?.subject ?? '', /layer 2|link\.txt/)
  })

  it('of a layer whose content has gone are not known, and asking for them is refused', async () => {
    const gone = {title: 'layer 1', find: () => Promise.resolve(undefined)}
    const names = namesOfStored([gone, {title: 'layer 2', find: undefined}])
    assert.deepEqual(await entriesOf(names), {found: ['below'], faults: []})
    await assertRejects(names.locate(parseLayerPath('Files/a.txt'), 0, {}), {code: 'LAYER_MISSING', says: ['layer 1']})
  })
})
