import assert from 'node:assert/strict'
import {formatFields, formatTable} from '../../src/terminal/table.js'

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
})
