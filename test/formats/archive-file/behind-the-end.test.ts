import assert from 'node:assert/strict'
import {execFileSync, spawnSync} from 'node:child_process'
import {writeFileSync} from 'node:fs'
import path from 'node:path'
import {convert, verify} from '../../../src/index.js'
import {decompress} from '../../../src/codecs/compression/decompress.js'
import {TransshipError} from '../../../src/model/errors.js'
import type {Compression} from '../../../src/model/image.js'
import {hybridMembers, partsOf, tarOf, type Parts} from '../../helpers/archives.js'
import {chunked, collect} from '../../helpers/bytes.js'
import {startMemoryRegistry} from '../../helpers/memory-registry.js'
import {runCli} from '../../helpers/run-cli.js'
import {temporaryFolder} from '../../helpers/temporary-folder.js'
import {findTool, requireTool} from '../../helpers/tools.js'

/*
 * What may lie behind the end of compressed data. The judges are the programs that the formats come from; where they drop
 * something with a warning, or without, transship refuses it: it may be somebody's data.
 */

type Packer = Exclude<Compression, 'none'>
type Answer = 'taken' | 'twice' | 'damaged' | 'cut'

const SKIPPABLE = Buffer.from([0x5e, 0x2a, 0x4d, 0x18, 12, 0, 0, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12])
const TAILS: readonly {
  readonly title: string
  readonly tail: (stored: Buffer) => Buffer
  /** In the order gzip, zstd, bzip2, xz. */
  readonly answers: readonly [Answer, Answer, Answer, Answer]
}[] = [
  {title: 'nothing', tail: () => Buffer.alloc(0), answers: ['taken', 'taken', 'taken', 'taken']},
  {title: '512 zeros', tail: () => Buffer.alloc(512), answers: ['taken', 'damaged', 'taken', 'taken']},
  {title: '200,000 zeros', tail: () => Buffer.alloc(200_000), answers: ['taken', 'damaged', 'taken', 'taken']},
  {title: '3 zeros', tail: () => Buffer.alloc(3), answers: ['taken', 'damaged', 'taken', 'damaged']},
  {title: 'the same again', tail: (stored) => stored, answers: ['twice', 'twice', 'twice', 'twice']},
  {
    title: 'the same again and zeros',
    tail: (stored) => Buffer.concat([stored, Buffer.alloc(8)]),
    answers: ['twice', 'damaged', 'twice', 'twice'],
  },
  {
    title: 'zeros and the same again',
    tail: (stored) => Buffer.concat([Buffer.alloc(8), stored]),
    answers: ['damaged', 'damaged', 'damaged', 'twice'],
  },
  {title: '600 letters', tail: () => Buffer.alloc(600, 'A'), answers: ['damaged', 'damaged', 'damaged', 'damaged']},
  {title: 'one letter', tail: () => Buffer.from('A'), answers: ['damaged', 'damaged', 'damaged', 'cut']},
  {
    title: 'zeros and letters',
    tail: () => Buffer.concat([Buffer.alloc(512), Buffer.alloc(600, 'A')]),
    answers: ['damaged', 'damaged', 'damaged', 'damaged'],
  },
  {title: 'the begin of another', tail: (stored) => stored.subarray(0, 2), answers: ['cut', 'cut', 'cut', 'cut']},
  {title: 'a skippable frame', tail: () => SKIPPABLE, answers: ['damaged', 'taken', 'damaged', 'damaged']},
]
const PACKERS: readonly Packer[] = ['gzip', 'zstd', 'bzip2', 'xz']

function packed(tool: string, bytes: Buffer): Buffer {
  return execFileSync(tool, ['-c'], {input: bytes, maxBuffer: 2 ** 28})
}

function codeOf(answer: Answer, damage: string): string | undefined {
  return answer === 'damaged' ? damage : answer === 'cut' ? 'ARCHIVE_TRUNCATED' : undefined
}

async function outcome(work: Promise<unknown>): Promise<string | undefined> {
  try {
    await work
    return undefined
  } catch (error) {
    if (error instanceof TransshipError) return error.code
    throw error
  }
}

describe('what lies behind the end of compressed data', () => {
  const folder = temporaryFolder()
  let plain: Buffer
  let made = 0

  before(async () => {
    plain = await tarOf([['etc/os', 'line of text\n'.repeat(20_000)]])
  })

  for (const [index, packer] of PACKERS.entries())
    for (const {title, tail, answers} of TAILS) {
      const answer = answers[index] ?? 'damaged'
      it(`has one answer wherever chunks end: ${title} behind ${packer} is ${answer}`, async function () {
        requireTool(this, packer)
        const stored = packed(packer, plain)
        const whole = Buffer.concat([stored, tail(stored)])
        for (const size of [1, 512, stored.length, stored.length - 1, stored.length + 1, 65_536, 1 << 20]) {
          // Byte by byte only where it ends: the rest takes its time.
          const head = size < 512 ? whole.subarray(0, stored.length - 600) : Buffer.alloc(0)
          async function* body() {
            if (head.length > 0) yield head
            yield* chunked(whole.subarray(head.length), size)
          }
          let length = 0
          const reading = (async () => {
            for await (const chunk of decompress(body(), packer, {title: 'x'})) length += chunk.byteLength
          })()
          assert.equal(await outcome(reading), codeOf(answer, 'ARCHIVE_CORRUPT'), `chunks of ${size}`)
          if (answer === 'taken' || answer === 'twice')
            assert.equal(length, plain.length * (answer === 'twice' ? 2 : 1), `chunks of ${size}`)
        }
      })

      it(`is taken no further than ${packer} itself takes it: ${title}`, function () {
        requireTool(this, packer)
        const stored = packed(packer, plain)
        const run = spawnSync(packer, ['-dc'], {input: Buffer.concat([stored, tail(stored)]), maxBuffer: 2 ** 28})
        // What a tool drops silently or with a warning may be refused here; what it refuses must be.
        if (answer === 'taken' || answer === 'twice') assert.equal(run.status, 0, run.stderr.toString())
        if (answer === 'taken') assert.ok(run.stdout.equals(plain))
      })
    }

  /** An image whose one layer is stored as given. */
  function imageOf(stored: Buffer, suffix: string, parts: Parts, withManifestJson: boolean) {
    return tarOf(hybridMembers(parts, {stored: {layers: [stored], suffix}, withManifestJson}))
  }

  for (const packer of ['gzip', 'zstd'] as const)
    for (const {title, tail, answers} of TAILS.filter((each) => !each.title.includes('again'))) {
      const answer = answers[PACKERS.indexOf(packer)] ?? 'damaged'
      it(`has the same answer in every place, to verify and convert: ${title} behind a ${packer} layer is ${answer}`, async function () {
        requireTool(this, packer)
        const code = codeOf(answer, 'LAYER_CORRUPT')
        const parts = partsOf([plain], {os: 'linux'})
        const stored = packed(packer, plain)
        const whole = Buffer.concat([stored, tail(stored)])
        const file = path.join(folder.path, `image-${made++}.tar`)
        writeFileSync(file, await imageOf(whole, `+${packer}`, parts, true))
        const layoutFile = path.join(folder.path, `layout-${made++}.tar`)
        writeFileSync(layoutFile, await imageOf(whole, `+${packer}`, parts, false))
        const layout = path.join(folder.path, `layout-${made++}`)
        execFileSync('mkdir', ['-p', layout])
        execFileSync('tar', ['-xf', layoutFile, '-C', layout])
        const registry = await startMemoryRegistry()
        try {
          const pushed = `docker://${registry.host}/app:1`
          for (const [name, bytes] of hybridMembers(parts, {stored: {layers: [whole], suffix: `+${packer}`}})) {
            const digest = /^blobs\/sha256\/([0-9a-f]{64})$/.exec(name)?.[1]
            if (digest === undefined || (typeof bytes === 'object' && 'link' in bytes)) continue
            const body = Buffer.from(bytes)
            registry.blobs.set(`sha256:${digest}`, body)
            if (body.includes('"schemaVersion"'))
              registry.manifests.set('app:1', {type: 'application/vnd.oci.image.manifest.v1+json', bytes: body})
          }
          for (const reference of [`docker-archive:${file}`, `oci-archive:${layoutFile}`, `oci:${layout}`, pushed]) {
            const {faults} = await verify(reference)
            assert.deepEqual(
              [...new Set(faults.map((fault) => fault.code))],
              code === undefined ? [] : [code],
              reference,
            )
            const target = `docker-archive:${path.join(folder.path, `made-${made++}.tar`)}`
            const options = {compression: 'none', archiveFormat: 'docker'} as const
            assert.equal(await outcome(convert(reference, target, options)), code, reference)
          }
        } finally {
          await registry.stop()
        }
      }).timeout(60_000)
    }

  for (const packer of PACKERS)
    for (const {title, tail, answers} of TAILS.filter((each) => !each.title.includes('again'))) {
      const answer = answers[PACKERS.indexOf(packer)] ?? 'damaged'
      it(`has the same answer around a whole archive: ${title} behind ${packer} is ${answer}`, async function () {
        requireTool(this, packer)
        const parts = partsOf([plain], {os: 'linux'})
        const archive = await tarOf(hybridMembers(parts))
        const stored = packed(packer, archive)
        const file = path.join(folder.path, `packed-${made++}.tar`)
        writeFileSync(file, Buffer.concat([stored, tail(stored)]))
        const code = codeOf(answer, 'ARCHIVE_CORRUPT')
        const target = `docker-archive:${path.join(folder.path, `made-${made++}.tar`)}`
        assert.equal(await outcome(convert(`docker-archive:${file}`, target)), code)
        const checked = await verify(`docker-archive:${file}`).then(
          ({faults}) => faults[0]?.code,
          (error: unknown) => (error instanceof TransshipError ? error.code : 'other'),
        )
        assert.equal(checked, code)
      }).timeout(60_000)
    }

  it('is judged by gunzip of pigz as well, which takes zeros too', async function () {
    if (findTool('unpigz') === undefined) this.skip()
    const stored = packed('gzip', plain)
    const run = spawnSync('unpigz', ['-c'], {input: Buffer.concat([stored, Buffer.alloc(512)]), maxBuffer: 2 ** 28})
    assert.equal(run.status, 0)
    assert.ok((await collect(decompress(chunked(stored, 900), 'gzip', {title: 'x'}))).equals(run.stdout))
  })
})

describe("an archive that PowerShell's > has spoilt", () => {
  const folder = temporaryFolder()

  for (const [title, spoil] of [
    ['FF FE', (bytes: Buffer) => Buffer.from(`\ufeff${bytes.toString('latin1')}`, 'utf16le')],
    ['FE FF', (bytes: Buffer) => Buffer.from(`\ufeff${bytes.toString('latin1')}`, 'utf16le').swap16()],
    ['EF BB BF', (bytes: Buffer) => Buffer.from(`\ufeff${bytes.toString('utf8')}`)],
  ] as const)
    for (const isPacked of [false, true])
      it(`is told by ${title} in front${isPacked ? ' of gzip' : ''}, in a file, a pipe and without a transport`, async () => {
        const parts = partsOf([await tarOf([['etc/os', 'text']])], {os: 'linux'})
        const archive = await tarOf(hybridMembers(parts))
        const bytes = spoil(isPacked ? packed('gzip', archive) : archive)
        const file = path.join(folder.path, `${title.replaceAll(' ', '')}-${isPacked}.tar`)
        writeFileSync(file, bytes)
        for (const [reference, stdin] of [
          [`docker-archive:${file}`, undefined],
          [`oci-archive:${file}`, undefined],
          [file, undefined],
          ['docker-archive:-', bytes],
        ] as const) {
          const {code, stderr} = await runCli(['inspect', reference], stdin === undefined ? {} : {stdin})
          assert.equal(code, 3, stderr)
          assert.match(stderr, new RegExp(`PowerShell's > .*${title}.*docker save -o`, 's'))
        }
      }).timeout(60_000)

  it('is not seen in a text file that was never one', async () => {
    const file = path.join(folder.path, 'notes.txt')
    writeFileSync(file, Buffer.from('\ufeffnothing but text\r\n', 'utf16le'))
    const {code, stderr} = await runCli(['inspect', file])
    assert.equal(code, 2)
    assert.doesNotMatch(stderr, /PowerShell/)
  })
})
