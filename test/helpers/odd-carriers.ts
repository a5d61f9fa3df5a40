import fc from 'fast-check'
import {
  canonicalExtendedAttributes,
  encodeExtendedAttributes,
} from '../../src/codecs/extended-attributes/extended-attributes.js'
import {encodeReparsePoint} from '../../src/codecs/reparse-point/encode-reparse-point.js'
import {anyDescriptor} from './security-descriptors.js'

/* Carriers with any streams in any order, made byte by byte: what Windows writes, and what it might. */

interface Piece {
  readonly id: number
  readonly attributes: number
  readonly name: Buffer
  readonly payload: Buffer
}

function encodePiece({id, attributes, name, payload}: Piece): Buffer {
  const head = Buffer.alloc(20)
  head.writeUInt32LE(id, 0)
  head.writeUInt32LE(attributes, 4)
  head.writeUInt32LE(payload.byteLength, 8)
  head.writeUInt32LE(name.byteLength, 16)
  return Buffer.concat([head, name, payload])
}

const bytes = (maxLength: number) => fc.uint8Array({maxLength}).map((value) => Buffer.from(value))
const streamAttributes = fc.oneof({weight: 3, arbitrary: fc.constant(0)}, fc.constantFrom(2, 8, 0xffffffff))
const noName = Buffer.alloc(0)

const eaList = fc
  .array(
    fc.record({
      name: fc.constantFrom('A', 'B', '$LXMOD', 'a=b', '\u00e9', 'A'),
      flags: fc.constantFrom(0, 0, 0x80),
      value: bytes(20),
    }),
    {minLength: 1, maxLength: 4},
  )
  .chain((list) =>
    fc.record({
      list: fc.constantFrom(list, canonicalExtendedAttributes(list)),
      junk: fc.constantFrom(0, 0, 1, 7),
    }),
  )
  .map(({list, junk}) => Buffer.concat([encodeExtendedAttributes(list), Buffer.alloc(junk, 0xee)]))

const reparse = fc.oneof(
  fc
    .tuple(
      fc.constantFrom('symlink' as const, 'junction' as const),
      fc.constantFrom('C:\\x', 'y', '\\\\?\\V', '', 'a/b', '\ud800'),
    )
    .map(([kind, target]) => Buffer.from(encodeReparsePoint({kind, target}))),
  fc.tuple(fc.constantFrom(0x80000018, 0x8000001b), bytes(30)).map(([tag, data]) => {
    const buffer = Buffer.alloc(8)
    buffer.writeUInt32LE(tag, 0)
    buffer.writeUInt16LE(data.byteLength, 4)
    return Buffer.concat([buffer, data])
  }),
  bytes(12),
)

/** Ascending blocks, as sparse streams have them; the last one often empty at the end of the file. */
const blocks = fc
  .array(fc.record({gap: fc.nat(200), payload: bytes(40), attributes: fc.constantFrom(8, 8, 8, 0)}), {maxLength: 4})
  .map((list) => (start: number): Piece[] => {
    let offset = start
    return list.map(({gap, payload, attributes}) => {
      offset += gap
      const head = Buffer.alloc(8)
      head.writeUInt32LE(offset, 0)
      offset += payload.byteLength
      return {id: 9, attributes, name: noName, payload: Buffer.concat([head, payload])}
    })
  })

const one = (
  id: fc.Arbitrary<number>,
  payload: fc.Arbitrary<Buffer>,
  name: fc.Arbitrary<Buffer> = fc.constant(noName),
) => fc.record({id, attributes: streamAttributes, name, payload}).map((piece) => [piece])
const sparseOf = (id: number, name: fc.Arbitrary<Buffer>) =>
  fc
    .record({attributes: streamAttributes, name, payload: fc.oneof(fc.constant(noName), bytes(30)), follow: blocks})
    .map(({follow, ...piece}) => [{id, ...piece}, ...follow(piece.payload.byteLength)])
const streamName = fc
  .constantFrom(
    ':zone:$DATA',
    ':a b:$DATA',
    ':\u0005SummaryInformation:$DATA',
    ':x:$BITMAP',
    '',
    '::$DATA',
    ':\ud83d:$DATA',
    ':a/b:$DATA',
  )
  .map((name) => Buffer.from(name, 'utf16le'))

/** Arbitrary legal carriers. */
export const oddCarrier: fc.Arbitrary<Buffer> = fc
  .record({
    attributes: fc.constantFrom(0x20, 0x10, 0x410, 0xffffffff, 0),
    pieces: fc.array(
      fc.oneof(
        one(fc.constant(3), fc.oneof(anyDescriptor, fc.constant(noName))),
        one(fc.constant(2), eaList),
        one(fc.constant(8), reparse),
        one(fc.constant(1), bytes(60)),
        one(fc.constantFrom(0, 5, 6, 7, 10, 11, 14, 15, 16, 300, 0xffffffff), bytes(30)),
        one(fc.constantFrom(1, 2, 3, 8), fc.constant(noName), streamName),
        sparseOf(1, fc.constant(noName)),
        sparseOf(4, streamName),
      ),
      {maxLength: 6},
    ),
    tail: fc.constantFrom(0, 0, 0, 1, 19),
  })
  .map(({attributes, pieces, tail}) => {
    const word = Buffer.alloc(4)
    word.writeUInt32LE(attributes, 0)
    return Buffer.concat([word, ...pieces.flat().map(encodePiece), Buffer.alloc(tail)])
  })
