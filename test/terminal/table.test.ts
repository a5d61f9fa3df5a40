import assert from 'node:assert/strict'
import fc from 'fast-check'
import stringWidth from 'string-width'
import {formatFields, formatTable} from '../../src/terminal/table.js'
import {FUZZ_RUNS} from '../helpers/fuzz.js'

interface Row {
  readonly name: string
  readonly size?: number
  readonly note?: string
}
const COLUMNS = [
  {title: 'NAME', cell: (row: Row) => row.name},
  {title: 'SIZE', cell: (row: Row) => row.size?.toString(), align: 'right' as const},
  {title: 'NOTE', cell: (row: Row) => row.note},
]

describe('tables', () => {
  for (const {rows, expected, note} of [
    {rows: [], expected: '', note: 'no rows are no table'},
    {
      rows: [
        {name: 'a', size: 5},
        {name: 'longer', size: 12345},
      ],
      expected: 'NAME     SIZE\na           5\nlonger  12345',
      note: 'numbers stand right, and a column without values is left out',
    },
    {
      rows: [{name: 'a', note: 'x'}, {name: 'b'}],
      expected: 'NAME  NOTE\na     x\nb     -',
      note: 'one unknown value is a dash',
    },
    {
      rows: [
        {name: '容器', size: 1},
        {name: 'e\u0301', size: 2},
      ],
      expected: 'NAME  SIZE\n容器     1\ne\u0301        2',
      note: 'wide and combining characters keep the columns straight',
    },
    {
      rows: [{name: '\u001b[2J\u202etxt', size: 1}],
      expected: 'NAME              SIZE\n\\x1b[2J\\u202etxt     1',
      note: 'a hostile name cannot act on the terminal',
    },
  ] as {rows: Row[]; expected: string; note: string}[]) {
    it(note, () => {
      assert.equal(formatTable(rows, COLUMNS), expected)
    })
  }

  it('aligns fields and leaves out what is not known', () => {
    assert.equal(
      formatFields([
        ['A', '1'],
        ['Long', undefined],
        ['Bcd', '2'],
      ]),
      'A:   1\nBcd: 2',
    )
  })

  const FITTED = [
    {title: 'ID', cell: (row: Row) => row.note, spare: 1},
    {title: 'NAME', cell: (row: Row) => row.name, fit: 'middle' as const},
    {title: 'SIZE', cell: (row: Row) => row.size?.toString(), align: 'right' as const, spare: 2},
    {title: 'MESSAGE', cell: (row: Row) => `message of ${row.name}`, fit: 'wrap' as const},
    {title: 'PLACE', cell: (row: Row) => `place/of/${row.name}`, isOnDemand: true},
  ]

  it('never gets wider than the terminal, whatever is in the cells', () => {
    const row = fc.record({name: fc.string({unit: 'grapheme', maxLength: 90}), size: fc.nat(), note: fc.string()})
    fc.assert(
      fc.property(fc.array(row, {minLength: 1, maxLength: 5}), fc.integer({min: 1, max: 200}), (rows, width) => {
        for (const line of formatTable(rows, FITTED, {width}).split('\n')) assert.ok(stringWidth(line) <= width, line)
      }),
      {numRuns: FUZZ_RUNS},
    )
  })

  it('cuts digests to 12 digits on a terminal only', () => {
    const digest = `sha256:${'0123456789abcdef'.repeat(4)}`
    const rows = [{name: digest, note: `oci:x@${digest}`}]
    assert.equal(
      formatTable(rows, COLUMNS, {width: 80}),
      'NAME          NOTE\n0123456789ab  oci:x@sha256:0123456789ab…',
    )
    assert.ok(formatTable(rows, COLUMNS).includes(`${digest}  oci:x@${digest}`))
  })

  it('leaves out what can be spared, wraps prose and cuts names in their middle', () => {
    const rows = [{name: 'a-name-that-is-rather-long', size: 5, note: 'id-1'}]
    assert.equal(
      formatTable(rows, FITTED, {width: 50}),
      'NAME                SIZE  MESSAGE\n' +
        'a-name-th…her-long     5  message of\n' +
        '                          a-name-that-is-rather-lo\n' +
        '                          ng',
    )
  })

  it('shows the columns that are asked for, in their order, also those on demand', () => {
    const rows = [{name: 'b', size: 10}, {name: 'a', size: 9}, {name: 'c'}]
    assert.equal(
      formatTable(rows, FITTED, {columns: ['size', 'PLACE'], sort: '-size'}),
      'SIZE  PLACE\n  10  place/of/b\n   9  place/of/a\n   -  place/of/c',
    )
    assert.match(formatTable(rows, FITTED, {sort: 'name'}), /\na .*\nb .*\nc /)
    for (const view of [{columns: ['nmae']}, {sort: 'nmae'}])
      assert.throws(() => formatTable(rows, FITTED, view), {code: 'BAD_OPTION', suggestions: ["Did you mean 'name'?"]})
  })
})
