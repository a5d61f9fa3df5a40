import assert from 'node:assert/strict'
import {execFileSync} from 'node:child_process'
import {
  closeSync,
  cpSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import {tmpdir} from 'node:os'
import path from 'node:path'
import fc from 'fast-check'
import {convert} from '../../../src/convert/convert.js'
import {UNIX_EPOCH} from '../../../src/model/windows-metadata.js'
import {DiskClock} from '../../../src/disk/disk-clock.js'
import {fileTimeOfNanoseconds, formatFileTime, mayBeStoredAs, readDiskTimes} from '../../../src/disk/disk-times.js'
import {findNativeTimes} from '../../../src/disk/native-times.js'
import {hybridMembers, partsOf, tarOf} from '../../helpers/archives.js'
import {FUZZ_RUNS} from '../../helpers/fuzz.js'
import {runJson} from '../../helpers/run-cli.js'
import {temporaryFolder} from '../../helpers/temporary-folder.js'
import {skipLoudly} from '../../helpers/tools.js'

/** At odd 100 ns, in the centuries where counters of 31, 32, 34 and 64 bits begin and end. */
const TIMES = [
  '1500-12-31 23:59:59.9999999',
  '1601-01-02 03:04:05.0000001',
  '1677-09-21 00:12:43.1452241',
  '1723-07-08 09:10:11.1234567',
  '1901-12-13 20:45:51.9999999',
  '1969-12-31 23:59:59.9999999',
  '1970-01-01 00:00:00.0000001',
  '2038-01-19 03:14:08.0000003',
  '2106-02-07 06:28:16.7654321',
  '2262-04-11 23:47:16.8547759',
  '2262-12-31 23:59:59.0000009',
  '2446-05-10 22:38:55.7777777',
]
const SAMPLE = path.join('samples', 'repository', 'CN=Contoso_WebServer_1.0.0.0')
const PARTS = ['Files', 'Hives', 'Files.$wcidirs$', 'Hives.$wcidirs$', 'tombstones.txt']

/** Every file and folder of a payload: its write time in nanoseconds, and of a file its bytes. */
function lookAt(root: string): Record<string, string> {
  const found: Record<string, string> = {}
  for (const child of readdirSync(root, {recursive: true, withFileTypes: true})) {
    const file = path.join(child.parentPath, child.name)
    const name = path.relative(root, file)
    if (!PARTS.includes(name.split(path.sep)[0] ?? '')) continue
    const {mtimeNs} = lstatSync(file, {bigint: true})
    found[name] = `${mtimeNs} ${child.isDirectory() ? 'folder' : readFileSync(file).toString('base64')}`
  }
  return found
}

/** Sets a time with the tool of another project. */
function touch(file: string, time: string): void {
  execFileSync('touch', ['-d', `${time} UTC`, file])
}

/** A layout with another time on each file, and on each folder that of its sidecar, as far as the disk holds them. */
function layoutIn(root: string): string {
  const layout = path.join(root, 'from')
  for (const name of PARTS) cpSync(path.join(SAMPLE, name), path.join(layout, name), {recursive: true})
  mkdirSync(path.join(layout, 'Files', 'Windows'), {recursive: true})
  const children = readdirSync(layout, {recursive: true, withFileTypes: true})
  const names = children.map((child) => path.join(child.parentPath, child.name)).sort()
  names
    .filter((name) => statSync(name).isFile())
    .forEach((name, at) => {
      touch(name, TIMES[at % TIMES.length]!)
    })
  for (const name of names.filter((each) => statSync(each).isDirectory()))
    execFileSync('touch', ['-r', `${name}.$wcidirs$`, name])
  return layout
}

describe('times of a transport layout', function () {
  this.timeout(60_000)
  const memory = temporaryFolder()
  let disk = ''
  before(() => {
    disk = mkdtempSync(path.join(tmpdir(), 'transship-times-'))
  })
  after(() => {
    rmSync(disk, {recursive: true, force: true})
  })

  for (const [title, place] of [
    ['where tests write, mostly memory', () => memory.path],
    ['in the folder for temporary files, mostly a disk', () => disk],
  ] as const) {
    it(`come back through an image with every carrier, of files and folders: ${title}`, async () => {
      const root = mkdtempSync(path.join(place(), 'judge-'))
      const layout = layoutIn(root)
      const wanted = lookAt(layout)
      assert.equal(Object.keys(wanted).length, 17)
      const archive = `docker-archive:${root}/image.tar`
      await convert(`layout:${layout}`, archive, {})
      const {losses} = await convert(archive, `layout:${root}/back`, {})
      assert.deepEqual(
        losses.map(({code}) => code),
        ['metadata-not-kept'],
      )
      assert.deepEqual(lookAt(path.join(root, 'back')), wanted)
      const report = await convert(archive, `inbox:${root}/repository`, {layers: 'chain'})
      assert.equal(report.exact, true)
      const folder = readdirSync(path.join(root, 'repository')).find((name) => name.startsWith('CN='))!
      assert.deepEqual(lookAt(path.join(root, 'repository', folder)), wanted)
      // And once more from each of them, through AppX too.
      await convert(`inbox:${root}/repository`, `appx:${root}/packages`, {})
      await convert(`appx:${root}/packages`, `inbox:${root}/again`, {})
      assert.deepEqual(lookAt(path.join(root, 'again', folder)), wanted)
      const diffIds = await Promise.all(
        ['repository', 'again'].map(async (from) => {
          const to = await convert(`inbox:${root}/${from}`, `docker-archive:${root}/${from}.tar`, {})
          return to.artifacts.flatMap((artifact) => artifact.layers.map(({diffId}) => diffId))
        }),
      )
      assert.deepEqual(diffIds[0], diffIds[1])
    })
  }

  it('are in the index as they were, where the disk cannot store them: a loss of a layout, not of a package', async function () {
    const probe = path.join(disk, 'probe')
    writeFileSync(probe, '')
    touch(probe, TIMES[1]!)
    if (statSync(probe, {bigint: true}).mtimeNs === -11644376154999999900n) skipLoudly(this, 'this disk has 64 bits')
    const {archive} = await archiveOfEveryTime(memory.path)
    const root = mkdtempSync(path.join(disk, 'narrow-'))
    const layout = await convert(archive, `layout:${root}/layout`, {})
    const lost = layout.losses.find(({code}) => code === 'times-not-kept')
    assert.match(
      lost?.message ?? '',
      /should be 1[567]\d\d-[-\dT:.]+Z, but the disk has 19\d\d-.* differ.* This file system/,
    )
    const inbox = await convert(archive, `inbox:${root}/repository`, {layers: 'chain', strict: true})
    assert.equal(inbox.exact, true)
    assert.match(inbox.notes.find(({code}) => code === 'times-not-kept')?.message ?? '', /The payload index keeps it/)
    const appx = await convert(archive, `appx:${root}/packages`, {layers: 'chain', strict: true})
    assert.equal(
      appx.notes.find(({code}) => code === 'times-not-kept'),
      undefined,
      'no disk keeps its folder',
    )
    // The index tells the exact times on the way back.
    const diffIds = async (from: string) => {
      const {artifacts} = await convert(from, `docker-archive:${mkdtempSync(path.join(root, 'back-'))}/image.tar`, {})
      return artifacts.flatMap((artifact) => artifact.layers.map(({diffId}) => diffId))
    }
    const wanted = await diffIds(archive)
    for (const from of [`layout:${root}/layout`, `inbox:${root}/repository`, `appx:${root}/packages`])
      assert.deepEqual(await diffIds(from), wanted, from)
  })

  /** An image whose layer has every time to the tick, made where the file system holds them. */
  async function archiveOfEveryTime(place: string): Promise<{archive: string; layout: string}> {
    const root = mkdtempSync(path.join(place, 'every-'))
    const layout = layoutIn(root)
    const archive = `docker-archive:${root}/image.tar`
    await convert(`layout:${layout}`, archive, {})
    return {archive, layout}
  }

  it('are set to the microsecond without koffi, before 1970 too, and the rest is a loss', async () => {
    const {archive, layout} = await archiveOfEveryTime(memory.path)
    const hook = path.join(memory.path, 'no-koffi.cjs')
    writeFileSync(
      hook,
      `const Module = require('node:module'); const load = Module._load
       Module._load = (name, ...more) => { if (name === 'koffi') throw new Error('not installed'); return load(name, ...more) }`,
    )
    const to = path.join(mkdtempSync(path.join(memory.path, 'coarse-')), 'back')
    const {code, json} = await runJson(['convert', archive, `layout:${to}`], {env: {NODE_OPTIONS: `--require=${hook}`}})
    assert.equal(code, 0)
    const {losses} = json as {losses: {code: string; message: string}[]}
    assert.match(losses.find((loss) => loss.code === 'times-not-kept')?.message ?? '', /the package koffi,/)
    for (const name of Object.keys(lookAt(layout))) {
      const [wanted, has] = [layout, to].map((root) => statSync(path.join(root, name), {bigint: true}).mtimeNs)
      // A floating-point number of seconds is good for some microseconds in 1601.
      assert.ok(has! - wanted! < 4000n && wanted! - has! < 4000n, `${name}: ${has} instead of ${wanted}`)
    }
  })

  it('are any FILETIME at all, or told of when they are not', () => {
    const [file, folder] = [path.join(memory.path, 'any'), path.join(memory.path, 'any-folder')]
    writeFileSync(file, 'x')
    mkdirSync(folder)
    fc.assert(
      fc.property(fc.bigInt({min: -(2n ** 40n), max: 2n ** 63n - 1n}), (time) => {
        const times = {creation: time, lastAccess: time, lastWrite: time, change: time}
        const clock = new DiskClock(findNativeTimes())
        const fd = openSync(file, 'r+')
        clock.setFile(fd, times, 'a file')
        closeSync(fd)
        clock.setFolder(folder, times, 'a folder')
        const kept = [file, folder].every((at) => readDiskTimes(at, lstatSync(at, {bigint: true})).lastWrite === time)
        assert.equal(clock.unkept === undefined, kept)
      }),
      {numRuns: FUZZ_RUNS},
    )
  })

  it('are those of the index beside a layout, and a note tells of files that have others on disk since', async () => {
    const {archive} = await archiveOfEveryTime(memory.path)
    for (const place of [memory.path, disk]) {
      const layout = path.join(mkdtempSync(path.join(place, 'beside-')), 'layout')
      await convert(archive, `layout:${layout}`, {})
      const again = (to: string) => convert(`layout:${layout}`, `docker-archive:${layout}${to}.tar`, {})
      const before = await again('1')
      assert.deepEqual(before.notes.filter(({code}) => code === 'times-of-index'), []) // prettier-ignore
      touch(path.join(layout, 'Files/inetpub/wwwroot/iisstart.htm'), '2020-02-02 02:02:02')
      const after = await again('2')
      const [note] = after.notes.filter(({code}) => code === 'times-of-index')
      assert.match(note?.message ?? '', /^'Files\/inetpub\/wwwroot\/iisstart\.htm' has another time on disk/)
      const diffIds = [before, after].map(({artifacts}) =>
        artifacts.map(({layers}) => layers.map(({diffId}) => diffId)),
      )
      assert.deepEqual(diffIds[0], diffIds[1])
    }
  })

  for (const {exact, onDisk, may, note} of [
    {exact: '2020-01-01T00:00:00.1234567', onDisk: '2020-01-01T00:00:00.123456', may: true, note: 'whole microseconds'},
    {exact: '2020-01-01T00:00:01.1234567', onDisk: '2020-01-01T00:00:00', may: true, note: 'steps of two seconds'},
    {exact: '1601-01-02T03:04:05.0000001', onDisk: '1901-12-13T20:45:52', may: true, note: 'the first of ext4'},
    {exact: '2500-01-02T03:04:05.0000001', onDisk: '2446-05-10T22:38:55', may: true, note: 'the last of ext4'},
    {exact: '2500-01-02T03:04:05.0000001', onDisk: '2038-01-19T03:14:07', may: true, note: 'the last of ext3'},
    {exact: '1601-01-02T03:04:05.0000001', onDisk: '2026-01-01T00:00:00.5', may: false, note: 'the moment of a copy'},
    {exact: '2500-01-02T03:04:05.0000001', onDisk: '2020-02-02T02:02:02', may: false, note: 'whole seconds by hand'},
    {exact: '2020-01-02T03:04:05', onDisk: '2038-01-19T03:14:07', may: false, note: 'an end that was not reached'},
    {exact: '2020-01-01T00:00:00', onDisk: '2020-01-01T00:00:02', may: false, note: 'another time'},
  ])
    it(`may have become others on disk, or not: ${note}`, () => {
      assert.equal(mayBeStoredAs(ticksOf(exact), ticksOf(onDisk)), may)
    })

  for (const {nanoseconds, ticks, note} of [
    {nanoseconds: 0n, ticks: 0n, note: '1970'},
    {nanoseconds: 199n, ticks: 1n, note: 'the tick that has begun'},
    {nanoseconds: -1n, ticks: -1n, note: 'before 1970 as well'},
    {nanoseconds: -100n, ticks: -1n, note: 'a whole tick'},
    {nanoseconds: -11644473600_000_000_001n, ticks: -UNIX_EPOCH - 1n, note: 'before 1601 as well'},
  ])
    it(`are cut to 100 ns where a disk has more: ${nanoseconds} ns, ${note}`, () => {
      assert.equal(fileTimeOfNanoseconds(nanoseconds), UNIX_EPOCH + ticks)
    })

  it('are written out with all their digits', () => {
    assert.equal(formatFileTime(1n), '1601-01-01T00:00:00.0000001Z')
    assert.equal(formatFileTime(-1n), '1600-12-31T23:59:59.9999999Z')
    assert.equal(formatFileTime(2n ** 63n - 1n), '+030828-09-14T02:48:05.4775807Z')
  })

  it('are never those of the day: folders that no entry states have those of what is put into them first', async () => {
    const root = mkdtempSync(path.join(memory.path, 'implied-'))
    const member = (name: string, mtime: string) => ({name, mtime: new Date(mtime), mode: 0o644})
    const layer = await layerOf([
      [member('Files/a/b/first.txt', '1980-01-02T03:04:05Z'), '1'],
      [member('Files/a/second.txt', '1990-01-02T03:04:05Z'), '2'],
      [member('Files/.wh.gone', '2000-01-02T03:04:05Z'), ''],
    ])
    writeFileSync(path.join(root, 'image.tar'), await tarOf(hybridMembers(partsOf([layer], {}))))
    await convert(`docker-archive:${root}/image.tar`, `layout:${root}/layout`, {layers: 'chain', osLayers: 0})
    const yearOf = (name: string) => statSync(path.join(root, 'layout', name)).mtime.getUTCFullYear()
    assert.deepEqual(
      ['Files', 'Files/a', 'Files/a/b', 'Files/a/second.txt', 'tombstones.txt'].map(yearOf),
      [1980, 1980, 1980, 1990, 1980],
    )
  })
})

/** Of ISO 8601 in UTC with up to seven decimals. */
function ticksOf(text: string): bigint {
  const [seconds = '', fraction = ''] = text.split('.')
  return UNIX_EPOCH + BigInt(Date.parse(`${seconds}Z`)) * 10_000n + BigInt(fraction.padEnd(7, '0'))
}

async function layerOf(members: readonly (readonly [object, string])[]): Promise<Buffer> {
  const {pack} = await import('tar-stream')
  const tar = pack()
  for (const [header, body] of members) tar.entry(header as Parameters<typeof tar.entry>[0], body)
  tar.finalize()
  const chunks: Buffer[] = []
  for await (const chunk of tar) chunks.push(chunk as Buffer)
  return Buffer.concat(chunks)
}
