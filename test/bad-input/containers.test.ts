import assert from 'node:assert/strict'
import {mkdirSync, writeFileSync} from 'node:fs'
import path from 'node:path'
import {crc32, deflateRawSync} from 'node:zlib'
import {
  encodeLocalHeader,
  encodeCentralEntry,
  encodeDescriptor,
  encodeEnd,
  type ZipEntry,
} from '../../src/codecs/zip/zip-records.js'
import {BLOCK_BYTES} from '../../src/codecs/appx/block-map.js'
import {hashBlock} from '../../src/codecs/appx/pack-blocks.js'
import {convert} from '../../src/convert/convert.js'
import {verify} from '../../src/convert/verify.js'
import {assertRefusal, lookAt} from '../helpers/refusals.js'
import {temporaryFolder} from '../helpers/temporary-folder.js'

/** A part of a container that is put together by hand, so that each can be wrong in its own way. */
interface Part {
  /** As stored. */
  readonly name: string
  readonly bytes: Buffer
  readonly deflated?: boolean
  /** Changes what the directory says of it. */
  readonly listed?: Partial<ZipEntry>
  /** Name in the block map; null = not listed there. */
  readonly mapped?: string | null
  readonly size?: number
}

const MANIFEST = `<Package xmlns="http://schemas.microsoft.com/appx/manifest/foundation/windows10"><Identity Name="Bad" Publisher="CN=Bad" Version="1.0.0.0"/></Package>`
const PAYLOAD: readonly Part[] = [
  {name: 'Files/a.txt', bytes: Buffer.from('a plain text')},
  {name: 'Hives/System_Delta', bytes: Buffer.from('regf')},
]

function blocksOf(part: Part): string {
  const list: string[] = []
  for (let at = 0; at < part.bytes.length; at += BLOCK_BYTES) {
    const block = part.bytes.subarray(at, at + BLOCK_BYTES)
    const size = part.deflated === true ? ` Size="${packed(block).length}"` : ''
    list.push(`<Block Hash="${hashBlock(block)}"${size}/>`)
  }
  return list.join('')
}

const packed = (block: Buffer) => deflateRawSync(block, {finishFlush: 3})

function bodyOf(part: Part): Buffer {
  if (part.deflated !== true) return part.bytes
  const blocks: Buffer[] = []
  for (let at = 0; at < part.bytes.length; at += BLOCK_BYTES)
    blocks.push(packed(part.bytes.subarray(at, at + BLOCK_BYTES)))
  return Buffer.concat([...blocks, Buffer.of(3, 0)])
}

function blockMapOf(parts: readonly Part[]): string {
  const files = parts
    .filter(({mapped}) => mapped !== null)
    .map((part) => {
      const name = part.mapped ?? decodeURIComponent(part.name).replaceAll('/', '\\')
      return `<File Name="${name}" Size="${part.size ?? part.bytes.length}" LfhSize="${30 + part.name.length}">${blocksOf(part)}</File>`
    })
  return `<BlockMap xmlns="http://schemas.microsoft.com/appx/2010/blockmap" HashMethod="http://www.w3.org/2001/04/xmlenc#sha256">${files.join('')}</BlockMap>`
}

interface Container {
  readonly parts?: readonly Part[]
  readonly manifest?: string
  readonly blockMap?: (text: string) => string
  /** Between the entries and the directory. */
  readonly hidden?: Buffer
  readonly behind?: Buffer
}

function containerOf({
  parts = PAYLOAD,
  manifest = MANIFEST,
  blockMap = (text) => text,
  hidden,
  behind,
}: Container): Buffer {
  const mapped = [...parts, {name: 'AppxManifest.xml', bytes: Buffer.from(manifest)}]
  const all: readonly Part[] = [
    ...mapped,
    {name: 'AppxBlockMap.xml', bytes: Buffer.from(blockMap(blockMapOf(mapped)))},
    {name: '[Content_Types].xml', bytes: Buffer.from('<Types/>')},
  ]
  const pieces: Buffer[] = []
  const central: Buffer[] = []
  let offset = 0
  const put = (bytes: Buffer) => {
    pieces.push(bytes)
    offset += bytes.length
  }
  for (const part of all) {
    const body = bodyOf(part)
    const entry: ZipEntry = {
      name: part.name,
      method: part.deflated === true ? 8 : 0,
      flags: 8,
      crc: crc32(part.bytes),
      packedBytes: body.length,
      sizeBytes: part.size ?? part.bytes.length,
      offset,
    }
    put(encodeLocalHeader(entry))
    put(body)
    put(encodeDescriptor(entry))
    central.push(encodeCentralEntry({...entry, ...part.listed}))
  }
  if (hidden !== undefined) put(hidden)
  const directory = Buffer.concat(central)
  const place = {entries: all.length, offset, sizeBytes: directory.length}
  return Buffer.concat([...pieces, directory, encodeEnd(place), behind ?? Buffer.alloc(0)])
}

function withPart(change: Partial<Part>): Container {
  return {parts: PAYLOAD.map((part, index) => (index === 0 ? {...part, ...change} : part))}
}

const added = (part: Part): Container => ({parts: [...PAYLOAD, part]})
const some = Buffer.from('some')

const ROWS: readonly {title: string; container: Container; code: string}[] = [
  ...[
    '../a',
    'Files/../../a',
    '/Files/a',
    'Files//a',
    'Files%5Ca',
    'Files%2F..%2Fa',
    'C%3A/a',
    'Files/a%00',
    'Files/a%0A',
    'Files/NUL.txt',
    'Files/a.',
    'Files/a%20',
    'Files/%FF',
    'Files/%4',
    'Files/_rels/x.rels',
    'AppxMetadata/other.xml',
  ].map((name) => ({
    title: `a part called ${name}`,
    container: added({name, bytes: some, mapped: 'x'}),
    code: 'NAME_UNSAFE',
  })),
  {title: 'a part twice', container: added({name: 'files/A.TXT', bytes: some}), code: 'DUPLICATE_ENTRY'},
  {title: 'a part in two spellings', container: added({name: 'Files/%61.txt', bytes: some}), code: 'DUPLICATE_ENTRY'},
  {title: 'a file as a folder', container: added({name: 'Files/a.txt/b', bytes: some}), code: 'NAME_COLLISION'},
  {
    title: 'a part that the block map does not list',
    container: withPart({mapped: null}),
    code: 'ARCHIVE_CONTRADICTORY',
  },
  {
    title: 'a block map that lists what is not there',
    container: {blockMap: (text) => text.replace('</BlockMap>', '<File Name="x" Size="0" LfhSize="31"/></BlockMap>')},
    code: 'ARCHIVE_CONTRADICTORY',
  },
  {
    title: 'a block map that lists a file twice',
    container: {blockMap: (text) => text.replace(/(<File .*?<\/File>)/, '$1$1')},
    code: 'MANIFEST_INVALID',
  },
  {
    title: 'an unknown hash method',
    container: {blockMap: (text) => text.replace('xmlenc#sha256', 'xmldsig#sha1')},
    code: 'MANIFEST_INVALID',
  },
  {
    title: 'a block map with a DTD',
    container: {blockMap: (text) => `<!DOCTYPE x [<!ENTITY a "b">]>${text}`},
    code: 'MANIFEST_INVALID',
  },
  {title: 'a block map that is cut', container: {blockMap: (text) => text.slice(0, -20)}, code: 'MANIFEST_INVALID'},
  {
    title: 'a manifest with entities that expand',
    container: {manifest: `<!DOCTYPE x [<!ENTITY a "b"><!ENTITY c "&a;&a;">]>${MANIFEST}`},
    code: 'MANIFEST_INVALID',
  },
  {title: 'a manifest of something else', container: {manifest: '<Bundle/>'}, code: 'MANIFEST_INVALID'},
  {
    title: 'a deflated part',
    container: withPart({mapped: 'Files\\a.txt', deflated: true, listed: {}}),
    code: 'OK',
  },
  {
    title: 'a hash of other bytes',
    container: {blockMap: (text) => text.replace(hashBlock(PAYLOAD[0]!.bytes), hashBlock(some))},
    code: 'DIGEST_MISMATCH',
  },
  {title: 'a size that is not the size', container: withPart({size: 5}), code: 'ARCHIVE_CONTRADICTORY|ARCHIVE_CORRUPT'},
  {
    title: 'a bomb that claims to be small',
    container: withPart({bytes: Buffer.alloc(65536), deflated: true, size: 100}),
    code: 'ARCHIVE_CORRUPT|ARCHIVE_CONTRADICTORY',
  },
  {
    title: 'a CRC in the directory that the header does not have',
    container: withPart({listed: {crc: 1}}),
    code: 'ARCHIVE_CONTRADICTORY',
  },
  {
    title: 'a name in the directory that the header does not have',
    container: withPart({listed: {name: 'Files/b.txt'}, mapped: 'Files\\b.txt'}),
    code: 'ARCHIVE_CONTRADICTORY',
  },
  {title: 'an encrypted part', container: withPart({listed: {flags: 9}}), code: 'ARCHIVE_CORRUPT'},
  {title: 'an unknown method', container: withPart({listed: {method: 12 as 8}}), code: 'ARCHIVE_CORRUPT'},
  {title: 'entries that overlap', container: withPart({listed: {offset: 1}}), code: 'ARCHIVE_CORRUPT'},
  {
    title: 'a part larger than the file',
    container: withPart({listed: {packedBytes: 2 ** 40}}),
    code: 'ARCHIVE_CORRUPT|ARCHIVE_TRUNCATED',
  },
  {
    title: 'something hidden in front of the directory',
    container: {hidden: some},
    code: 'ARCHIVE_CONTRADICTORY|ARCHIVE_CORRUPT',
  },
  {title: 'something behind its end', container: {behind: some}, code: 'ARCHIVE_TRUNCATED'},
]

describe('bad input: AppX containers', () => {
  const folder = temporaryFolder()
  let count = 0

  for (const {title, container, code} of ROWS)
    it(`${title}: ${code === 'OK' ? 'is read' : `is refused with ${code}, and nothing is written`}`, async () => {
      const place = path.join(folder.path, String(count++))
      mkdirSync(place)
      const file = path.join(place, 'bad.appx')
      writeFileSync(file, containerOf(container))
      const before = lookAt(place)
      const converting = convert(`appx:${file}`, `inbox:${place}/to`)
      if (code === 'OK') {
        await converting
        return
      }
      await assert.rejects(converting, (error) => {
        assertRefusal(error, {code, names: ['bad.appx']})
        return true
      })
      assert.deepEqual(lookAt(place), before)
      const faults = await verify(`appx:${file}`).then(
        (verdict) => verdict.faults.map((fault) => fault.code),
        (error: unknown) => [String(error)],
      )
      assert.notDeepEqual(faults, [])
    })
})
