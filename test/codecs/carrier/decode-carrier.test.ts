import assert from 'node:assert/strict'
import {encodeExtendedAttributes} from '../../../src/codecs/extended-attributes/extended-attributes.js'
import {MAX_FRAME_BYTES, type CarrierKind} from '../../../src/codecs/carrier/carrier.js'
import {decodeCarrierFrame} from '../../../src/codecs/carrier/carrier-frame.js'
import {decodeCarrier} from '../../../src/codecs/carrier/decode-carrier.js'
import {encodeReparsePoint} from '../../../src/codecs/reparse-point/encode-reparse-point.js'
import {MAX_CONTENT_BYTES} from '../../../src/model/content.js'
import {descriptorOf} from '../../helpers/hives.js'
import {assertThrows} from '../../helpers/told.js'

/** Ids of streams. Source: winbase.h BACKUP_*. */
const [DATA, EA, SECURITY, ALTERNATE, LINK, REPARSE, BLOCK] = [1, 2, 3, 4, 5, 8, 9] as const

interface Piece {
  readonly id: number
  readonly attributes?: number
  readonly name?: string
  readonly payload?: Uint8Array
}

function streamOf({id, attributes = 0, name = '', payload = new Uint8Array()}: Piece): Buffer {
  const stored = Buffer.from(name, 'utf16le')
  const head = Buffer.alloc(20)
  head.writeUInt32LE(id, 0)
  head.writeUInt32LE(attributes, 4)
  head.writeUInt32LE(payload.byteLength, 8)
  head.writeUInt32LE(stored.byteLength, 16)
  return Buffer.concat([head, stored, payload])
}

function carrierOf(pieces: readonly Piece[], {word = 0x20, tail = 0} = {}): Buffer {
  const head = Buffer.alloc(4)
  head.writeUInt32LE(word)
  return Buffer.concat([head, ...pieces.map(streamOf), Buffer.alloc(tail)])
}

function block(offset: number, payload: string, attributes = 0): Piece {
  const head = Buffer.alloc(8)
  head.writeBigUInt64LE(BigInt(offset))
  return {id: BLOCK, attributes, payload: Buffer.concat([head, Buffer.from(payload)])}
}

const text = (value: string) => Buffer.from(value)
const data = (value: string, attributes = 0): Piece => ({id: DATA, attributes, payload: text(value)})
const security: Piece = {id: SECURITY, payload: descriptorOf(18)}
const attribute = (name: string) => ({name, flags: 0, value: text('v')})
const list = (...names: readonly string[]): Piece => ({id: EA, payload: encodeExtendedAttributes(names.map(attribute))})
const link: Piece = {id: REPARSE, payload: encodeReparsePoint({kind: 'symlink', target: 'C:\\x'})}
const otherReparse: Piece = {id: REPARSE, payload: Buffer.from('1b0000800400000061626364', 'hex')}
const named = (name: string, value: string, attributes = 0): Piece => ({
  id: ALTERNATE,
  name: `:${name}:$DATA`,
  attributes,
  payload: text(value),
})

function framed(pieces: readonly Piece[], kind: CarrierKind = 'file', more: {word?: number; tail?: number} = {}) {
  const {frame} = decodeCarrier(carrierOf(pieces, more), kind)
  return frame === undefined ? undefined : decodeCarrierFrame(frame)
}

describe('a carrier', () => {
  it('gives what it holds, with where content lies', () => {
    const bytes = carrierOf([security, list('A'), otherReparse, data('hello'), named('zone', 'ab')], {word: 0x21})
    const decoded = decodeCarrier(bytes, 'file')
    const at = (value: string) => bytes.indexOf(value)
    assert.deepEqual(
      {...decoded, frame: undefined},
      {
        attributes: 0x21,
        securityDescriptor: Uint8Array.from(descriptorOf(18)),
        extendedAttributes: [{name: 'A', flags: 0, value: Buffer.from('v')}],
        reparsePoint: Uint8Array.from(otherReparse.payload!),
        data: {sizeBytes: 5, extents: [{offset: 0, length: 5, position: at('hello')}], isSparse: false},
        streams: [
          {
            name: 'zone',
            location: {
              sizeBytes: 2,
              extents: [{offset: 0, length: 2, position: bytes.byteLength - 2}],
              isSparse: false,
            },
          },
        ],
        frame: undefined,
      },
    )
  })

  it('of attributes alone has nothing else, and four bytes are the least', () => {
    assert.deepEqual(decodeCarrier(carrierOf([], {word: 0x10}), 'directory'), {attributes: 0x10, streams: []})
    for (let length = 0; length < 4; length++)
      assertThrows(() => decodeCarrier(Buffer.alloc(length), 'file'), {
        code: 'CARRIER_CORRUPT',
        at: {offset: 0},
        says: [`${length} bytes`],
      })
  })

  for (const [kind, word, attributes, kept] of [
    ['file', 0x20, 0x20, undefined],
    ['file', 0x30, 0x20, 0x30],
    ['directory', 0x10, 0x10, undefined],
    ['directory', 0, 0x10, 0],
    ['file', 0xffffffff, 0xffffffef, 0xffffffff],
    ['directory', 0xffffffff, 0xffffffff, undefined],
  ] as const)
    it(`of a ${kind} with the attributes 0x${word.toString(16)} has 0x${attributes.toString(16)}`, () => {
      const pieces = kind === 'file' ? [data('')] : []
      assert.equal(decodeCarrier(carrierOf(pieces, {word}), kind).attributes, attributes)
      assert.equal(framed(pieces, kind, {word})?.attributes, kept)
      assert.equal(framed(pieces, kind, {word}) === undefined, kept === undefined)
    })

  for (const [note, pieces, kind] of [
    ['data alone', [data('x')], 'file'],
    ['a descriptor', [security, data('x')], 'file'],
    ['attributes', [list('A', 'B'), data('x')], 'file'],
    ['a link without data', [security, link], 'file'],
    ['streams', [data(''), named('a', ''), named('b', 'x')], 'file'],
    ['a folder', [security, link, named('a', 'x')], 'directory'],
  ] as const)
    it(`needs no form of its own: ${note}`, () => {
      assert.equal(framed(pieces, kind, {word: kind === 'directory' ? 0x10 : 0x20}), undefined)
    })

  for (const [note, pieces, kind] of [
    ['no data', [security], 'file'],
    ['data of a folder', [data('')], 'directory'],
    ['data of a link', [link, data('')], 'file'],
    ['the descriptor behind the data', [data('x'), security], 'file'],
    ['the attributes in front of the descriptor', [list('A'), security, data('x')], 'file'],
    ['stream attributes', [{...security, attributes: 2}, data('x')], 'file'],
    ['attributes in another order', [list('B', 'A'), data('x')], 'file'],
    ['an attribute twice', [list('A', 'A'), data('x')], 'file'],
    ['an attribute that no tar key holds', [list('a=b'), data('x')], 'file'],
    ['an attribute of other letters', [list('\u00e9'), data('x')], 'file'],
    ['a reparse point that is no link', [otherReparse, data('x')], 'file'],
    ['a stream of another kind', [data('x'), {id: LINK, payload: text('l')}], 'file'],
    ['a stream of another type', [data('x'), {id: ALTERNATE, name: ':x:$BITMAP', payload: text('b')}], 'file'],
    ['data with a name', [data('x'), {id: DATA, name: ':n:$DATA'}], 'file'],
    ['a second descriptor', [security, security, data('x')], 'file'],
    ['a second list of attributes', [list('A'), list('B'), data('x')], 'file'],
    ['a second reparse point', [link, link], 'file'],
    ['a second body', [data('x'), data('y')], 'file'],
    ['an empty list of attributes', [{id: EA}, data('x')], 'file'],
    ['an empty reparse point', [{id: REPARSE}, data('x')], 'file'],
    ['an empty descriptor', [{id: SECURITY}, data('x')], 'file'],
    ['sparse data', [data('', 8), block(5, 'x'), block(6, '')], 'file'],
    ['a block alone', [block(0, 'x'), data('')], 'file'],
  ] as const)
    it(`has a form of its own: ${note}`, () => {
      assert.notEqual(framed(pieces, kind, {word: kind === 'directory' ? 0x10 : 0x20}), undefined)
    })

  it('has a form for zeros behind its streams', () => {
    assert.deepEqual(framed([data('x')], 'file', {tail: 19})?.tail, Buffer.alloc(19))
  })

  it('keeps the payloads of what the entry does not have, and no others', () => {
    const frame = framed([
      security,
      otherReparse,
      data('body'),
      {id: LINK, attributes: 3, payload: text('hard')},
      data('more'),
    ])
    assert.deepEqual(
      frame?.streams.map(({id, attributes, inline}) => [
        id,
        attributes,
        inline === undefined ? undefined : Buffer.from(inline).toString('latin1'),
      ]),
      [
        [SECURITY, 0, undefined],
        [REPARSE, 0, Buffer.from(otherReparse.payload!).toString('latin1')],
        [DATA, 0, undefined],
        [LINK, 3, 'hard'],
        [DATA, 0, 'more'],
      ],
    )
  })

  it('takes the first of streams that are one to Windows, and keeps the second', () => {
    const {streams} = decodeCarrier(
      carrierOf([data(''), named('Zone', 'a'), named('zone', 'b'), named('\u00fcber', 'c')]),
      'file',
    )
    assert.deepEqual(
      streams.map(({name, location}) => [name, location.sizeBytes]),
      [
        ['Zone', 1],
        ['\u00fcber', 1],
      ],
    )
    const frame = framed([data(''), named('Zone', 'a'), named('zone', 'b')])
    assert.deepEqual(
      frame?.streams.map(({sizeBytes, inline, name}) => [sizeBytes, inline?.byteLength, name?.byteLength]),
      [
        [undefined, undefined, undefined],
        [1, undefined, undefined],
        [undefined, 1, 22],
      ],
    )
  })

  it('keeps the data of a link, blocks and all', () => {
    const decoded = decodeCarrier(carrierOf([link, data('h', 8), block(4, 'xy', 1)]), 'file')
    assert.equal(decoded.data?.sizeBytes, 6)
    const {streams} = decodeCarrierFrame(decoded.frame!)
    assert.deepEqual(
      streams.map(({id, attributes, inline}) => [
        id,
        attributes,
        inline === undefined ? '' : Buffer.from(inline).toString('hex'),
      ]),
      [
        [REPARSE, 0, ''],
        [DATA, 8, '68'],
        [BLOCK, 1, '04000000000000007879'],
      ],
    )
  })

  it('has sparse content by its blocks, in the data and in a stream', () => {
    const bytes = carrierOf([data('hd', 8), block(4, 'AB'), block(9, '', 8), {...named('s', '', 8)}, block(0, 'CD')])
    const {data: content, streams, frame} = decodeCarrier(bytes, 'file')
    assert.deepEqual(content, {
      sizeBytes: 9,
      extents: [
        {offset: 0, length: 2, position: bytes.indexOf('hd')},
        {offset: 4, length: 2, position: bytes.indexOf('AB')},
      ],
      isSparse: true,
    })
    assert.deepEqual(streams[0]?.location, {
      sizeBytes: 2,
      extents: [{offset: 0, length: 2, position: bytes.length - 2}],
      isSparse: true,
    })
    assert.deepEqual(decodeCarrierFrame(frame!).streams, [
      {
        id: DATA,
        attributes: 8,
        sparse: {
          headBytes: 2,
          sizeBytes: 9,
          blocks: [
            {offset: 4, length: 2, attributes: 0},
            {offset: 9, length: 0, attributes: 8},
          ],
        },
      },
      {
        id: ALTERNATE,
        attributes: 8,
        sizeBytes: 2,
        sparse: {headBytes: 0, sizeBytes: 2, blocks: [{offset: 0, length: 2, attributes: 0}]},
      },
    ])
  })

  it('may have a block right behind another, and none that overlaps or goes back', () => {
    assert.equal(decodeCarrier(carrierOf([data('ab', 8), block(2, 'c'), block(3, 'd')]), 'file').data?.sizeBytes, 4)
    for (const [offset, end] of [
      [1, 2],
      [0, 2],
    ] as const)
      assertThrows(() => decodeCarrier(carrierOf([data('ab', 8), block(offset, 'c')]), 'file'), {
        code: 'CARRIER_CORRUPT',
        at: {offset: 4 + 22},
        says: [offset, end],
      })
    assertThrows(() => decodeCarrier(carrierOf([data('', 8), {...block(0, 'c'), name: 'x'}]), 'file'), {
      code: 'CARRIER_CORRUPT',
    })
  })

  it('may claim content up to a limit, which is told with its place', () => {
    assert.equal(
      decodeCarrier(carrierOf([data('', 8), block(MAX_CONTENT_BYTES, '')]), 'file').data?.sizeBytes,
      MAX_CONTENT_BYTES,
    )
    for (const pieces of [
      [data('', 8), block(MAX_CONTENT_BYTES + 1, '')],
      [data('', 8), block(MAX_CONTENT_BYTES, 'x')],
    ])
      assertThrows(() => decodeCarrier(carrierOf(pieces), 'file'), {
        code: 'LIMIT_EXCEEDED',
        at: {offset: 4},
        says: [MAX_CONTENT_BYTES + 1, MAX_CONTENT_BYTES],
      })
  })

  for (const [note, id, limit, says] of [
    ['a descriptor', SECURITY, 256 * 1024, 'SECURITY_DATA'],
    ['attributes', EA, 128 * 1024, 'EA_DATA'],
    ['a reparse point', REPARSE, 64 * 1024 + 8, 'REPARSE_DATA'],
  ] as const)
    it(`may have ${limit} bytes of ${note}, and not one more`, () => {
      const at = {offset: 4}
      assertThrows(() => decodeCarrier(carrierOf([{id, payload: Buffer.alloc(limit + 1)}]), 'file'), {
        code: 'LIMIT_EXCEEDED',
        at,
        says: [says, limit + 1, limit],
      })
      try {
        decodeCarrier(carrierOf([{id, payload: Buffer.alloc(limit)}]), 'file')
      } catch (error) {
        assert.notEqual((error as {code?: string}).code, 'LIMIT_EXCEEDED')
      }
    })

  it('tells where a fault of its descriptor and of its attributes lies', () => {
    for (const [piece, code] of [
      [{id: SECURITY, payload: Buffer.alloc(20, 1)}, 'DESCRIPTOR_CORRUPT'],
      [{id: EA, payload: Buffer.alloc(4, 1)}, 'ATTRIBUTES_CORRUPT'],
    ] as const)
      assert.throws(
        () => decodeCarrier(carrierOf([data('body'), piece]), 'file'),
        (
          error: Error & {
            code: string
            at: {offset?: number}
            cause: {at: {offset?: number}; suggestions: unknown}
            suggestions: unknown
          },
        ) => {
          assert.equal(error.code, code)
          assert.equal(error.at.offset, 4 + 24 + 20 + (error.cause.at.offset ?? 0))
          assert.deepEqual(error.suggestions, error.cause.suggestions)
          return true
        },
      )
  })

  it('has no form where that would be too large, and tells how large', () => {
    const kept = (bytes: number): Piece => ({id: LINK, payload: Buffer.alloc(bytes)})
    const overhead = 2 + 1 + 1 + 3
    const largest = decodeCarrier(carrierOf([data(''), kept(MAX_FRAME_BYTES - overhead)]), 'file')
    assert.deepEqual([largest.frame?.byteLength, largest.oversizeFrameBytes], [MAX_FRAME_BYTES, undefined])
    for (const [pieces, bytes] of [
      [[kept(MAX_FRAME_BYTES - overhead + 1)], MAX_FRAME_BYTES + 1],
      [[kept(MAX_FRAME_BYTES)], MAX_FRAME_BYTES + overhead],
      [[kept(MAX_FRAME_BYTES + 1)], MAX_FRAME_BYTES + 1],
      [[kept(MAX_FRAME_BYTES), kept(5)], MAX_FRAME_BYTES + 5],
    ] as const) {
      const {frame, oversizeFrameBytes} = decodeCarrier(carrierOf([data(''), ...pieces]), 'file')
      assert.deepEqual([frame, oversizeFrameBytes], [undefined, bytes])
    }
    const ofLink = decodeCarrier(
      carrierOf([link, data('x'.repeat(MAX_FRAME_BYTES), 8), block(MAX_FRAME_BYTES, 'yz')]),
      'file',
    )
    assert.equal(ofLink.oversizeFrameBytes, MAX_FRAME_BYTES + 2 + 8)
  })
})
