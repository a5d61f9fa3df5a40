import assert from 'node:assert/strict'
import {createHash} from 'node:crypto'
import {decodeCarrier} from '../../../src/codecs/carrier/decode-carrier.js'
import {encodeExtendedAttributes} from '../../../src/codecs/extended-attributes/extended-attributes.js'
import {encodeReparsePoint} from '../../../src/codecs/reparse-point/encode-reparse-point.js'
import {assembleCarrier, contentBytes} from '../../helpers/carriers.js'

/** Descriptors and digests of section 7 of the transport layout page. */
const SIMPLE = Buffer.from(
  'AQAEgBQAAAAkAAAAAAAAADAAAAABAgAAAAAABSAAAAAgAgAAAQEAAAAAAAUSAAAAAgAcAAEAAAAAABQA/wEfAAEBAAAAAAABAAAAAA==',
  'base64',
)
const DIRECTORY = Buffer.from(
  'AQAEgBQAAAAkAAAAAAAAADAAAAABAgAAAAAABSAAAAAgAgAAAQEAAAAAAAUSAAAAAgCoAAcAAAAAAxgA/wEfAAECAAAAAAAFIAAAACACAAAAAxQA/wEfAAEBAAAAAAAFEgAAAAAAGAD/AR8AAQIAAAAAAAUgAAAAIAIAAAALFAAAAAAQAQEAAAAAAAMAAAAAAAMYAKkAEgABAgAAAAAABSAAAAAhAgAAAAIYAAQAAAABAgAAAAAABSAAAAAhAgAAAAIYAAIAAAABAgAAAAAABSAAAAAhAgAA',
  'base64',
)
const EA = [
  {name: 'LXUID', flags: 0, value: Buffer.from([0xe8, 3, 0, 0])},
  {name: 'A.B', flags: 0, value: Buffer.from([1, 2])},
]

interface Row {
  readonly title: string
  readonly kind: 'file' | 'directory'
  readonly attributes: number
  readonly security?: Uint8Array
  readonly ea?: typeof EA
  readonly reparse?: Uint8Array
  readonly content?: string
  readonly streams?: readonly {name: string; bytes: Uint8Array}[]
  readonly bytes: number
  readonly sha256: string
}

const ROWS: readonly Row[] = [
  {
    title: 'a file with five bytes',
    kind: 'file',
    attributes: 0x21,
    security: SIMPLE,
    content: 'hello',
    bytes: 125,
    sha256: 'eb943e1c4774434985b65aa508248dfbc158ecd03acd86e3f06f2068f8ef3591',
  },
  {
    title: 'a directory',
    kind: 'directory',
    attributes: 0x10,
    security: DIRECTORY,
    bytes: 240,
    sha256: '51acb27776e1a88cf6a20bdada52de9c7aa8a085b23f938f0eef3dab7441371f',
  },
  {
    title: 'a junction',
    kind: 'directory',
    attributes: 0x410,
    security: SIMPLE,
    reparse: encodeReparsePoint({kind: 'junction', target: 'C:\\dir'}),
    bytes: 172,
    sha256: '6f312868896c1dda77f468b37e03ed9f63dcf0ed3f1b9987f14225943f590199',
  },
  {
    title: 'a relative symbolic link to a file',
    kind: 'file',
    attributes: 0x420,
    security: SIMPLE,
    reparse: encodeReparsePoint({kind: 'symlink', target: 'hello.txt'}),
    bytes: 180,
    sha256: '41f54c93bb3e8bd6254fc01d73f2f90dd4f020eb200dd22260a126b558d83420',
  },
  {
    title: 'a file with an alternate stream',
    kind: 'file',
    attributes: 0x20,
    security: SIMPLE,
    content: 'x',
    streams: [{name: 'zone', bytes: Buffer.from('[ZT]\n')}],
    bytes: 168,
    sha256: '247a3e8915de0ee719ff8241c082ffdfcbcd17c71a623ace2ffcc98c3f0de340',
  },
  {
    title: 'a file with extended attributes, given in another order',
    kind: 'file',
    attributes: 0x20,
    security: SIMPLE,
    ea: EA,
    content: 'e',
    bytes: 177,
    sha256: 'b4d6a72adaa1372c8d756c4b5ba0898a7654046f40e4393bda39108ada4f3d72',
  },
  {
    title: 'an empty file without a descriptor',
    kind: 'file',
    attributes: 0x20,
    content: '',
    bytes: 24,
    sha256: 'ab3fcb83c1b83e06f3d465dd83c1fa32953a6e13d31e9274e100d79b19e370f0',
  },
]

describe('carriers of the worked examples', () => {
  for (const row of ROWS) {
    it(`writes ${row.title} as Microsoft's importer does, and needs no frame for it`, () => {
      const content = row.content === undefined ? undefined : Buffer.from(row.content)
      const subject = {
        attributes: row.attributes,
        streams: [],
        ...(row.security === undefined ? {} : {securityDescriptor: row.security}),
        ...(row.ea === undefined ? {} : {extendedAttributes: row.ea}),
        ...(row.reparse === undefined ? {} : {reparsePoint: row.reparse}),
      }
      const bytes = assembleCarrier(row.kind, subject, content, row.streams ?? [], undefined)
      assert.equal(bytes.byteLength, row.bytes)
      assert.equal(createHash('sha256').update(bytes).digest('hex'), row.sha256)
      const decoded = decodeCarrier(bytes, row.kind)
      assert.equal(decoded.frame, undefined)
      assert.equal(decoded.attributes, row.attributes)
      assert.deepEqual(decoded.data === undefined ? undefined : Buffer.from(contentBytes(bytes, decoded.data)), content)
    })
  }

  it('reads the sparse carrier and writes it again from its frame', () => {
    const bytes = Buffer.concat([
      Buffer.from('2002000003000000020000004c0000000000000000000000', 'hex'),
      SIMPLE,
      Buffer.from(
        '0100000008000000000000000000000000000000' +
          '09000000080000000a0000000000000000000000' +
          '00000000000000004142' +
          '09000000080000000a0000000000000000000000' +
          '00000100000000004344' +
          '0900000008000000080000000000000000000000' +
          '0000020000000000',
        'hex',
      ),
    ])
    assert.equal(bytes.byteLength, 208)
    assert.equal(
      createHash('sha256').update(bytes).digest('hex'),
      '89805e961e0953aa4c85e06745513446086a51a78b0f3b0ad334fd62c0291b02',
    )
    const decoded = decodeCarrier(bytes, 'file')
    assert.equal(decoded.data?.sizeBytes, 131072)
    const content = contentBytes(bytes, decoded.data)
    assert.equal(Buffer.from(content.subarray(65536, 65538)).toString(), 'CD')
    assert.ok(decoded.frame !== undefined && decoded.frame.byteLength < 40)
    assert.deepEqual(assembleCarrier('file', decoded, content, [], decoded.frame), bytes)
    assert.equal(EA.length, encodeExtendedAttributes(EA).byteLength === 36 ? 2 : 0)
  })

  it('takes a carrier of four bytes for a directory without anything', () => {
    const decoded = decodeCarrier(Buffer.from('10000000', 'hex'), 'directory')
    assert.equal(decoded.attributes, 0x10)
    assert.equal(decoded.frame, undefined)
  })

  it('spends few bytes on a carrier as Windows itself writes it', () => {
    const security = Buffer.concat([Buffer.from('03000000020000004c0000000000000000000000', 'hex'), SIMPLE])
    const data = Buffer.from('0100000000000000010000000000000000000000' + '78', 'hex')
    const stream = Buffer.concat([
      Buffer.from('0400000000000000010000000000000016000000', 'hex'),
      Buffer.from(':zone:$DATA', 'utf16le'),
      Buffer.from('z'),
    ])
    const ea = Buffer.from(encodeExtendedAttributes(EA.toReversed()))
    const list = Buffer.concat([Buffer.from('0200000000000000240000000000000000000000', 'hex'), ea])
    const bytes = Buffer.concat([Buffer.from('20000000', 'hex'), security, data, list, stream])
    const decoded = decodeCarrier(bytes, 'file')
    assert.ok(decoded.frame !== undefined && decoded.frame.byteLength <= 8, `${decoded.frame?.byteLength} bytes`)
    assert.deepEqual(
      assembleCarrier('file', decoded, Buffer.from('x'), [{name: 'zone', bytes: Buffer.from('z')}], decoded.frame),
      bytes,
    )
  })
})
