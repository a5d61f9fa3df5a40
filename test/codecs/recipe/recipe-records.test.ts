import assert from 'node:assert/strict'
import {RecordDecoder, RecordEncoder, type RecipeRecord} from '../../../src/codecs/recipe/recipe-records.js'
import {RecordWriter} from '../../../src/codecs/bytes/record-writer.js'
import {digestOf} from '../../../src/model/digest.js'
import {parseLayerPath} from '../../../src/model/layer-path.js'
import {withPlainBytes} from '../../helpers/bytes.js'
import {faultOf} from '../../helpers/faults.js'

const path = parseLayerPath('Files/a')
const target = parseLayerPath('Files/t')
const archive = Buffer.from('raw')
const check = Buffer.from('8 bytes!')
const diffId = digestOf(Buffer.from('layer'))
const times = {creation: 1n, lastAccess: -1n, lastWrite: 2n ** 62n, change: 0n}
const I64 = ['0100000000000000', 'ffffffffffffffff', '0000000000000040', '0000000000000000'].join('')
const hexOf = (text: string) => Buffer.from(text).toString('hex')
/** No unit shared, seven more. */
const PATH = `0007${hexOf('Files/a')}`

/** Each kind of record, and its bytes as docs/recipe.md has them. */
const FORMS: readonly {readonly note: string; readonly record: RecipeRecord; readonly hex: string}[] = [
  {note: 'an entry', record: {kind: 'entry', path, streams: []}, hex: `00${PATH}`},
  {
    note: 'an entry with a form',
    record: {kind: 'entry', path, form: {archive, check}, streams: []},
    hex: `08${PATH}03${hexOf('raw')}${hexOf('8 bytes!')}`,
  },
  {
    note: 'an entry with forms of streams',
    record: {
      kind: 'entry',
      path,
      streams: [
        {index: 0, archive, check},
        {index: 300, archive: Buffer.alloc(0), check},
      ],
    },
    hex: `10${PATH}020003${hexOf('raw')}${hexOf('8 bytes!')}ac0200${hexOf('8 bytes!')}`,
  },
  {
    note: 'an entry with all of it',
    record: {kind: 'entry', path, form: {archive, check}, streams: [{index: 1, archive, check}]},
    hex: `18${PATH}03${hexOf('raw8 bytes!')}010103${hexOf('raw8 bytes!')}`,
  },
  {
    note: 'a hard link',
    record: {kind: 'hard-link', path, target, attributes: 0x80, times},
    hex: `01${PATH}07${hexOf('Files/t')}8001${I64}`,
  },
  {
    note: 'a hard link with a header',
    record: {kind: 'hard-link', path, target, attributes: 32, times, archive},
    hex: `09${PATH}07${hexOf('Files/t')}20${I64}03${hexOf('raw')}`,
  },
  {note: 'a whiteout', record: {kind: 'tombstone', path}, hex: `02${PATH}`},
  {note: 'a whiteout with a header', record: {kind: 'tombstone', path, archive}, hex: `0a${PATH}03${hexOf('raw')}`},
  {note: 'an opaque marker', record: {kind: 'opaque', path}, hex: `03${PATH}`},
  {note: 'an opaque marker with a header', record: {kind: 'opaque', path, archive}, hex: `0b${PATH}03${hexOf('raw')}`},
  {note: 'a derived deletion', record: {kind: 'derived', path}, hex: `04${PATH}`},
  {note: 'outer bytes', record: {kind: 'frame', archive}, hex: `0503${hexOf('raw')}`},
  {note: 'an end', record: {kind: 'end', diffId, entries: 200}, hex: `06c80147${hexOf(diffId)}`},
]

const decoded = (hex: string): RecipeRecord[] => [...new RecordDecoder().decode(Buffer.from(hex, 'hex'))]
const plain = (records: readonly RecipeRecord[]) =>
  withPlainBytes(
    records.map((record) =>
      record.kind === 'hard-link' ? {...record, times: Object.values(record.times).map(String)} : record,
    ),
  )

describe('records of a recipe', () => {
  for (const {note, record, hex} of FORMS)
    it(`are written and read: ${note}`, () => {
      assert.equal(Buffer.from(new RecordEncoder().encode(record)).toString('hex'), hex)
      assert.deepEqual(plain(decoded(hex)), plain([record]))
    })

  it('name the four times each by its name', () => {
    const [link] = decoded(FORMS[4]!.hex)
    assert.ok(link?.kind === 'hard-link')
    assert.deepEqual(link.times, times)
  })

  for (const {note, hex} of FORMS)
    it(`are refused where they are cut: ${note}`, () => {
      assert.deepEqual(decoded(''), [])
      for (let length = 2; length < hex.length; length += 2)
        assert.equal(faultOf(() => decoded(hex.slice(0, length))).code, 'RECIPE_CORRUPT', String(length))
    })

  it('share the start of a path with the one before, whatever kinds they are', () => {
    const encoder = new RecordEncoder()
    const records: RecipeRecord[] = [
      {kind: 'entry', path: parseLayerPath('Files/dir/one'), streams: []},
      {kind: 'frame', archive},
      {kind: 'tombstone', path: parseLayerPath('Files/dir/only')},
      {kind: 'derived', path: parseLayerPath('Files/dir/only/more')},
      {kind: 'opaque', path: parseLayerPath('Files/dir')},
      {kind: 'entry', path: parseLayerPath('Files/dir'), streams: []},
      {kind: 'entry', path: parseLayerPath('Hives'), streams: []},
    ]
    const pieces = records.map((record) => Buffer.from(encoder.encode(record)).toString('hex'))
    assert.deepEqual(pieces, [
      `00000d${hexOf('Files/dir/one')}`,
      `0503${hexOf('raw')}`,
      `020c02${hexOf('ly')}`,
      `040e05${hexOf('/more')}`,
      '030900',
      '000900',
      `000005${hexOf('Hives')}`,
    ])
    assert.deepEqual(plain(decoded(pieces.join(''))), plain(records))
  })

  it('share paths over blocks too', () => {
    const encoder = new RecordEncoder()
    const decoder = new RecordDecoder()
    const paths = ['Files/dir/one', 'Files/dir/two'].map(parseLayerPath)
    const found = paths.map((each) => [...decoder.decode(encoder.encode({kind: 'derived', path: each}))])
    assert.deepEqual(
      found.flat().map((record) => (record.kind === 'derived' ? record.path : '')),
      paths,
    )
  })

  it('never cut a character of two units in half', () => {
    const encoder = new RecordEncoder()
    encoder.encode({kind: 'derived', path: parseLayerPath('Files/\u{1f600}')})
    const record = {kind: 'derived', path: parseLayerPath('Files/\u{1f601}')} as const
    const hex = Buffer.from(encoder.encode(record)).toString('hex')
    assert.equal(hex, `040604${hexOf('\u{1f601}')}`)
    assert.equal(
      Buffer.from(encoder.encode({kind: 'derived', path: parseLayerPath('Files/\u{1f601}x')})).toString('hex'),
      `040801${hexOf('x')}`,
    )
  })

  for (const [note, hex, code] of [
    ['a kind that is unknown', `07${PATH}`, 'RECIPE_CORRUPT'],
    ['more of the path before than there was', `00${PATH}000800`, 'RECIPE_CORRUPT'],
    ['a path shared with nothing', '000101' + hexOf('F'), 'RECIPE_CORRUPT'],
    ['a digest that is none', `06000a${hexOf('sha256:abc')}`, 'RECIPE_CORRUPT'],
    ['an empty digest', '060000', 'RECIPE_CORRUPT'],
    ['a path that leads out', `000008${hexOf('Files/..')}`, 'NAME_UNSAFE'],
    ['a target that leads out', `01${PATH}08${hexOf('Files/..')}20${I64}`, 'NAME_UNSAFE'],
  ] as const)
    it(`are refused: ${note}`, () => {
      assert.equal(faultOf(() => decoded(hex)).code, code)
    })

  it('may share all of the path before', () => {
    assert.deepEqual(plain(decoded(`00${PATH}000700`)), plain([FORMS[0]!.record, FORMS[0]!.record]))
  })

  it('have a check of just eight bytes', () => {
    const bytes = new RecordWriter()
      .byte(8)
      .number(0)
      .block('Files/a')
      .block(archive)
      .bytes(check)
      .byte(4)
      .number(7)
      .block('')
      .finish()
    const records = [...new RecordDecoder().decode(bytes)]
    assert.deepEqual(
      records.map(({kind}) => kind),
      ['entry', 'derived'],
    )
  })
})
