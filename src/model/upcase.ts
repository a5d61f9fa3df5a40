/*
 * Windows compares names after upper-casing each UTF-16 unit with one frozen table (RtlUpcaseUnicodeChar, NTFS $UpCase).
 * JavaScript's toUpperCase follows the Unicode version of the runtime and differs in 252 units, listed here.
 * Source: the comparison in section 1.9 of the registry hive format page, made against a Windows 10 table.
 */

/** Greek letters with iota subscript: Windows maps them one to one, JavaScript to two letters. */
const GREEK_PLUS_8: readonly (readonly [number, number])[] = [
  [0x1f80, 0x1f87],
  [0x1f90, 0x1f97],
  [0x1fa0, 0x1fa7],
]
const GREEK_PLUS_9: readonly number[] = [0x1fb3, 0x1fc3, 0x1ff3]

/** Units that Windows leaves alone although newer Unicode versions upper-case them. */
const UNCHANGED =
  'B5 131 17F 19B 1C5 1C8 1CB 1F2 23F-240 252 25C 261 264-266 26A 26C 282 287 29D-29E 345 3C2 3D0-3D1 3D5-3D6 3F0-3F1 3F3 3F5 ' +
  '525 527 529 52B 52D 52F 10D0-10FA 10FD-10FF 13F8-13FD 1C80-1C88 1C8A 1D8E 1E9B 1FBE 2C5F 2CEC 2CEE 2CF3 2D27 2D2D A661 A699 ' +
  'A69B A791 A793-A794 A797 A799 A79B A79D A79F A7A1 A7A3 A7A5 A7A7 A7A9 A7B5 A7B7 A7B9 A7BB A7BD A7BF A7C1 A7C3 A7C8 A7CA ' +
  'A7CD A7CF A7D1 A7D3 A7D5 A7D7 A7D9 A7DB A7F6 AB53 AB70-ABBF'

function buildTable(): Uint16Array {
  const table = new Uint16Array(0x10000)
  for (let unit = 0; unit < table.length; unit++) {
    const upper = unit >= 0xd800 && unit <= 0xdfff ? '' : String.fromCharCode(unit).toUpperCase()
    table[unit] = upper.length === 1 ? upper.charCodeAt(0) : unit
  }
  for (const range of UNCHANGED.split(' ')) {
    const [first = 0, last = first] = range.split('-').map((hex) => Number.parseInt(hex, 16))
    for (let unit = first; unit <= last; unit++) table[unit] = unit
  }
  for (const [first, last] of GREEK_PLUS_8) for (let unit = first; unit <= last; unit++) table[unit] = unit + 8
  for (const unit of GREEK_PLUS_9) table[unit] = unit + 9
  return table
}

const TABLE = buildTable()

/** One UTF-16 unit, upper-cased as Windows does. */
export function upcaseUnit(unit: number): number {
  return TABLE[unit] ?? unit
}

/** A name in the form under which Windows compares it. Same length as the input. */
export function upcase(name: string): string {
  let index = 0
  while (index < name.length && TABLE[name.charCodeAt(index)] === name.charCodeAt(index)) index++
  if (index === name.length) return name
  let folded = name.slice(0, index)
  for (; index < name.length; index++) folded += String.fromCharCode(upcaseUnit(name.charCodeAt(index)))
  return folded
}
