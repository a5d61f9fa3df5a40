import assert from 'node:assert/strict'
import {encodeCarrierFrame, type CarrierFrame, type FrameStream} from '../../../src/codecs/carrier/carrier-frame.js'
import {
  attributesOf,
  encodeAlternateHeader,
  encodeBlockHeader,
  encodeCarrierHead,
  encodeStreamHeader,
  planCarrier,
  storedBytes,
  type CarrierSubject,
} from '../../../src/codecs/carrier/plan-carrier.js'
import {encodeReparsePoint} from '../../../src/codecs/reparse-point/encode-reparse-point.js'
import {descriptorOf} from '../../helpers/hives.js'

const [DATA, EA, SECURITY, ALTERNATE, LINK, REPARSE] = [1, 2, 3, 4, 5, 8] as const
const DESCRIPTOR = descriptorOf(18)
const ATTRIBUTE = {name: 'A', flags: 0, value: Buffer.from('v')}
const SYMLINK = encodeReparsePoint({kind: 'symlink', target: 'C:\\x'})
const OTHER_REPARSE = Buffer.from('1b0000800400000061626364', 'hex')
const FULL = {
  attributes: 0x21,
  securityDescriptor: DESCRIPTOR,
  extendedAttributes: [ATTRIBUTE],
  reparsePoint: OTHER_REPARSE,
}
const BARE = {attributes: 0x20}
const NO_TAIL = new Uint8Array()

/** Id, stream attributes and size of each stream that bytes hold, behind so many bytes. */
function streamsOf(bytes: Uint8Array, from = 4): number[][] {
  const buffer = Buffer.from(bytes)
  const found: number[][] = []
  for (let at = from; at + 20 <= buffer.length;) {
    const [id = 0, attributes = 0, size = 0] = [0, 4, 8].map((offset) => buffer.readUInt32LE(at + offset))
    found.push([id, attributes, size])
    at += 20 + buffer.readUInt32LE(at + 16) + (id === DATA ? 0 : size)
  }
  return found
}

describe('the head of a carrier', () => {
  it('has everything in front of the content, in the order of the importer', () => {
    const head = Buffer.from(encodeCarrierHead({kind: 'file', meta: FULL, contentBytes: 300}))
    assert.equal(head.readUInt32LE(0), 0x21)
    assert.deepEqual(streamsOf(head), [
      [SECURITY, 0, DESCRIPTOR.byteLength],
      [EA, 0, 12],
      [REPARSE, 0, OTHER_REPARSE.byteLength],
      [DATA, 0, 300],
    ])
    assert.ok(head.includes(Buffer.from(DESCRIPTOR)) && head.includes(OTHER_REPARSE))
    const sizes = [DESCRIPTOR.byteLength, 12, OTHER_REPARSE.byteLength, 0]
    assert.equal(head.byteLength, 4 + sizes.reduce((sum, size) => sum + 20 + size, 0))
  })

  for (const [note, subject, streams] of [
    ['a file without anything', {kind: 'file', meta: BARE}, [[DATA, 0, 0]]],
    ['a folder', {kind: 'directory', meta: BARE}, []],
    ['a folder, whatever content is stated', {kind: 'directory', meta: BARE, contentBytes: 5}, []],
    ['no attributes in a list', {kind: 'file', meta: {...BARE, extendedAttributes: []}}, [[DATA, 0, 0]]],
    [
      'a link',
      {kind: 'file', meta: {...BARE, reparsePoint: SYMLINK}, contentBytes: 0},
      [[REPARSE, 0, SYMLINK.byteLength]],
    ],
    [
      'a link with content all the same',
      {kind: 'file', meta: {...BARE, reparsePoint: SYMLINK}, contentBytes: 1},
      [
        [REPARSE, 0, SYMLINK.byteLength],
        [DATA, 0, 1],
      ],
    ],
    [
      'a reparse point that is no link',
      {kind: 'file', meta: {...BARE, reparsePoint: OTHER_REPARSE}},
      [
        [REPARSE, 0, 12],
        [DATA, 0, 0],
      ],
    ],
  ] as const satisfies readonly (readonly [string, CarrierSubject, number[][]])[])
    it(`of ${note}`, () => {
      assert.deepEqual(streamsOf(encodeCarrierHead(subject)), streams)
    })

  it('of sparse content says so', () => {
    const layout = {headBytes: 7, blocks: []}
    assert.deepEqual(streamsOf(encodeCarrierHead({kind: 'file', meta: BARE, contentBytes: 300}, layout)), [
      [DATA, 8, 7],
    ])
    assert.deepEqual([attributesOf(layout), attributesOf(undefined)], [8, 0])
  })
})

describe('headers in a carrier', () => {
  it('are spelt as Windows has them', () => {
    const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString('hex')
    const name = Buffer.from(':z:$DATA', 'utf16le').toString('hex')
    assert.equal(hex(encodeAlternateHeader('z', 5)), `0400000000000000050000000000000010000000${name}`)
    assert.equal(hex(encodeAlternateHeader('z', 2 ** 32, 8)), `0400000008000000000000000100000010000000${name}`)
    assert.equal(
      hex(encodeStreamHeader({id: 5, attributes: 2, sizeBytes: 3})),
      '0500000002000000030000000000000000000000',
    )
    assert.equal(
      hex(encodeBlockHeader({offset: 2 ** 33 + 1, length: 4, attributes: 8})),
      '09000000080000000c00000000000000000000000100000002000000',
    )
  })

  it('count towards what content takes', () => {
    assert.equal(storedBytes(300, undefined), 300)
    assert.equal(storedBytes(300, {headBytes: 2, blocks: []}), 2)
    const blocks = [
      {offset: 5, length: 10, attributes: 0},
      {offset: 99, length: 0, attributes: 0},
    ]
    assert.equal(storedBytes(300, {headBytes: 2, blocks}), 2 + 28 + 10 + 28)
  })
})

const frameOf = (streams: readonly FrameStream[], more: Partial<CarrierFrame> = {}) =>
  encodeCarrierFrame({streams, tail: NO_TAIL, ...more})
const stream = (id: number, more: Partial<FrameStream> = {}): FrameStream => ({id, attributes: 0, ...more})

/** The plan, with bytes as hexadecimal text, and why its frame was left aside. */
function planned(subject: CarrierSubject, frame?: Uint8Array) {
  const why: string[] = []
  const {parts, isFramed, isAbsent} = planCarrier(subject, frame, (text) => why.push(text))
  const bytes = Buffer.concat(parts.flatMap((part) => (part.kind === 'bytes' ? [part.bytes] : [])))
  return {
    parts: parts.filter(({kind}) => kind !== 'bytes'),
    kinds: parts.map(({kind}) => kind),
    bytes,
    isFramed,
    isAbsent,
    why,
  }
}

describe('the plan of a carrier without a form', () => {
  it('is its head and its content', () => {
    const plan = planned({kind: 'file', meta: BARE, contentBytes: 5})
    assert.deepEqual([plan.isFramed, plan.isAbsent, plan.parts], [false, false, [{kind: 'content', sizeBytes: 5}]])
    assert.deepEqual(streamsOf(plan.bytes), [[DATA, 0, 5]])
    assert.deepEqual(planned({kind: 'file', meta: BARE}).parts, [{kind: 'content', sizeBytes: 0}])
    assert.deepEqual(planned({kind: 'directory', meta: BARE}).kinds, ['bytes'])
    assert.deepEqual(planned({kind: 'file', meta: {...BARE, reparsePoint: SYMLINK}}).kinds, ['bytes'])
  })

  it('has blocks for holes that are large enough', () => {
    const size = 2 ** 21
    const sparse = {
      headBytes: 0,
      blocks: [
        {offset: 0, length: 3, attributes: 0},
        {offset: size, length: 0, attributes: 0},
      ],
    }
    const subject = {kind: 'file', meta: BARE, contentBytes: size, contentRanges: [{offset: 0, length: 3}]} as const
    assert.deepEqual(planned(subject).parts, [{kind: 'content', sizeBytes: size, sparse}])
    assert.deepEqual(streamsOf(planned(subject).bytes), [[DATA, 8, 0]])
    const small = planned({...subject, contentBytes: 4096})
    assert.deepEqual(small.parts, [{kind: 'content', sizeBytes: 4096}])
    assert.deepEqual(planned({kind: 'file', meta: BARE, contentRanges: []}).parts, [{kind: 'content', sizeBytes: 0}])
  })
})

describe('the plan of a carrier by its form', () => {
  it('follows it stream by stream', () => {
    const blocks = [{offset: 3, length: 2, attributes: 0}]
    const frame = frameOf(
      [
        stream(DATA, {attributes: 8, sparse: {headBytes: 1, sizeBytes: 5, blocks}}),
        stream(SECURITY, {attributes: 2}),
        stream(EA),
        stream(REPARSE),
        stream(ALTERNATE, {attributes: 8, sizeBytes: 9, sparse: {headBytes: 0, sizeBytes: 9, blocks: []}}),
        stream(ALTERNATE, {sizeBytes: 7}),
        stream(LINK, {inline: Buffer.from('hard'), name: Buffer.from('n\0')}),
      ],
      {attributes: 0x31, tail: Buffer.alloc(3)},
    )
    const plan = planned({kind: 'file', meta: FULL, contentBytes: 5}, frame)
    assert.deepEqual([plan.isFramed, plan.isAbsent, plan.why], [true, false, []])
    assert.deepEqual(plan.parts, [
      {kind: 'content', sizeBytes: 5, sparse: {headBytes: 1, sizeBytes: 5, blocks}},
      {kind: 'stream', attributes: 8, sizeBytes: 9, sparse: {headBytes: 0, sizeBytes: 9, blocks: []}},
      {kind: 'stream', attributes: 0, sizeBytes: 7},
    ])
    assert.equal(plan.bytes.readUInt32LE(0), 0x31)
    assert.deepEqual(streamsOf(plan.bytes), [
      [DATA, 8, 1],
      [SECURITY, 2, DESCRIPTOR.byteLength],
      [EA, 0, 12],
      [REPARSE, 0, 12],
      [LINK, 0, 4],
    ])
    assert.ok(plan.bytes.subarray(-9).equals(Buffer.from('n\0hard\0\0\0')))
  })

  it('has the attributes of the entry where the form has none, and no empty parts', () => {
    const plan = planned({kind: 'file', meta: BARE, contentBytes: 5}, frameOf([stream(DATA)]))
    assert.deepEqual([plan.bytes.readUInt32LE(0), plan.kinds], [0x20, ['bytes', 'bytes', 'content']])
    assert.deepEqual(planned({kind: 'file', meta: BARE}, frameOf([stream(LINK, {inline: NO_TAIL})])).kinds, [
      'bytes',
      'bytes',
    ])
  })

  it('has content that the entry does not state', () => {
    assert.deepEqual(planned({kind: 'file', meta: BARE}, frameOf([stream(DATA)])).parts, [
      {kind: 'content', sizeBytes: 0},
    ])
    assert.deepEqual(planned({kind: 'file', meta: BARE}, frameOf([])).isFramed, true)
  })

  it('is no carrier at all for a folder that needs none', () => {
    const frame = frameOf([], {isAbsent: true})
    const {parts, isFramed, isAbsent} = planned({kind: 'directory', meta: {...BARE, extendedAttributes: []}}, frame)
    assert.deepEqual([parts, isFramed, isAbsent], [[], true, true])
  })

  const inline = (id: number) => stream(id, {inline: Buffer.from('x')})
  for (const [note, subject, frame] of [
    ['none, for a file', {kind: 'file', meta: BARE}, frameOf([], {isAbsent: true})],
    [
      'none, for a folder with a descriptor',
      {kind: 'directory', meta: {...BARE, securityDescriptor: DESCRIPTOR}},
      frameOf([], {isAbsent: true}),
    ],
    [
      'none, for a folder that is a link',
      {kind: 'directory', meta: {...BARE, reparsePoint: SYMLINK}},
      frameOf([], {isAbsent: true}),
    ],
    ['no descriptor', {kind: 'file', meta: {...BARE, securityDescriptor: DESCRIPTOR}}, frameOf([stream(DATA)])],
    ['no attributes', {kind: 'file', meta: {...BARE, extendedAttributes: [ATTRIBUTE]}}, frameOf([stream(DATA)])],
    ['no reparse point', {kind: 'file', meta: {...BARE, reparsePoint: OTHER_REPARSE}}, frameOf([stream(DATA)])],
    ['no content', {kind: 'file', meta: BARE, contentBytes: 1}, frameOf([])],
    ['content of its own for a file', {kind: 'file', meta: BARE, contentBytes: 1}, frameOf([inline(DATA)])],
    [
      'content of its own for what is no link',
      {kind: 'file', meta: {...BARE, reparsePoint: OTHER_REPARSE}, contentBytes: 1},
      frameOf([stream(REPARSE), inline(DATA)]),
    ],
    ['the content twice', {kind: 'file', meta: BARE, contentBytes: 1}, frameOf([stream(DATA), stream(DATA)])],
    [
      'a map of more content',
      {kind: 'file', meta: BARE, contentBytes: 1},
      frameOf([stream(DATA, {sparse: {headBytes: 0, sizeBytes: 2, blocks: []}})]),
    ],
    ['a descriptor that the entry lacks', {kind: 'file', meta: BARE}, frameOf([stream(SECURITY), stream(DATA)])],
    [
      'attributes that the entry lacks',
      {kind: 'file', meta: {...BARE, extendedAttributes: []}},
      frameOf([stream(EA), stream(DATA)]),
    ],
    ['a reparse point that the entry lacks', {kind: 'file', meta: BARE}, frameOf([stream(REPARSE), stream(DATA)])],
    ['a stream that no entry has', {kind: 'file', meta: BARE}, frameOf([stream(LINK), stream(DATA)])],
    [
      'a descriptor under another name',
      {kind: 'file', meta: {...BARE, securityDescriptor: DESCRIPTOR}},
      frameOf([{...inline(SECURITY), name: Buffer.from('n\0')}, stream(DATA)]),
    ],
    ['another format', {kind: 'file', meta: BARE}, Buffer.of(2, 0)],
  ] as const satisfies readonly (readonly [string, CarrierSubject, Uint8Array])[])
    it(`leaves a form aside that has ${note}`, () => {
      const plan = planned(subject, frame)
      assert.equal(plan.why.length, 1)
      assert.notEqual(plan.why[0], '')
      assert.deepEqual({...plan, why: []}, planned(subject))
    })

  it('takes content of its own for a link', () => {
    const link = {kind: 'file', meta: {...BARE, reparsePoint: SYMLINK}, contentBytes: 1} as const
    const plan = planned(link, frameOf([stream(REPARSE), inline(DATA)]))
    assert.deepEqual([plan.isFramed, plan.parts], [true, []])
    assert.equal(planned(link, frameOf([stream(REPARSE)])).isFramed, false)
  })

  it('needs nobody to hear of it', () => {
    assert.equal(planCarrier({kind: 'file', meta: BARE}, Buffer.of(2, 0)).isFramed, false)
  })
})
