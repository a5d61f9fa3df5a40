import assert from 'node:assert/strict'
import {readFileSync, writeFileSync} from 'node:fs'
import path from 'node:path'
import {gunzipSync} from 'node:zlib'
import {TransshipError} from '../../../src/model/errors.js'
import {dockerArchive} from '../../../src/transports/docker-archive/docker-archive.js'
import {
  classicMembers,
  hybridMembers,
  partsOf,
  sha256,
  tarOf,
  v1Members,
  type Member,
  type Parts,
} from '../../helpers/archives.js'
import {temporaryFolder} from '../../helpers/temporary-folder.js'

const BASIC = gunzipSync(readFileSync('test/vectors/basic/layer.tar.gz'))
const LINKS = gunzipSync(readFileSync('test/vectors/reparse-tombstones/layer.tar.gz'))
const PARTS = partsOf([BASIC, LINKS])

function flipped(bytes: Buffer, at: number): Buffer {
  const copy = Buffer.from(bytes)
  copy[at] = copy[at]! ^ 0x40
  return copy
}

/** The members with the body of one replaced. */
function replaced(members: readonly Member[], wanted: (name: string) => boolean, body: Buffer | string): Member[] {
  return members.map(([name, old]): Member => [name, wanted(name) ? body : old])
}

function withManifest(members: readonly Member[], change: (items: Record<string, unknown>[]) => unknown): Member[] {
  return members.map(([name, body]): Member =>
    name === 'manifest.json'
      ? [name, JSON.stringify(change(JSON.parse(body as string) as Record<string, unknown>[]))]
      : [name, body],
  )
}

interface Row {
  readonly title: string
  readonly members: readonly Member[]
  /** What `open` throws; undefined = only reading the layers shows it. */
  readonly open?: string
  /** What `verify` finds, each at least once. */
  readonly faults: readonly string[]
}

const classic = classicMembers(PARTS)
const hybrid = hybridMembers(PARTS)
const isBlob = (text: Buffer | string) => (name: string) => name === `blobs/sha256/${sha256(text)}`
/** Behind the header of a layer's first member, so that its tar stays a tar. */
const swapped: Parts = {...PARTS, layers: [LINKS, BASIC]}

const ROWS: readonly Row[] = [
  {
    title: 'two layers that are not what their diffIDs say',
    members: classicMembers(swapped),
    faults: ['DIGEST_MISMATCH'],
  },
  {
    title: 'a blob changed at its end and a stray blob that is not what its name says',
    members: [
      ...replaced(hybrid, isBlob(LINKS), flipped(LINKS, LINKS.length - 1)),
      [`blobs/sha256/${'a'.repeat(64)}`, 'stray'],
    ],
    faults: ['DIGEST_MISMATCH'],
  },
  {
    title: 'a blob that is shorter than stated',
    members: replaced(hybrid, isBlob(LINKS), LINKS.subarray(0, 1024)),
    faults: ['SIZE_MISMATCH'],
  },
  {
    title: 'a configuration that is not what its name says',
    members: replaced(classic, (name) => name.endsWith('.json') && name.length > 60, `${PARTS.config} `),
    open: 'DIGEST_MISMATCH',
    faults: ['DIGEST_MISMATCH'],
  },
  {
    title: 'a configuration that is missing',
    members: withManifest(classic, (items) => items.map((item) => ({...item, Config: 'nowhere.json'}))),
    open: 'CONFIG_MISSING',
    faults: ['CONFIG_MISSING'],
  },
  {
    title: 'a layer that is missing',
    // --base may supply it, so opening alone is no fault; bad-input holds that no conversion goes on without it.
    members: classic.filter(([, body]) => body !== LINKS),
    faults: ['LAYER_MISSING'],
  },
  {
    title: 'a layer path that leads out of the archive',
    members: withManifest(classic, (items) =>
      items.map((item) => ({...item, Layers: ['../../etc/passwd', '/etc/passwd']})),
    ),
    open: 'NAME_UNSAFE',
    faults: ['NAME_UNSAFE'],
  },
  {
    title: 'fewer layers than diffIDs',
    members: withManifest(classic, (items) => items.map((item) => ({...item, Layers: []}))),
    open: 'ARCHIVE_CONTRADICTORY',
    faults: ['ARCHIVE_CONTRADICTORY'],
  },
  {
    title: 'a manifest.json that is null',
    members: withManifest(classic, () => null),
    open: 'MANIFEST_INVALID',
    faults: ['MANIFEST_INVALID'],
  },
  {
    title: 'a manifest.json that is no JSON',
    members: replaced(classic, (name) => name === 'manifest.json', '[{'),
    open: 'MANIFEST_INVALID',
    faults: ['MANIFEST_INVALID'],
  },
  {
    title: 'a manifest.json larger than any',
    members: replaced(classic, (name) => name === 'manifest.json', Buffer.alloc(21 * 2 ** 20, ' ')),
    open: 'LIMIT_EXCEEDED',
    faults: ['LIMIT_EXCEEDED'],
  },
  {
    title: 'layers whose links lead in a circle',
    members: withManifest([...classic, ['a', {link: 'b'}], ['b', {link: 'a'}]], (items) =>
      items.map((item) => ({...item, Layers: ['a', 'b']})),
    ),
    open: 'ARCHIVE_CORRUPT',
    faults: ['ARCHIVE_CORRUPT'],
  },
  {
    title: 'v1 layers whose parents lead in a circle',
    members: replaced(
      v1Members(PARTS),
      (name) => name.endsWith(`${sha256('v1 0')}/json`),
      JSON.stringify({parent: sha256('v1 1')}),
    ),
    open: 'ARCHIVE_CORRUPT',
    faults: ['ARCHIVE_CORRUPT'],
  },
  {
    title: 'a v1 parent that is a path',
    members: replaced(
      v1Members(PARTS),
      (name) => name.endsWith(`${sha256('v1 0')}/json`),
      JSON.stringify({parent: '../x'}),
    ),
    open: 'LAYER_MISSING',
    faults: ['LAYER_MISSING'],
  },
  {
    title: 'a member that is there twice, and one whose name leads out',
    members: [...hybrid, ['index.json', hybrid.find(([name]) => name === 'index.json')![1]], ['../out', 'x']],
    faults: ['DUPLICATE_ENTRY', 'NAME_UNSAFE'],
  },
  {
    title: 'a manifest blob that is an index as well',
    members: hybrid.map(([name, body]): Member => {
      if (name !== 'index.json') return [name, body]
      return [name, (body as string).replace('{', '{"layers":[],')]
    }),
    open: 'MANIFEST_INVALID',
    faults: ['MANIFEST_INVALID'],
  },
]

describe('damaged and hostile docker archives', () => {
  const folder = temporaryFolder()

  function fileOf(bytes: Buffer): string {
    const file = path.join(folder.path, 'archive.tar')
    writeFileSync(file, bytes)
    return file
  }

  for (const {title, members, open, faults} of ROWS) {
    it(`are refused and all their faults told: ${title}`, async () => {
      const reference = dockerArchive.parse(fileOf(await tarOf(members)))
      if (open !== undefined) await assert.rejects(dockerArchive.open(reference, {}), {code: open})
      const verdict = await dockerArchive.verify(reference, {})
      const found = new Set(verdict.faults.map((fault) => fault.code))
      for (const fault of faults) assert.ok(found.has(fault), `${fault} is not among ${[...found].join(', ')}`)
    })
  }

  it('tell all faults, not the first', async () => {
    const [first, second, ...rest] = classicMembers(swapped)
    const verdict = await dockerArchive.verify(dockerArchive.parse(fileOf(await tarOf([first!, second!, ...rest]))), {})
    assert.equal(verdict.faults.filter((fault) => fault.code === 'DIGEST_MISMATCH').length, 2)
    assert.equal(verdict.layers.length, 2)
  })

  it('cannot poison prototypes', async () => {
    const members = withManifest(classic, (items) => items).map(([name, body]): Member => {
      const text = name === 'manifest.json' ? (body as string).replace('{', '{"__proto__":{"polluted":1},') : body
      return [name, text]
    })
    const image = await dockerArchive.open(dockerArchive.parse(fileOf(await tarOf(members))), {})
    await image.close()
    assert.equal(({} as {polluted?: number}).polluted, undefined)
  })

  it('are refused by a code wherever they are cut', async () => {
    const tar = await tarOf(hybridMembers(partsOf([LINKS])))
    for (let length = 0; length < tar.length; length += length < 4096 ? 97 : 4099) {
      const reference = dockerArchive.parse(fileOf(tar.subarray(0, length)))
      await assert.rejects(
        dockerArchive.open(reference, {}),
        (error) => error instanceof TransshipError && ['ARCHIVE_TRUNCATED', 'ARCHIVE_CORRUPT'].includes(error.code),
        `cut at ${length}`,
      )
    }
  })
})

describe('references of docker-archive', () => {
  for (const [text, file, selector, note] of [
    ['C:\\img.tar', 'C:\\img.tar', undefined, 'a drive letter is not a tag'],
    ['C:/img.tar:app:1', 'C:/img.tar', 'app:1', 'a drive letter and a tag'],
    ['/img.tar:app:1', '/img.tar', 'app:1', 'a tag keeps its own colon'],
    ['img.tar:@2', 'img.tar', '@2', 'an index'],
    ['img.tar:reg.example:5000/a/b:1', 'img.tar', 'reg.example:5000/a/b:1', 'a port keeps its colon'],
    ['-', '-', undefined, 'a pipe'],
  ] as const)
    it(`are parsed and formatted back: ${text}, ${note}`, () => {
      const reference = dockerArchive.parse(text)
      assert.deepEqual([reference.path, reference.selector], [file, selector])
      assert.equal(dockerArchive.format(reference), `docker-archive:${text}`)
    })

  for (const text of ['', ':app:1', 'img.tar:', 'img.tar:@x', 'img.tar:UPPER:1', 'img.tar:a@sha256:0'])
    it(`are refused where they make no sense: '${text}'`, () => {
      assert.throws(() => dockerArchive.parse(text), {code: 'BAD_REFERENCE'})
    })
})
