import assert from 'node:assert/strict'
import {execFileSync} from 'node:child_process'
import {createHash} from 'node:crypto'
import {writeFileSync} from 'node:fs'
import path from 'node:path'
import fc from 'fast-check'
import {encodePackage, partOf, type AppxPart} from '../../../src/codecs/appx/encode-package.js'
import {PackageReader} from '../../../src/codecs/appx/package-reader.js'
import {encodePartName, findNameFault, findPartPath, MANIFEST} from '../../../src/codecs/appx/part-name.js'
import {verifyCanonical, verifyParts} from '../../../src/codecs/appx/verify-container.js'
import {byteSourceOf} from '../../../src/codecs/backup-stream/byte-source.js'
import {TransshipError} from '../../../src/model/errors.js'
import {collect} from '../../helpers/bytes.js'
import {FUZZ_RUNS} from '../../helpers/fuzz.js'
import {temporaryFolder} from '../../helpers/temporary-folder.js'
import {requireTool} from '../../helpers/tools.js'

function noise(length: number, seed = 1): Buffer {
  const bytes = Buffer.alloc(length)
  let state = seed
  for (let at = 0; at < length; at++) {
    state = (Math.imul(state, 1103515245) + 12345) >>> 0
    bytes[at] = state >>> 24
  }
  return bytes
}

const FILES: Readonly<Record<string, Buffer>> = {
  'Files/Users/hello world.txt': Buffer.from('hello word\r\n'),
  'Files/empty': Buffer.alloc(0),
  'Files/text.log': Buffer.from('the same line again and again\r\n'.repeat(9000)),
  'Files/noise.bin': noise(200_001),
  'Files/exact.bin': noise(131_072, 7),
  'Files/म/Müller & Söhne (1)+#.dll': noise(70_000, 3),
  'Files/photo.PNG': noise(66_000, 5),
  'Files/Folder.$wcidirs$': Buffer.alloc(24),
  'Assets/logo.png': Buffer.from('png'),
}
const parts = (): AppxPart[] => Object.entries(FILES).map(([name, bytes]) => partOf(name, bytes))

async function encoded(list: Iterable<AppxPart>, options: {level?: number; concurrency?: number} = {}) {
  let digest = ''
  const manifest = (found: string) => {
    digest = found
    return Buffer.from(`<Package digest="${found}"/>`)
  }
  const bytes = await collect(encodePackage(list, {...options, manifest}))
  return {bytes, digest}
}

/** Everything that `verify` finds in a container. */
async function faultsOf(bytes: Buffer, digest: string): Promise<string[]> {
  const faults: string[] = []
  const zip = byteSourceOf(bytes)
  const options = {title: 'x.appx', report: (fault: TransshipError) => faults.push(fault.code)}
  try {
    const reader = await PackageReader.open(zip, 'x.appx')
    await verifyParts(reader, zip, options)
    verifyCanonical(reader, zip, {...options, containerDigest: digest})
  } catch (error) {
    assert.ok(error instanceof TransshipError, String(error))
    faults.push(error.code)
  }
  return faults
}

describe('an AppX container', () => {
  const folder = temporaryFolder()

  it('gives back every part, by blocks and by ranges', async () => {
    const {bytes, digest} = await encoded(parts())
    assert.deepEqual(await faultsOf(bytes, digest), [])
    const reader = await PackageReader.open(byteSourceOf(bytes), 'x.appx')
    for (const [name, expected] of Object.entries(FILES)) {
      const part = reader.part(name)!
      const data = reader.dataOf(part)
      assert.deepEqual(await collect(reader.blocks(part, data, 0)), expected, name)
      for (const [from, length] of [
        [0, expected.length],
        [Math.floor(expected.length / 3), Math.floor(expected.length / 2)],
      ] as const) {
        const range = Buffer.alloc(length)
        reader.read(part, data, from, range)
        assert.deepEqual(range, expected.subarray(from, from + length), name)
      }
    }
  })

  it('has the bytes that the format page gives for its example', async () => {
    const {bytes} = await encoded([partOf('Files/Users/hello world.txt', Buffer.from('hello word\r\n'))])
    const {bytes: example} = await encoded(
      [partOf('Files/Users/hello world.txt', Buffer.from('68656c6c6f20776f726c640d0a', 'hex'))],
      {level: 9},
    )
    assert.ok(bytes.length > 0)
    const text = example.toString('latin1')
    assert.match(text, /Files\/Users\/hello%20world\.txt/)
    assert.match(text, /Name="Files\\Users\\hello world\.txt" Size="13" LfhSize="59"/)
    assert.match(text, /Hash="VyqV\/unA8yADB4nkiDcHr\/4SSC\+7HqBLPqgmfIeokPs=" Size="19"/)
    assert.ok(example.includes(Buffer.from('ca48cdc9c95728cf2fca49e1e502000000ffff0300504b0708', 'hex')))
  })

  it('is the same bytes at every concurrency', async () => {
    const [one, two, many] = [
      await encoded(parts(), {concurrency: 1}),
      await encoded(parts(), {concurrency: 2}),
      await encoded(parts(), {concurrency: 9}),
    ]
    assert.ok(one.bytes.equals(two.bytes) && one.bytes.equals(many.bytes))
  })

  it('is sound whatever it holds', async function () {
    this.timeout(0)
    const name = fc
      .string({unit: 'binary', minLength: 1, maxLength: 12})
      .filter((text) => findNameFault(text) === undefined)
    await fc.assert(
      fc.asyncProperty(
        fc.uniqueArray(fc.tuple(name, fc.integer({min: 0, max: 140_000}), fc.integer()), {
          selector: ([text]) => text.toUpperCase(),
          maxLength: 4,
        }),
        fc.integer({min: 0, max: 9}),
        async (files, level) => {
          const list = files.map(([text, length, seed]) =>
            partOf(`Files/${text.replaceAll('/', '_')}`, noise(length, seed)),
          )
          if (new Set(list.map((part) => part.path)).size !== list.length) return
          const {bytes, digest} = await encoded(list, {level})
          assert.deepEqual(await faultsOf(bytes, digest), [])
        },
      ),
      {numRuns: Math.ceil(FUZZ_RUNS / 5)},
    )
  })

  it('decodes names as it encodes them', () => {
    fc.assert(
      fc.property(fc.string({unit: 'binary', minLength: 1}), (text) => {
        if (findNameFault(text) === undefined) assert.equal(findPartPath(encodePartName(text)), text)
      }),
      {numRuns: FUZZ_RUNS},
    )
  })

  it('shows a flip of every byte', async function () {
    this.timeout(0)
    const {bytes, digest} = await encoded([
      partOf('Files/a b.txt', Buffer.from('some text, some text')),
      partOf('Files/none', Buffer.alloc(0)),
      partOf('x.png', Buffer.from('png')),
    ])
    for (let at = 0; at < bytes.length; at++) {
      for (const mask of [0x01, 0x80, 0xff]) {
        const flipped = Buffer.from(bytes)
        flipped[at] = flipped[at]! ^ mask
        const stated = /sha256:[0-9a-f]{64}/.exec(flipped.toString('latin1'))?.[0] ?? digest
        assert.notDeepEqual(await faultsOf(flipped, stated), [], `byte ${at} ^ ${mask}`)
      }
    }
  })

  it('is refused when it is cut anywhere', async function () {
    this.timeout(0)
    const {bytes} = await encoded([partOf('Files/a', Buffer.from('some text'))])
    for (let length = 0; length < bytes.length; length++)
      await assert.rejects(
        PackageReader.open(byteSourceOf(bytes.subarray(0, length)), 'x'),
        TransshipError,
        String(length),
      )
  })

  it('is taken by unzip and Python, and by a block map check of another hand', async function () {
    this.timeout(60_000)
    requireTool(this, 'unzip')
    requireTool(this, 'python3')
    const file = path.join(folder.path, 'x.appx')
    writeFileSync(file, (await encoded(parts())).bytes)
    execFileSync('unzip', ['-tqq', file])
    const told = execFileSync('python3', [path.resolve('test/codecs/appx/check-block-map.py'), file]).toString()
    const found = JSON.parse(told) as Record<string, string>
    for (const [name, bytes] of Object.entries(FILES))
      assert.equal(found[name], createHash('sha256').update(bytes).digest('hex'), name)
    assert.ok(MANIFEST in found)
  })
})
