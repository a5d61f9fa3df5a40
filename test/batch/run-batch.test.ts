import assert from 'node:assert/strict'
import {cpSync, existsSync, readFileSync, rmSync, writeFileSync} from 'node:fs'
import path from 'node:path'
import {defaultConcurrency} from '../../src/batch/concurrency.js'
import type {BatchEvent} from '../../src/batch/batch-event.js'
import {requireSpace} from '../../src/batch/disk-space.js'
import {dryRunBatch} from '../../src/batch/dry-run.js'
import {runBatch} from '../../src/batch/run-batch.js'
import {runUnit} from '../../src/batch/run-unit.js'
import {convert} from '../../src/convert/convert.js'
import {list} from '../../src/convert/list.js'
import type {TransshipError} from '../../src/model/errors.js'
import {temporaryFolder} from '../helpers/temporary-folder.js'

const OS = 'CN=Microsoft_WindowsServerCore_10.0.14393.206'
const MIB = 2 ** 20

interface IndexEntry {
  readonly annotations?: Readonly<Record<string, string>>
}

describe('run batch', () => {
  const folder = temporaryFolder()

  before(() => {
    cpSync('samples/shop.tar', path.join(folder.path, 'shop.tar'))
    cpSync('samples/repository', path.join(folder.path, 'repository'), {recursive: true})
  })

  const written = (name: string, ...items: object[]): string => {
    const file = path.join(folder.path, name)
    writeFileSync(file, JSON.stringify({items}))
    return file
  }

  it('reads and writes an OS package once, whatever the number of images on it', async () => {
    const items = Array.from({length: 20}, (_, index) => ({
      source: 'docker-archive:shop.tar',
      destination: 'inbox:from-images',
      options: {name: `App${index}`},
    }))
    const {items: reports} = await runBatch(written('images.json', ...items), {environment: {}})
    const results = reports.flatMap(({result}) => result ?? [])
    const made = results.flatMap(({artifacts}) => artifacts).filter(({identity}) => identity === OS)
    assert.deepEqual(
      made.map(({unchanged}) => unchanged === true),
      Array.from({length: 20}, (_, index) => index > 0),
    )
    const [first = 0, ...others] = results.map(({bytesRead}) => bytesRead)
    const alone = await convert(`docker-archive:${folder.path}/shop.tar`, `inbox:${folder.path}/alone`)
    assert.deepEqual([first, new Set(others).size], [alone.bytesRead, 1])
    const osLayer = alone.artifacts.find(({identity}) => identity === OS)
    // What the others do not read is the content of the OS layer.
    assert.ok(first - (others[0] ?? 0) > (osLayer?.layers[0]?.size ?? Infinity) / 2)
  })

  it('reads each package once, whatever the number of those that depend on it', async () => {
    const file = written('packages.json', {source: 'inbox:repository', destination: 'inbox:from-packages'})
    const {totals} = await runBatch(file, {environment: {}})
    const closure = await convert(`inbox:${folder.path}/repository:Shop`, `inbox:${folder.path}/closure`)
    assert.equal(totals.bytesRead, closure.bytesRead)
  })

  it('gives the same bytes at every concurrency', async () => {
    const plan = (out: string) =>
      written(
        `${out}.json`,
        ...Array.from({length: 6}, (_, index) => ({
          source: `inbox:repository:${index % 2 === 0 ? 'Shop' : 'WebServer'}`,
          destination: `docker-archive:${out}/${index}.tar`,
        })),
      )
    await runBatch(plan('serial'), {environment: {}, concurrency: 1})
    await runBatch(plan('parallel'), {environment: {}, concurrency: 6})
    for (let index = 0; index < 6; index++) {
      const [one, other] = ['serial', 'parallel'].map((out) =>
        readFileSync(path.join(folder.path, out, `${index}.tar`)),
      )
      assert.ok(one?.equals(other ?? Buffer.alloc(0)))
    }
  })

  it('tells what it does as plain JSON, each item begun and ended once', async () => {
    const events: BatchEvent[] = []
    const file = written('events.json', {source: 'inbox:repository', destination: 'oci:events:{name}'})
    await runBatch(file, {environment: {}, onEvent: (event) => events.push(event)})
    assert.deepEqual(JSON.parse(JSON.stringify(events)), events)
    assert.deepEqual(events[0], {kind: 'batch', title: file, items: 3, alreadyDone: 0, totalBytes: totalOf(events)})
    for (const kind of ['item-begun', 'item-ended'])
      assert.equal(events.filter((event) => event.kind === kind).length, 3)
  })

  function totalOf(events: readonly BatchEvent[]): number {
    return events.reduce((sum, event) => sum + (event.kind === 'item-begun' ? (event.totalBytes ?? 0) : 0), 0)
  }

  it('stops at once when it is interrupted, says what it did not start, and goes on from there', async () => {
    const abort = new AbortController()
    const item = (index: number) => ({
      source: 'inbox:repository:Shop',
      destination: `docker-archive:stopped/${index}.tar`,
    })
    const file = written('stopped.json', ...Array.from({length: 5}, (_, index) => item(index)))
    const onEvent = (event: BatchEvent) => {
      if (event.kind === 'item-ended' && event.item.state === 'converted') abort.abort(new Error('enough'))
    }
    const first = await runBatch(file, {environment: {}, concurrency: 1, signal: abort.signal, onEvent})
    assert.deepEqual([first.totals.converted, first.totals.notStarted], [1, 4])
    const second = await runBatch(file, {environment: {}})
    assert.deepEqual([second.totals.alreadyDone, second.totals.converted], [1, 4])
  })

  it('runs one plan at a time', async () => {
    const file = written('twice.json', {source: 'docker-archive:shop.tar', destination: 'inbox:twice'})
    const [one, other] = await Promise.allSettled([
      runBatch(file, {environment: {}}),
      runBatch(file, {environment: {}}),
    ])
    const [refused] = [one, other].filter(({status}) => status === 'rejected') as PromiseRejectedResult[]
    assert.equal((refused?.reason as {code?: string} | undefined)?.code, 'LOCKED')
    assert.ok(!existsSync(`${file}.journal.lock`))
  })

  it('converts a source anew that has changed, over what it made itself and nothing else', async () => {
    const image = path.join(folder.path, 'changing.tar')
    const made = path.join(folder.path, 'changed.tar')
    const pack = async (name: string) =>
      convert(`inbox:${folder.path}/repository:${name}`, `docker-archive:${image}`, {replace: true})
    const imageIdOf = async () => (await list(`docker-archive:${made}`)).items[0]?.imageId
    const file = written('changing.json', {
      source: 'docker-archive:changing.tar',
      destination: 'docker-archive:changed.tar',
    })
    await pack('Shop')
    await runBatch(file, {environment: {}})
    assert.equal((await runBatch(file, {environment: {}})).totals.alreadyDone, 1)
    const {artifacts} = await pack('WebServer')
    assert.equal((await runBatch(file, {environment: {}})).totals.converted, 1)
    assert.equal(await imageIdOf(), artifacts[0]?.imageId)
    await pack('Shop')
    cpSync(path.join(folder.path, 'shop.tar'), made)
    const others = await imageIdOf()
    const {items} = await runBatch(file, {environment: {}})
    assert.deepEqual([items[0]?.failure?.code, await imageIdOf()], ['DESTINATION_EXISTS', others])
  })

  it('takes nothing for its own that was put there after it had failed', async () => {
    const file = written('later.json', {
      source: 'docker-archive:later.tar',
      destination: 'docker-archive:later-out.tar',
    })
    const source = path.join(folder.path, 'later.tar')
    const damaged = readFileSync(path.join(folder.path, 'shop.tar')).fill(0x55, 60_000, 60_600)
    writeFileSync(source, damaged)
    assert.equal((await runBatch(file, {environment: {}})).totals.failed, 1)
    const own = path.join(folder.path, 'later-out.tar')
    writeFileSync(own, 'of somebody else')
    const again = await runBatch(file, {environment: {}})
    assert.equal(again.items[0]?.failure?.code, 'DESTINATION_EXISTS')
    cpSync(path.join(folder.path, 'shop.tar'), source)
    const mended = await runBatch(file, {environment: {}})
    assert.equal(mended.items[0]?.failure?.code, 'DESTINATION_EXISTS')
    assert.equal(readFileSync(own, 'utf8'), 'of somebody else')
  })

  it('goes on replacing its own after a source has changed back, and after a failure', async () => {
    const source = path.join(folder.path, 'back.tar')
    const file = written('back.json', {source: 'docker-archive:back.tar', destination: 'docker-archive:back-out.tar'})
    const states: (string | undefined)[] = []
    for (const version of ['Shop', 'WebServer', 'Shop', 'WebServer, damaged', 'WebServer']) {
      const [name = '', damage] = version.split(', ')
      await convert(`inbox:${folder.path}/repository:${name}`, `docker-archive:${source}`, {replace: true})
      if (damage !== undefined) writeFileSync(source, readFileSync(source).fill(0x55, 60_000, 60_600))
      const {items} = await runBatch(file, {environment: {}})
      states.push(items[0]?.failure === undefined ? items[0]?.state : 'failed')
    }
    assert.deepEqual(states, ['converted', 'converted', 'converted', 'failed', 'converted'])
  })

  /** Changes the index of an OCI layout. */
  const reindex = (name: string, change: (entries: readonly IndexEntry[]) => readonly IndexEntry[]) => {
    const file = path.join(folder.path, name, 'index.json')
    const index = JSON.parse(readFileSync(file, 'utf8')) as {manifests: readonly IndexEntry[]}
    writeFileSync(file, JSON.stringify({...index, manifests: change(index.manifests)}))
  }
  const refOf = ({annotations}: IndexEntry) => annotations?.['org.opencontainers.image.ref.name']

  it('converts again to the tag that is gone, though the image is still there by another', async () => {
    const source = 'docker-archive:shop.tar'
    const file = written(
      'tags.json',
      {source, destination: 'oci:Tag s:a'},
      {source, destination: 'oci:Tag s:b'},
      {source, destination: 'oci:Tag s', options: {tag: ['contoso/x:3', 'contoso/y:4']}},
    )
    const states = async () => (await runBatch(file, {environment: {}, concurrency: 1})).items.map(({state}) => state)
    assert.deepEqual(await states(), ['converted', 'converted', 'converted'])
    assert.deepEqual(await states(), ['already-done', 'already-done', 'already-done'])
    reindex('Tag s', (entries) => entries.filter((entry) => refOf(entry) !== 'b'))
    assert.deepEqual(await states(), ['already-done', 'converted', 'already-done'])
    assert.equal((await list(`oci:${folder.path}/Tag s:b`)).items.length, 1)
    reindex('Tag s', (entries) => entries.filter((entry) => refOf(entry) !== '4'))
    // The other of its names is there and means the same image, so it stays as it is.
    assert.deepEqual(await states(), ['already-done', 'already-done', 'converted'])
    assert.equal((await list(`oci:${folder.path}/Tag s:4`)).items.length, 1)
  })

  it('does not take a tag for done that names another image by now', async () => {
    const file = written(
      'moved.json',
      {source: 'inbox:repository:Shop', destination: 'oci:moved:a'},
      {source: 'inbox:repository:WebServer', destination: 'oci:moved:b'},
    )
    await runBatch(file, {environment: {}})
    reindex('moved', (entries) => {
      const [first, second] = entries.map(({annotations}) => annotations)
      assert.notDeepEqual(first, second)
      return entries.map((entry, index) => ({...entry, annotations: (index === 0 ? second : first) ?? {}}))
    })
    const {items} = await runBatch(file, {environment: {}})
    // Shop comes after the package that it needs.
    assert.deepEqual(
      items.map(({state, failure}) => failure?.code ?? state),
      ['blocked', 'DESTINATION_EXISTS'],
    )
  })

  it('does not take for done what was moved on to another tag of an archive, or is another transport layout', async () => {
    const layout = {layers: 'squash', 'without-base': true}
    const file = written(
      'others.json',
      {source: 'docker-archive:shop.tar', destination: 'docker-archive:others.tar:contoso/one:1'},
      {source: 'docker-archive:shop.tar', destination: 'layout:others-layout', options: layout},
    )
    await runBatch(file, {environment: {}})
    assert.equal((await runBatch(file, {environment: {}})).totals.alreadyDone, 2)
    const at = (name: string) => path.join(folder.path, name)
    rmSync(at('others.tar'))
    await convert(`docker-archive:${at('shop.tar')}`, `docker-archive:${at('others.tar')}:contoso/two:1`)
    for (const name of ['others-layout', 'others-layout.payload-index.jsonl']) rmSync(at(name), {recursive: true})
    await convert(`docker-archive:${at('shop.tar')}`, `layout:${at('others-layout')}`, {
      layers: 'squash',
      osLayers: 0,
    })
    const {items} = await runBatch(file, {environment: {}})
    assert.deepEqual(
      items.map(({failure}) => failure?.code),
      ['DESTINATION_EXISTS', 'DESTINATION_EXISTS'],
    )
  })

  it('keeps as failures of their items what has a file in place of a folder above it', async () => {
    writeFileSync(path.join(folder.path, 'no-folder'), '')
    const places = ['oci:no-folder/a:1', 'oci:no-folder/a/b:1', 'docker-archive:no-folder/a.tar', 'inbox:no-folder/a']
    const layout = {layers: 'squash', 'os-layers': 0}
    const file = written(
      'no-folder.json',
      ...places.map((destination) => ({source: 'docker-archive:shop.tar', destination})),
      {source: 'docker-archive:shop.tar', destination: 'layout:no-folder/l', options: layout},
    )
    const {items} = await runBatch(file, {environment: {}})
    for (const {failure, destination} of items) {
      assert.deepEqual([failure?.code, failure?.exitCode], ['NOT_FOUND', 3], destination)
      assert.match(failure?.what ?? '', /is not a folder.*no-folder/, destination)
    }
  })

  it('needs no room on its own disk for what goes to a registry', async () => {
    const file = written('push.json', {source: 'docker-archive:shop.tar', destination: 'docker://127.0.0.1:9/app:1'})
    assert.deepEqual((await dryRunBatch(file, {environment: {}})).space, [])
  })

  for (const [name, encode] of [
    ['UTF-8', (text: string) => Buffer.from(`\ufeff${text}`)],
    ['UTF-16, as Windows PowerShell writes it', (text: string) => Buffer.from(`\ufeff${text}`, 'utf16le')],
    ['UTF-16 the other way round', (text: string) => Buffer.from(`\ufeff${text}`, 'utf16le').swap16()],
  ] as const)
    it(`reads a plan with the byte order mark of ${name}`, async () => {
      const file = path.join(folder.path, 'marked.yaml')
      const item = {source: 'docker-archive:shop.tar', destination: 'inbox:größe'}
      writeFileSync(file, encode(`items:\n  - ${JSON.stringify(item)}\n`))
      const {items} = await dryRunBatch(file, {environment: {}})
      assert.deepEqual(items[0]?.destination, item.destination)
    })

  for (const [name, bytes] of [
    [
      'Windows-1252',
      Buffer.from('items:\n  - {source: "docker-archive:shop.tar", destination: "inbox:gr\xf6\xdfe"}\n', 'latin1'),
    ],
    ['UTF-16 without a mark', Buffer.from('items: [{source: größe, destination: "inbox:\ud83d\udca1"}]', 'utf16le')],
    ['half a character of UTF-16', Buffer.concat([Buffer.from('\ufeffitems: []', 'utf16le'), Buffer.from([0x3d])])],
  ] as const)
    it(`refuses a plan in ${name} instead of guessing`, async () => {
      const file = path.join(folder.path, 'encoded.yaml')
      writeFileSync(file, bytes)
      await assert.rejects(dryRunBatch(file, {environment: {}}), (error: TransshipError) => {
        assert.deepEqual([error.code, error.at.path], ['PLAN_INVALID', file])
        assert.match(error.what, /UTF-8/)
        return true
      })
    })

  it('keeps its shards when a source changes while they run', async () => {
    const image = path.join(folder.path, 'shards.tar')
    const items = Array.from({length: 8}, (_, index) => ({
      source: index === 0 ? 'docker-archive:shards.tar' : 'docker-archive:shop.tar',
      destination: `oci:shards/${index}`,
    }))
    const file = written('shards.json', ...items)
    const parts = async () => {
      const ids: (readonly string[])[] = []
      for (const index of [0, 1, 2]) {
        const {items: own} = await dryRunBatch(file, {environment: {}, shard: {index, count: 3}})
        ids.push(own.map(({id}) => id))
      }
      return ids
    }
    const pack = (name: string) =>
      convert(`inbox:${folder.path}/repository:${name}`, `docker-archive:${image}`, {replace: true})
    await pack('Shop')
    const first = await parts()
    assert.deepEqual(first.map((ids) => ids.length).sort(), [2, 3, 3])
    await pack('WebServer')
    assert.deepEqual(await parts(), first)
  })

  it('tries again with twice the wait what a network failure stopped, and no other failure', async () => {
    const waits: number[] = []
    const wait = (ms: number) => Promise.resolve(waits.push(ms))
    const unit = {id: 'u', key: 'k', options: {}, after: [], destination: 'oci:never'}
    const unreachable = {...unit, source: 'docker://127.0.0.1:9/app:1'}
    const failed = await runUnit(unreachable, {folder: folder.path, retries: 3, wait})
    assert.deepEqual([failed.state, failed.failure?.code, failed.attempts], ['failed', 'NETWORK_FAILED', 4])
    assert.deepEqual(waits, [1000, 2000, 4000])
    const missing = await runUnit({...unit, source: 'inbox:nowhere'}, {folder: folder.path, wait})
    assert.deepEqual([missing.failure?.code, missing.attempts], ['NOT_FOUND', 1])
  })

  it('refuses to start where the disk has too little room', () => {
    const need = {path: '/data', neededBytes: 11 * MIB, freeBytes: 10 * MIB}
    assert.throws(
      () => {
        requireSpace([need])
      },
      {code: 'NO_SPACE', exitCode: 4},
    )
    requireSpace([{...need, freeBytes: 11 * MIB}])
  })

  for (const {needed, free, told} of [
    {needed: 11 * MIB, free: 10 * MIB, told: /needs about 11 MiB there, but only 10 MiB are free/},
    {needed: MIB - 1024, free: MIB - 4096, told: /needs about 1023 KiB there, but only 1020 KiB are free/},
    {needed: 5000, free: 4999, told: /needs about 5000 bytes there, but only 4999 bytes are free/},
    {needed: 2 * MIB, free: 0, told: /needs about 2 MiB there, but only 0 MiB are free/},
  ])
    it(`tells ${needed} and ${free} bytes so that they differ`, () => {
      assert.throws(() => {
        requireSpace([{path: '/data', neededBytes: needed, freeBytes: free}])
      }, told)
    })

  for (const {cores, free, expected} of [
    {cores: 8, free: 16 * 1024 * MIB, expected: 8},
    {cores: 8, free: 1024 * MIB, expected: 4},
    {cores: 2, free: 100 * MIB, expected: 1},
  ]) {
    it(`runs ${expected} at once on ${cores} cores with ${free / MIB} MiB free`, () => {
      assert.equal(defaultConcurrency(cores, free), expected)
    })
  }
})
