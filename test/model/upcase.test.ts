import assert from 'node:assert/strict'
import {createHash} from 'node:crypto'
import {upcase, upcaseUnit} from '../../src/model/upcase.js'

/** The exceptions to JavaScript's upper-casing under Unicode 17, by range. Source: registry hive format page, 1.9. */
const UNLIKE_JAVASCRIPT =
  'B5 131 17F 19B 1C5 1C8 1CB 1F2 23F-240 252 25C 261 264-266 26A 26C 282 287 29D-29E 345 3C2 3D0-3D1 3D5-3D6 3F0-3F1 3F3 3F5 ' +
  '525 527 529 52B 52D 52F 10D0-10FA 10FD-10FF 13F8-13FD 1C80-1C88 1C8A 1D8E 1E9B 1F80-1F87 1F90-1F97 1FA0-1FA7 1FB3 1FBE 1FC3 ' +
  '1FF3 2C5F 2CEC 2CEE 2CF3 2D27 2D2D A661 A699 A69B A791 A793-A794 A797 A799 A79B A79D A79F A7A1 A7A3 A7A5 A7A7 A7A9 A7B5 A7B7 ' +
  'A7B9 A7BB A7BD A7BF A7C1 A7C3 A7C8 A7CA A7CD A7CF A7D1 A7D3 A7D5 A7D7 A7D9 A7DB A7F6 AB53 AB70-ABBF'

function unitsOf(ranges: string): Set<number> {
  const units = new Set<number>()
  for (const range of ranges.split(' ')) {
    const [first = 0, last = first] = range.split('-').map((hex) => Number.parseInt(hex, 16))
    for (let unit = first; unit <= last; unit++) units.add(unit)
  }
  return units
}

describe('upcase', () => {
  it('gives for all 65,536 units what was compared with Windows 10, whatever the runtime knows', () => {
    const table = Buffer.alloc(0x20000)
    for (let unit = 0; unit < 0x10000; unit++) table.writeUInt16LE(upcaseUnit(unit), unit * 2)
    assert.equal(
      createHash('sha256').update(table).digest('hex'),
      '41c26bc7a12bdaeb26025c93118697c7e3ef81ee048b00fe5cce2a472e0e0742',
    )
  })

  it('differs from JavaScript only in the units known for it, and in none that a newer Unicode may change', () => {
    const known = unitsOf(UNLIKE_JAVASCRIPT)
    for (let unit = 0; unit < 0x10000; unit++) {
      const upper = String.fromCharCode(unit).toUpperCase()
      // A newer runtime may give a unit an upper case; it must not be taken from one that the table changes.
      if (known.has(unit) || upcaseUnit(unit) === unit || upper.length !== 1) continue
      assert.equal(upcaseUnit(unit), upper.charCodeAt(0), unit.toString(16))
    }
  })

  for (const {unit, upper, note} of [
    {unit: 'a', upper: 'A', note: 'ASCII'},
    {unit: 'ÿ', upper: 'Ÿ', note: 'leaves Latin-1'},
    {unit: 'ß', upper: 'ß', note: 'has no upper case of one unit'},
    {unit: 'µ', upper: 'µ', note: 'Windows leaves it alone'},
    {unit: 'ı', upper: 'ı', note: 'else it would meet i'},
    {unit: 'ſ', upper: 'ſ', note: 'else it would meet s'},
    {unit: '\u1f80', upper: '\u1f88', note: 'JavaScript makes two letters of it'},
    {unit: '\u{10428}', upper: '\u{10428}', note: 'surrogates are left alone'},
    {unit: '\ud800', upper: '\ud800', note: 'a lone surrogate too'},
  ])
    it(`makes ${JSON.stringify(upper)} of ${JSON.stringify(unit)}: ${note}`, () => {
      assert.equal(upcase(`x${unit}`), `X${upper}`)
    })

  it('is the same when applied twice', () => {
    for (let unit = 0; unit < 0x10000; unit++) assert.equal(upcaseUnit(upcaseUnit(unit)), upcaseUnit(unit))
  })
})
