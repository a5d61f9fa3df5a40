/*
 * Tar members spelt field by field, made here and not by the code under test: for dialects and for what no writer should
 * write. Source: POSIX ustar; GNU tar manual, "Basic Tar Format" and "Storing Sparse Files".
 */

const BLOCK = 512

export interface RawHeader {
  readonly name: string | Uint8Array
  readonly type?: string
  readonly size?: number
  readonly linkname?: string | Uint8Array
  /** `ustar` by default; `v7` has no magic. */
  readonly format?: 'ustar' | 'gnu' | 'v7' | 'star'
  /** Bytes put at these offsets before the checksum is made. */
  readonly patch?: Readonly<Record<number, string | Uint8Array>>
}

const MAGIC = {ustar: 'ustar\x0000', star: 'ustar\x0000', gnu: 'ustar  \0', v7: ''} as const

/** One header block. */
export function rawHeader(header: RawHeader): Buffer {
  const {name, type = '0', size = 0, linkname = '', format = 'ustar', patch = {}} = header
  const block = Buffer.alloc(BLOCK)
  Buffer.from(name).copy(block, 0, 0, 100)
  block.write('0000644\0', 100, 'latin1')
  block.write('0000000\0', 108, 'latin1')
  block.write('0000000\0', 116, 'latin1')
  block.write(`${size.toString(8).padStart(11, '0')}\0`, 124, 'latin1')
  block.write('00000000000\0', 136, 'latin1')
  block.write(type, 156, 'latin1')
  Buffer.from(linkname).copy(block, 157, 0, 100)
  block.write(MAGIC[format], 257, 'latin1')
  if (format === 'star') block.write('tar\0', 508, 'latin1')
  for (const [offset, bytes] of Object.entries(patch)) Buffer.from(bytes).copy(block, Number(offset))
  block.fill(' ', 148, 156)
  const sum = block.reduce((total, byte) => total + byte, 0)
  block.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148, 'latin1')
  return block
}

/** Zeros up to the next block. */
export function inBlocks(bytes: Uint8Array): Buffer {
  return Buffer.concat([bytes, Buffer.alloc((BLOCK - (bytes.byteLength % BLOCK)) % BLOCK)])
}

/** A member with its body; its size field is that of the body unless it is given. */
export function rawMember(header: RawHeader, body: string | Uint8Array = ''): Buffer {
  const bytes = Buffer.from(body)
  return Buffer.concat([rawHeader({size: bytes.byteLength, ...header}), inBlocks(bytes)])
}

/** Records of one PAX header, in this order, keys as often as they come. */
export function paxText(records: readonly (readonly [string, string | Uint8Array])[]): Buffer {
  return Buffer.concat(
    records.map(([key, value]) => {
      const rest = Buffer.concat([Buffer.from(` ${key}=`), Buffer.from(value), Buffer.from('\n')])
      let length = rest.byteLength + String(rest.byteLength).length
      if (String(length).length !== String(rest.byteLength).length) length = rest.byteLength + String(length).length
      return Buffer.concat([Buffer.from(String(length)), rest])
    }),
  )
}

/** A PAX member: `x` for the next one, `g` for all that follow. */
export function paxMember(records: readonly (readonly [string, string | Uint8Array])[], type: 'x' | 'g' = 'x'): Buffer {
  return rawMember({name: 'PaxHeaders/x', type}, paxText(records))
}

/** A GNU long name (`L`) or long link target (`K`). */
export function longMember(type: 'L' | 'K', text: string): Buffer {
  return rawMember({name: '././@LongLink', type, format: 'gnu'}, `${text}\0`)
}

export const RAW_END = Buffer.alloc(2 * BLOCK)

/** A sparse file: what is stored, by its offset. */
export interface RawSparse {
  readonly name: string
  readonly size: number
  readonly ranges: readonly (readonly [offset: number, bytes: Uint8Array])[]
}

export const SPARSE_FORMS = ['0.0', '0.1', '1.0', 'old GNU'] as const

/** The members of a sparse file in one of GNU tar's forms. The map ends with an empty range, as GNU tar writes it. */
export function sparseMember(form: (typeof SPARSE_FORMS)[number], {name, size, ranges}: RawSparse): Buffer {
  const stored = Buffer.concat(ranges.map(([, bytes]) => bytes))
  const last = ranges.at(-1)
  const endsWithData = last !== undefined && last[0] + last[1].byteLength === size
  const map: [number, number][] = ranges.map(([offset, bytes]) => [offset, bytes.byteLength])
  if (!endsWithData) map.push([size, 0])
  const count = String(map.length)
  switch (form) {
    case '0.0':
      return Buffer.concat([
        paxMember([
          ['GNU.sparse.size', String(size)],
          ['GNU.sparse.numblocks', count],
          ...map.flatMap(([offset, length]): [string, string][] => [
            ['GNU.sparse.offset', String(offset)],
            ['GNU.sparse.numbytes', String(length)],
          ]),
        ]),
        rawMember({name}, stored),
      ])
    case '0.1':
      return Buffer.concat([
        paxMember([
          ['GNU.sparse.size', String(size)],
          ['GNU.sparse.numblocks', count],
          ['GNU.sparse.map', map.flat().join(',')],
          ['GNU.sparse.name', name],
        ]),
        rawMember({name: 'GNUSparseFile.1/x'}, stored),
      ])
    case '1.0': {
      const text = inBlocks(Buffer.from([count, ...map.flat()].map((number) => `${number}\n`).join('')))
      return Buffer.concat([
        paxMember([
          ['GNU.sparse.major', '1'],
          ['GNU.sparse.minor', '0'],
          ['GNU.sparse.name', name],
          ['GNU.sparse.realsize', String(size)],
        ]),
        rawMember({name: 'GNUSparseFile.1/x'}, Buffer.concat([text, stored])),
      ])
    }
    case 'old GNU':
      return oldGnuMember({name, size, map, stored})
  }
}

function oldGnuMember(file: {name: string; size: number; map: [number, number][]; stored: Buffer}): Buffer {
  const entry = (pair: readonly [number, number]) => Buffer.concat(pair.map(gnuNumber))
  const [head, rest] = [file.map.slice(0, 4), file.map.slice(4)]
  const blocks: Buffer[] = []
  for (let at = 0; at < rest.length; at += 21) {
    const block = Buffer.alloc(BLOCK)
    Buffer.concat(rest.slice(at, at + 21).map(entry)).copy(block)
    block[504] = at + 21 < rest.length ? 1 : 0
    blocks.push(block)
  }
  const header = rawHeader({
    name: file.name,
    type: 'S',
    format: 'gnu',
    size: file.stored.byteLength,
    patch: {
      386: Buffer.concat(head.map(entry)),
      482: Buffer.of(blocks.length > 0 ? 1 : 0),
      483: gnuNumber(file.size),
    },
  })
  return Buffer.concat([header, ...blocks, inBlocks(file.stored)])
}

/** Twelve bytes: octal, or base-256 where that is too short. */
function gnuNumber(value: number): Buffer {
  if (value < 8 ** 11) return Buffer.from(`${value.toString(8).padStart(11, '0')}\0`, 'latin1')
  const bytes = Buffer.alloc(12)
  bytes.writeBigUInt64BE(BigInt(value), 4)
  bytes[0] = 0x80
  return bytes
}
