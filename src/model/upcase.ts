/*
 * Windows compares names after upper-casing each UTF-16 unit with one frozen table (RtlUpcaseUnicodeChar, NTFS $UpCase).
 * JavaScript's toUpperCase follows the Unicode version of the runtime, so that names which meet today would not meet
 * tomorrow; the table is therefore data. Source: section 1.9 of the registry hive format page, Windows 10.
 */

/**
 * All units that change: `FIRST[-LAST]`, or `FIRST:LAST` for every second unit, then what is added to each. Units in
 * hexadecimal, what is added in decimal.
 */
const CHANGED =
  '61-7A-32 E0-F6-32 F8-FE-32 FF+121 101:12F-1 133:137-1 13A:148-1 14B:177-1 17A:17E-1 180+195 183:185-1 ' +
  '188-1 18C-1 192-1 195+97 199-1 19A+163 19E+130 1A1:1A5-1 1A8-1 1AD-1 1B0-1 1B4:1B6-1 1B9-1 1BD-1 1BF+56 ' +
  '1C6-2 1C9-2 1CC-2 1CE:1DC-1 1DD-79 1DF:1EF-1 1F3-2 1F5-1 1F9:21F-1 223:233-1 23C-1 242-1 247:24F-1 ' +
  '250+10783 251+10780 253-210 254-206 256-257-205 259-202 25B-203 260-205 263-207 268-209 269-211 ' +
  '26B+10743 26F-211 271+10749 272-213 275-214 27D+10727 280-218 283-218 288-218 289-69 28A-28B-217 28C-71 ' +
  '292-219 371:373-1 377-1 37B-37D+130 3AC-38 3AD-3AF-37 3B1-3C1-32 3C3-3CB-32 3CC-64 3CD-3CE-63 3D7-8 ' +
  '3D9:3EF-1 3F2+7 3F8-1 3FB-1 430-44F-32 450-45F-80 461:481-1 48B:4BF-1 4C2:4CE-1 4CF-15 4D1:523-1 ' +
  '561-586-48 1D79+35332 1D7D+3814 1E01:1E95-1 1EA1:1EFF-1 1F00-1F07+8 1F10-1F15+8 1F20-1F27+8 1F30-1F37+8 ' +
  '1F40-1F45+8 1F51:1F57+8 1F60-1F67+8 1F70-1F71+74 1F72-1F75+86 1F76-1F77+100 1F78-1F79+128 1F7A-1F7B+112 ' +
  '1F7C-1F7D+126 1F80-1F87+8 1F90-1F97+8 1FA0-1FA7+8 1FB0-1FB1+8 1FB3+9 1FC3+9 1FD0-1FD1+8 1FE0-1FE1+8 ' +
  '1FE5+7 1FF3+9 214E-28 2170-217F-16 2184-1 24D0-24E9-26 2C30-2C5E-48 2C61-1 2C65-10795 2C66-10792 ' +
  '2C68:2C6C-1 2C73-1 2C76-1 2C81:2CE3-1 2D00-2D25-7264 A641:A65F-1 A663:A66D-1 A681:A697-1 A723:A72F-1 ' +
  'A733:A76F-1 A77A:A77C-1 A77F:A787-1 A78C-1 FF41-FF5A-32'

function buildTable(): Uint16Array {
  const table = Uint16Array.from({length: 0x10000}, (_, unit) => unit)
  for (const run of CHANGED.split(' ')) {
    const [, first = '', mark, last = first, added = ''] =
      /^([0-9A-F]+)(?:([-:])([0-9A-F]+))?([+-]\d+)$/.exec(run) ?? []
    const step = mark === ':' ? 2 : 1
    for (let unit = Number.parseInt(first, 16); unit <= Number.parseInt(last, 16); unit += step) {
      table[unit] = unit + Number(added)
    }
  }
  return table
}

const TABLE = buildTable()
const ASCII = /^[\0-\x7f]*$/

/** One UTF-16 unit, upper-cased as Windows does. */
export function upcaseUnit(unit: number): number {
  return TABLE[unit] ?? unit
}

/** A name in the form under which Windows compares it. Same length as the input. */
export function upcase(name: string): string {
  // Most names are ASCII, where the table and JavaScript agree; the runtime makes one flat string of it.
  if (ASCII.test(name)) return name.toUpperCase()
  let index = 0
  while (index < name.length && TABLE[name.charCodeAt(index)] === name.charCodeAt(index)) index++
  if (index === name.length) return name
  let folded = name.slice(0, index)
  for (; index < name.length; index++) folded += String.fromCharCode(upcaseUnit(name.charCodeAt(index)))
  return folded
}
