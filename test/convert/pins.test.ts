import assert from 'node:assert/strict'
import {appendFileSync, existsSync, readdirSync, readFileSync, rmSync, writeFileSync} from 'node:fs'
import path from 'node:path'
import {gzipSync} from 'node:zlib'
import {convert, inspect, verify, type ConvertReport} from '../../src/index.js'
import {hybridMembers, partsOf, sha256, tarOf, type Parts} from '../helpers/archives.js'
import {fileOf, layerTarOf, withParents} from '../helpers/layer-archives.js'
import {startMemoryRegistry} from '../helpers/memory-registry.js'
import {temporaryFolder} from '../helpers/temporary-folder.js'
import {requireTool} from '../helpers/tools.js'
import {compressedBy, windowsParts} from '../helpers/windows-images.js'
import {topPackage} from '../helpers/round-trip.js'

type Compressor = (bytes: Buffer) => Buffer

/** Forms that a layer may have in an image registry, and what `--pins reproduce` makes of each. */
const FORMS: readonly {
  readonly name: string
  readonly tool?: string
  readonly suffix: '+gzip' | '+zstd'
  readonly reproduced: boolean
  readonly compress: Compressor
}[] = [
  ...[1, 6, 9].map((level) => ({
    name: `gzip -${level}`,
    tool: 'gzip',
    suffix: '+gzip' as const,
    reproduced: true,
    compress: (bytes: Buffer) => compressedBy('gzip', bytes, [`-${level}`]),
  })),
  {
    name: 'pigz',
    tool: 'pigz',
    suffix: '+gzip',
    reproduced: true,
    compress: (bytes) => compressedBy('pigz', bytes),
  },
  {
    name: 'stored blocks of zlib',
    suffix: '+gzip',
    reproduced: false,
    compress: (bytes) => gzipSync(bytes, {level: 0}),
  },
  ...[3, 19].map((level) => ({
    name: `zstd -${level}`,
    tool: 'zstd',
    suffix: '+zstd' as const,
    reproduced: false,
    compress: (bytes: Buffer) => compressedBy('zstd', bytes, [`-${level}`]),
  })),
]

describe('the compressed form of layers', () => {
  const folder = temporaryFolder()
  let parts: Parts
  let made = 0

  before(async () => {
    const whole = await windowsParts(12)
    parts = partsOf(whole.layers.slice(0, 3), {os: 'windows', 'os.version': '10.0.14393.206'})
  })

  const place = (name: string) => path.join(folder.path, `${name}-${made++}`)

  /** An OCI archive whose layers are stored as `compress` makes them; its reference. */
  async function stored(suffix: string, compress: Compressor): Promise<string> {
    const file = place('image.tar')
    const layers = parts.layers.map(compress)
    writeFileSync(file, await tarOf(hybridMembers(parts, {stored: {layers, suffix}, withManifestJson: false})))
    return `oci-archive:${file}`
  }

  /** What tells one stored image from another: the digests of its manifest, its configuration and its layers. */
  async function digestsOf(reference: string): Promise<unknown> {
    const {manifestDigest, imageId, layers} = await inspect(reference)
    return {manifestDigest, imageId, layers: layers.map(({digest, mediaType, size}) => [digest, mediaType, size])}
  }

  const codes = ({inexact}: ConvertReport) => inexact.map(({code}) => code)
  const pinsOf = ({artifacts}: ConvertReport) => artifacts.map(({layers}) => layers[0]?.pin)

  const folderOf = (report: ConvertReport, index: number) => {
    const {identity = ''} = report.artifacts[index]!
    return path.join(report.destination.slice('inbox:'.length), identity)
  }

  const pinFile = (report: ConvertReport, index: number) => {
    const docker = path.join(folderOf(report, index), 'docker')
    const name = readdirSync(docker).find((file) => file.startsWith('sha256-'))
    return name === undefined ? undefined : path.join(docker, name)
  }

  for (const {name, tool, suffix, reproduced, compress} of FORMS)
    for (const pins of ['keep', 'reproduce'] as const)
      it(`comes back with the same digests through packages: ${name}, --pins ${pins}`, async function () {
        if (tool !== undefined) requireTool(this, tool)
        const source = await stored(suffix, compress)
        for (const transport of ['inbox', 'appx'] as const) {
          const packages = `${transport}:${place('packages')}`
          const there = await convert(source, packages, {layers: 'chain', pins})
          const how = pins === 'reproduce' && reproduced ? 'reproduced' : 'kept'
          assert.deepEqual([there.exact, codes(there), there.losses], [true, [], []])
          assert.deepEqual(
            pinsOf(there),
            parts.layers.map(() => how),
          )
          assert.deepEqual((await verify(packages)).faults, [])
          for (const to of ['oci', 'oci-archive', 'docker-archive'] as const) {
            const back = await convert(topPackage(there), `${to}:${place('back')}`)
            assert.deepEqual([back.exact, codes(back), back.notes], [true, [], []])
            assert.deepEqual(await digestsOf(back.artifacts[0]!.reference), await digestsOf(source))
            assert.deepEqual((await verify(back.destination)).faults, [])
          }
        }
      })

  const gzip: Compressor = (bytes) => gzipSync(bytes, {level: 6})

  it('goes from packages to packages, where it is kept smaller if that is asked for', async function () {
    requireTool(this, 'gzip')
    const source = await stored('+gzip', (bytes) => compressedBy('gzip', bytes))
    const first = await convert(source, `inbox:${place('first')}`, {layers: 'chain'})
    const second = await convert(topPackage(first), `inbox:${place('second')}`, {pins: 'reproduce'})
    assert.deepEqual(
      pinsOf(second),
      parts.layers.map(() => 'reproduced'),
    )
    for (const index of parts.layers.keys()) assert.equal(pinFile(second, index), undefined)
    const third = await convert(topPackage(second), `appx:${place('third')}`)
    for (const {destination} of [first, second, third]) assert.deepEqual((await verify(destination)).faults, [])
    const back = await convert(topPackage(third), `oci:${place('back')}`)
    assert.deepEqual(await digestsOf(back.artifacts[0]!.reference), await digestsOf(source))
  })

  it('is lost with --pins none, which is told', async () => {
    const source = await stored('+gzip', gzip)
    const there = await convert(source, `inbox:${place('none')}`, {layers: 'chain', pins: 'none'})
    assert.deepEqual(
      there.losses.map(({code}) => code),
      ['pins-dropped'],
    )
    assert.deepEqual([there.exact, codes(there)], [false, ['compression-not-kept']])
    await assert.rejects(convert(source, `inbox:${place('strict')}`, {layers: 'chain', pins: 'none', strict: true}), {
      code: 'LOSS_REFUSED',
    })
    const back = await convert(topPackage(there), `oci:${place('back')}`)
    assert.deepEqual([back.exact, codes(back)], [false, ['manifest-changed']])
    assert.equal(back.artifacts[0]!.imageId, (await inspect(source)).imageId)
  })

  it('is kept in every form in which one layer came', async () => {
    const [fast, small] = [
      await stored('+gzip', (bytes) => gzipSync(bytes, {level: 1})),
      await stored('+gzip', (bytes) => gzipSync(bytes, {level: 9})),
    ]
    const packages = `inbox:${place('both')}`
    // Each brings a package of its own on top, on the same operating system.
    const first = await convert(fast, packages, {layers: 'chain', name: 'fast'})
    const second = await convert(small, packages, {layers: 'chain', name: 'small'})
    const again = await convert(fast, packages, {layers: 'chain', name: 'fast'})
    assert.ok(again.artifacts.every(({unchanged}) => unchanged === true))
    assert.equal(first.artifacts[0]!.identity, second.artifacts[0]!.identity)
    assert.deepEqual((await verify(packages)).faults, [])
    for (const [report, source] of [
      [first, fast],
      [second, small],
    ] as const) {
      const back = await convert(topPackage(report), `oci:${place('back')}`)
      assert.deepEqual([back.exact, codes(back)], [true, []])
      assert.deepEqual(await digestsOf(back.artifacts[0]!.reference), await digestsOf(source))
    }
  })

  it('is added to a package that was made without it', async () => {
    const source = await stored('+gzip', gzip)
    const packages = `inbox:${place('added')}`
    await convert(source, packages, {layers: 'chain', pins: 'none'})
    const there = await convert(source, packages, {layers: 'chain'})
    assert.deepEqual([there.exact, codes(there)], [true, []])
    assert.deepEqual((await verify(packages)).faults, [])
    const back = await convert(topPackage(there), `oci:${place('back')}`)
    assert.deepEqual(await digestsOf(back.artifacts[0]!.reference), await digestsOf(source))
  })

  it('is not said of a payload that was edited: that layer is written anew, and told', async () => {
    const source = await stored('+gzip', gzip)
    const there = await convert(source, `inbox:${place('edited')}`, {layers: 'chain'})
    const top = folderOf(there, there.artifacts.length - 1)
    const carrier = readdirSync(path.join(top, 'Files'), {recursive: true, withFileTypes: true}).find((entry) =>
      entry.isFile(),
    )!
    appendFileSync(path.join(carrier.parentPath, carrier.name), 'edited')
    assert.notDeepEqual((await verify(there.destination)).faults, [])
    const outcome = await convert(topPackage(there), `oci:${place('back')}`).catch((error: unknown) => error)
    // What can no longer be read is refused; what can is written as it is now.
    if (outcome instanceof Error) return
    const back = outcome as ConvertReport
    assert.equal(back.exact, false)
    assert.ok(back.notes.some(({code}) => code === 'pin-stale'))
    assert.notDeepEqual(await digestsOf(back.artifacts[0]!.reference), await digestsOf(source))
    assert.deepEqual((await verify(back.destination)).faults, [])
  })

  it('that is missing is a fault, and refused unless --pins none does without it', async () => {
    const source = await stored('+gzip', gzip)
    const there = await convert(source, `inbox:${place('missing')}`, {layers: 'chain'})
    rmSync(pinFile(there, 1)!)
    const faults = (await verify(there.destination)).faults.map(({code}) => code)
    assert.deepEqual(faults, ['LAYER_MISSING'])
    const target = place('back')
    await assert.rejects(convert(topPackage(there), `oci:${target}`), {code: 'LAYER_MISSING'})
    assert.ok(!existsSync(path.join(target, 'index.json')))
    const back = await convert(topPackage(there), `oci:${place('back')}`, {pins: 'none'})
    assert.deepEqual(codes(back), ['manifest-changed'])
  })

  it('of which a bit was flipped is a fault, and refused', async () => {
    const source = await stored('+gzip', gzip)
    const there = await convert(source, `inbox:${place('flipped')}`, {layers: 'chain'})
    const file = pinFile(there, 1)!
    const sound = readFileSync(file)
    for (const at of [3, 9, 40, sound.length >> 1, sound.length - 5]) {
      writeFileSync(file, Buffer.from(sound).fill(sound[at]! ^ 0x10, at, at + 1))
      assert.notDeepEqual((await verify(there.destination)).faults, [], String(at))
      await assert.rejects(convert(topPackage(there), `oci:${place('back')}`), /damaged|DIGEST|digest|corrupt/i)
    }
  })

  it('that holds something else is refused, whatever its record says', async () => {
    const source = await stored('+gzip', gzip)
    const there = await convert(source, `inbox:${place('other')}`, {layers: 'chain'})
    const other = gzip(await layerTarOf(withParents([fileOf('Files/other.txt', 'other')])))
    const metadata = path.join(folderOf(there, 1), 'metadata.json')
    const digest = `sha256:${sha256(other)}`
    const text = readFileSync(metadata, 'utf8').replace(
      /("Pins":\[\{"MediaType":"[^"]*","Digest":")[^"]*(","Size":)\d+/,
      `$1${digest}$2${other.length}`,
    )
    assert.ok(text.includes(digest))
    writeFileSync(metadata, text)
    writeFileSync(pinFile(there, 1)!, other)
    const faults = (await verify(there.destination)).faults.map(({code}) => code)
    assert.deepEqual(faults, ['DIGEST_MISMATCH'])
    const registry = await startMemoryRegistry()
    try {
      for (const target of [`oci:${place('back')}`, `docker://${registry.host}/app:1`])
        await assert.rejects(convert(topPackage(there), target), {code: 'DIGEST_MISMATCH'})
      assert.equal(registry.manifests.size, 0)
    } finally {
      await registry.stop()
    }
  })

  it('whose record was changed is a fault, and refused', async function () {
    requireTool(this, 'gzip')
    const source = await stored('+gzip', (bytes) => compressedBy('gzip', bytes))
    const there = await convert(source, `inbox:${place('record')}`, {layers: 'chain', pins: 'reproduce'})
    const file = path.join(folderOf(there, 1), 'metadata.json')
    const sound = readFileSync(file, 'utf8')
    for (const [from, to] of [
      [/"Encoder":"gzip:6"/, '"Encoder":"gzip:5"'],
      [/"Encoder":"gzip:6"/, '"Encoder":"nosuch:6"'],
      [/"Header":"H4sI/, '"Header":"H4sJ'],
      [/"Compression":"gzip","Encoder"/, '"Compression":"zstd","Encoder"'],
      [/("Digest":"sha256:)[0-9a-f]("?[0-9a-f]{63}","Size":\d+,"Compression")/, '$10$2'],
      [/("Size":)(\d+)(,"Compression")/, '$11$2$3'],
    ] as const) {
      const changed = sound.replace(from, to)
      assert.notEqual(changed, sound, String(from))
      writeFileSync(file, changed)
      assert.notDeepEqual((await verify(there.destination)).faults, [], to)
      const outcome = await convert(topPackage(there), `oci:${place('back')}`).catch((error: unknown) => error)
      if (!(outcome instanceof Error)) assert.equal((outcome as ConvertReport).exact, false, to)
    }
    writeFileSync(file, sound)
    assert.deepEqual((await verify(there.destination)).faults, [])
  })
})
