import fc from 'fast-check'
import {SPARSE_FORMS, sparseMember, type RawSparse} from './raw-tar.js'
import {anyDescriptor} from './security-descriptors.js'

/*
 * Layer tars in every dialect that a reader meets, made byte by byte here and not by the code under test: v7, ustar, GNU
 * and PAX headers, odd numbers, unknown keys, garbage in padding, blocks behind the end.
 */

const BLOCK = 512

/** How one header is spelt. */
interface Spelling {
  readonly dialect: 'v7' | 'ustar' | 'gnu' | 'pax'
  readonly mode: number
  readonly uid: number
  readonly uname: string
  readonly numbers: 'zeros' | 'spaces' | 'base256'
  readonly seconds: number
  /** Text of PAX times; undefined = none. */
  readonly fraction: string | undefined
  readonly extra: readonly (readonly [string, string])[]
  readonly trailingSlash: boolean
  readonly dot: boolean
  /** Windows keys as Microsoft writes them; without, the reader's defaults hold. */
  readonly attributes: number | undefined
  readonly descriptor: Uint8Array | undefined
  readonly padding: number
}

const spelling: fc.Arbitrary<Spelling> = fc.record({
  dialect: fc.constantFrom('v7', 'ustar', 'gnu', 'pax', 'pax', 'pax'),
  mode: fc.constantFrom(0, 0o644, 0o755, 0o100644, 0o40755, 0o100000, 0o40000),
  uid: fc.constantFrom(0, 1000, 0o7777777),
  uname: fc.constantFrom('', 'root', 'ContainerAdministrator'),
  numbers: fc.constantFrom('zeros', 'zeros', 'spaces', 'base256'),
  seconds: fc.oneof(fc.constant(0), fc.integer({min: 0, max: 2 ** 33 - 1})),
  fraction: fc.option(fc.constantFrom('5', '1234567', '123456789', '000000001', '50000000'), {nil: undefined}),
  extra: fc.array(
    fc.tuple(
      fc.constantFrom('comment', 'SCHILY.xattr.user.x', 'vendor.key', 'LIBARCHIVE.unknown'),
      fc.constantFrom('', 'a', 'ü b', 'x'.repeat(90)),
    ),
    {maxLength: 2},
  ),
  trailingSlash: fc.boolean(),
  dot: fc.boolean(),
  attributes: fc.option(fc.constantFrom(0x20, 0x21, 0x2020, 0x80), {nil: undefined}),
  descriptor: fc.option(anyDescriptor, {nil: undefined}),
  padding: fc.constantFrom(0, 0, 0, 0x41),
})

type OddEntry =
  | {readonly kind: 'directory'; readonly folder: number; readonly spelling: Spelling}
  | {
      readonly kind: 'file'
      readonly folder: number
      readonly name: string
      readonly body: Uint8Array
      readonly streams: readonly (readonly [string, Uint8Array])[]
      readonly spelling: Spelling
    }
  | {readonly kind: 'hard-link'; readonly folder: number; readonly name: string; readonly spelling: Spelling}
  | {
      readonly kind: 'symlink'
      readonly folder: number
      readonly name: string
      readonly target: string
      readonly junction: boolean
      readonly spelling: Spelling
    }
  | {readonly kind: 'whiteout'; readonly folder: number; readonly name: string; readonly spelling: Spelling}
  | {readonly kind: 'opaque'; readonly folder: number; readonly spelling: Spelling}
  | {
      readonly kind: 'sparse'
      readonly folder: number
      readonly form: (typeof SPARSE_FORMS)[number]
      readonly parts: readonly (readonly [hole: number, bytes: Uint8Array])[]
      readonly tail: number
    }
  | {readonly kind: 'global'; readonly comment: string}

const FOLDERS = [
  '',
  'Windows',
  'Windows/System32',
  'Ünï',
  'a b/c d',
  `${'long-name-'.repeat(9)}/${'deeper-'.repeat(12)}x`,
]
const NAMES = ['a.txt', 'B.dll', 'ö 日本 😀.txt', 'x'.repeat(120), 'no extension', 'q.$', 'c;d', '-dash']
const folder = fc.nat({max: FOLDERS.length - 1})
const name = fc.constantFrom(...NAMES)
const body = fc.oneof(
  fc.constant(new Uint8Array(0)),
  fc.uint8Array({maxLength: 40}),
  fc.uint8Array({minLength: 500, maxLength: 1100}),
)

const entry: fc.Arbitrary<OddEntry> = fc.oneof(
  fc.record({kind: fc.constant('directory' as const), folder, spelling}),
  fc.record({
    kind: fc.constant('file' as const),
    folder,
    name,
    body,
    streams: fc.uniqueArray(fc.tuple(fc.constantFrom('Zone.Identifier', 's', 'ü'), body), {
      maxLength: 2,
      selector: ([stream]) => stream,
    }),
    spelling,
  }),
  fc.record({kind: fc.constant('hard-link' as const), folder, name, spelling}),
  fc.record({
    kind: fc.constant('symlink' as const),
    folder,
    name,
    target: fc.constantFrom('C:\\dir', '..\\x', 'plain', '/unix/style', '\\\\?\\Volume{1}\\', '../up'),
    junction: fc.boolean(),
    spelling,
  }),
  fc.record({kind: fc.constant('whiteout' as const), folder, name, spelling}),
  fc.record({kind: fc.constant('opaque' as const), folder, spelling}),
  fc.record({
    kind: fc.constant('sparse' as const),
    folder,
    form: fc.constantFrom(...SPARSE_FORMS),
    // Below and above the size from which a carrier keeps holes.
    parts: fc.array(
      fc.tuple(fc.constantFrom(0, 512, 70_000, 2_000_000), fc.uint8Array({minLength: 1, maxLength: 600})),
      {
        maxLength: 6,
      },
    ),
    tail: fc.constantFrom(0, 1, 4096, 1_500_000),
  }),
  fc.record({kind: fc.constant('global' as const), comment: fc.constantFrom('a', 'long '.repeat(30))}),
)

function putNumber(block: Buffer, offset: number, length: number, value: number, numbers: Spelling['numbers']): void {
  if (numbers === 'base256' || value >= 8 ** (length - 1)) {
    block.writeBigUInt64BE(BigInt(value), offset + length - 8)
    block[offset] = (block[offset] ?? 0) | 0x80
  } else if (numbers === 'spaces') block.write(`${value.toString(8).padStart(length - 2, ' ')} \0`, offset, 'latin1')
  else block.write(`${value.toString(8).padStart(length - 1, '0')}\0`, offset, 'latin1')
}

interface Header {
  readonly name: string
  readonly type: string
  readonly size: number
  readonly linkname?: string
  readonly spelling: Spelling
}

function headerBlock({name, type, size, linkname = '', spelling: how}: Header): Buffer {
  const block = Buffer.alloc(BLOCK)
  Buffer.from(name).copy(block, 0, 0, 100)
  putNumber(block, 100, 8, how.mode, how.numbers === 'base256' ? 'zeros' : how.numbers)
  putNumber(block, 108, 8, how.uid, how.numbers)
  putNumber(block, 116, 8, 0, 'zeros')
  putNumber(block, 124, 12, size, how.numbers)
  putNumber(block, 136, 12, how.seconds, 'zeros')
  block.write(type, 156, 'latin1')
  Buffer.from(linkname).copy(block, 157, 0, 100)
  if (how.dialect !== 'v7') {
    block.write(how.dialect === 'gnu' ? 'ustar  \0' : 'ustar\x0000', 257, 'latin1')
    block.write(how.uname, 265, 'latin1')
  }
  block.fill(' ', 148, 156)
  const sum = block.reduce((total, byte) => total + byte, 0)
  block.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148, 'latin1')
  return block
}

function padded(bytes: Uint8Array, filler: number): Buffer {
  const rest = (BLOCK - (bytes.byteLength % BLOCK)) % BLOCK
  return Buffer.concat([bytes, Buffer.alloc(rest, filler)])
}

function paxRecord(key: string, value: string): string {
  const size = Buffer.byteLength(` ${key}=${value}\n`)
  let total = size + String(size).length
  if (String(total).length !== String(size).length) total = size + String(total).length
  return `${total} ${key}=${value}\n`
}

function member(header: Header, content: Uint8Array, records: readonly (readonly [string, string])[]): Buffer {
  const {spelling: how} = header
  const parts: Buffer[] = []
  const isLong = Buffer.byteLength(header.name) > 100
  const isLongLink = Buffer.byteLength(header.linkname ?? '') > 100
  const plain = {...how, numbers: 'zeros', mode: 0, uid: 0, seconds: 0} as const
  if (how.dialect === 'pax') {
    const own: [string, string][] = [...records.map(([key, value]): [string, string] => [key, value])]
    if (isLong) own.push(['path', header.name])
    if (isLongLink) own.push(['linkpath', header.linkname ?? ''])
    const text = Buffer.from(own.map(([key, value]) => paxRecord(key, value)).join(''))
    if (text.byteLength > 0)
      parts.push(
        headerBlock({name: 'PaxHeaders/x', type: 'x', size: text.byteLength, spelling: plain}),
        padded(text, 0),
      )
  } else {
    for (const [type, value] of [
      ['L', isLong ? header.name : ''],
      ['K', isLongLink ? (header.linkname ?? '') : ''],
    ] as const) {
      if (value === '') continue
      const text = Buffer.from(`${value}\0`)
      const spelt = {...plain, dialect: 'gnu'} as const
      parts.push(headerBlock({name: '././@LongLink', type, size: text.byteLength, spelling: spelt}), padded(text, 0))
    }
  }
  parts.push(headerBlock(header), padded(content, how.padding))
  return Buffer.concat(parts)
}

/** Lays entries out as a tar that a Windows layer may be: names once, links to files that came before. */
function layOut(entries: readonly OddEntry[], withRoots: boolean, endBlocks: number, tail: number): Buffer {
  const parts: Buffer[] = []
  const seen = new Set<string>()
  const files: string[] = []
  const take = (path: string) => {
    const folded = path.toUpperCase()
    if (seen.has(folded)) return false
    seen.add(folded)
    return true
  }
  const root = {
    ...fc.sample(spelling, {numRuns: 1, seed: 1})[0]!,
    dialect: 'ustar',
    padding: 0,
    dot: false,
    trailingSlash: false,
  } as const
  if (withRoots)
    for (const top of ['Files', 'Hives']) {
      take(top)
      parts.push(member({name: top, type: '5', size: 0, spelling: root}, new Uint8Array(0), []))
    }
  for (const odd of entries) {
    if (odd.kind === 'global') {
      const text = Buffer.from(paxRecord('comment', odd.comment))
      parts.push(
        headerBlock({name: 'pax_global_header', type: 'g', size: text.byteLength, spelling: root}),
        padded(text, 0),
      )
      continue
    }
    if (odd.kind === 'sparse') {
      const path = `Files/sparse-${odd.form}-${odd.folder}`
      if (take(path)) parts.push(sparseMember(odd.form, laidOut(path, odd.parts, odd.tail)))
      continue
    }
    const how = odd.spelling
    const below = FOLDERS[odd.folder] === '' ? 'Files' : `Files/${FOLDERS[odd.folder]!}`
    const dot = how.dot ? './' : ''
    const records = recordsOf(how, odd.kind)
    switch (odd.kind) {
      case 'directory':
        if (below === 'Files' || !take(below)) break
        parts.push(
          member(
            {
              name: `${dot}${below}${how.trailingSlash ? '/' : ''}`,
              // Where the name tells, the type need not: so v7 has it.
              type: how.trailingSlash ? (how.dialect === 'v7' ? '\0' : how.mode === 0 ? '0' : '5') : '5',
              size: 0,
              spelling: how,
            },
            new Uint8Array(0),
            records,
          ),
        )
        break
      case 'file': {
        const path = `${below}/${odd.name}`
        if (!take(path)) break
        files.push(path)
        const type = how.dialect === 'v7' ? '\0' : '0'
        parts.push(member({name: `${dot}${path}`, type, size: odd.body.byteLength, spelling: how}, odd.body, records))
        for (const [stream, bytes] of odd.streams)
          parts.push(
            member({name: `${dot}${path}:${stream}`, type: '0', size: bytes.byteLength, spelling: how}, bytes, []),
          )
        break
      }
      case 'hard-link': {
        const path = `${below}/${odd.name}`
        const target = files.at(-1)
        if (target === undefined || !take(path)) break
        parts.push(
          member({name: path, type: '1', size: 0, linkname: target, spelling: how}, new Uint8Array(0), records),
        )
        break
      }
      case 'symlink': {
        const path = `${below}/${odd.name}`
        if (!take(path)) break
        const more: [string, string][] = odd.junction ? [['MSWINDOWS.mountpoint', '1']] : []
        parts.push(
          member({name: path, type: '2', size: 0, linkname: odd.target, spelling: how}, new Uint8Array(0), [
            ...records,
            ...more,
          ]),
        )
        break
      }
      case 'whiteout':
      case 'opaque': {
        const base = odd.kind === 'opaque' ? '.wh..wh..opq' : `.wh.${odd.name}`
        const path = `${below}/${base}`
        if (!take(path)) break
        parts.push(member({name: `${dot}${path}`, type: '0', size: 0, spelling: how}, new Uint8Array(0), []))
      }
    }
  }
  return Buffer.concat([...parts, Buffer.alloc(endBlocks * BLOCK), Buffer.alloc(tail, 0x20)])
}

function laidOut(name: string, parts: readonly (readonly [number, Uint8Array])[], tail: number): RawSparse {
  let at = 0
  const ranges = parts.map(([hole, bytes]): [number, Uint8Array] => {
    const offset = at + hole
    at = offset + bytes.byteLength
    return [offset, bytes]
  })
  return {name, size: at + tail, ranges}
}

function recordsOf(how: Spelling, kind: OddEntry['kind']): [string, string][] {
  const records: [string, string][] = []
  if (how.attributes !== undefined) {
    const attributes = kind === 'directory' ? 0x10 : how.attributes
    records.push(['MSWINDOWS.fileattr', String(attributes)])
  }
  if (how.descriptor !== undefined && kind !== 'hard-link')
    records.push(['MSWINDOWS.rawsd', Buffer.from(how.descriptor).toString('base64')])
  if (how.fraction !== undefined) {
    records.push(['LIBARCHIVE.creationtime', `${how.seconds}.${how.fraction}`])
    records.push(['atime', `-${how.seconds % 1000}.${how.fraction}`], ['mtime', `${how.seconds}.${how.fraction}`])
  }
  for (const [key, value] of how.extra) records.push([key, value])
  return records
}

/** Arbitrary legal layer tars. */
export const oddTar: fc.Arbitrary<Buffer> = fc
  .tuple(
    fc.array(entry, {maxLength: 12}),
    fc.boolean(),
    fc.constantFrom(2, 2, 3, 18),
    fc.constantFrom(0, 0, 0, 512, 700),
  )
  .map(([entries, withRoots, endBlocks, tail]) =>
    // A failure is to show what was laid out, not thousands of bytes.
    Object.assign(layOut(entries, withRoots, endBlocks, tail), {
      [fc.toStringMethod]: () => fc.stringify({entries, withRoots, endBlocks, tail}),
    }),
  )
