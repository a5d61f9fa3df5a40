import {inBlocks, paxText} from '../../helpers/raw-tar.js'
import {mutateBytes} from './mutate-bytes.js'
import {BAD_NAMES} from './mutate-json.js'
import type {Random} from './random.js'

const BLOCK = 512

interface Member {
  header: Buffer
  body: Buffer
}

/** Header blocks and bodies, as a sound tar has them; what cannot be taken apart is left out. */
function membersOf(tar: Buffer): Member[] {
  const members: Member[] = []
  for (let at = 0; at + BLOCK <= tar.byteLength;) {
    const header = Buffer.from(tar.subarray(at, at + BLOCK))
    if (header.every((byte) => byte === 0)) break
    const size = sizeOf(header)
    if (size === undefined) break
    members.push({header, body: Buffer.from(tar.subarray(at + BLOCK, at + BLOCK + size))})
    at += BLOCK + Math.ceil(size / BLOCK) * BLOCK
  }
  return members
}

function sizeOf(header: Buffer): number | undefined {
  const field = header.subarray(124, 136)
  if (((field[0] ?? 0) & 0x80) !== 0) return Number(field.readBigUInt64BE(4))
  const size = Number.parseInt(field.toString('latin1'), 8)
  return Number.isNaN(size) ? undefined : size
}

function seal(header: Buffer): void {
  header.fill(' ', 148, 156)
  const sum = header.reduce((total, byte) => total + byte, 0)
  header.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148, 'latin1')
}

function putSize(header: Buffer, size: number): void {
  header.write(`${size.toString(8).padStart(11, '0')}\0`, 124, 'latin1')
}

const RECORDS: readonly (readonly [string, readonly string[]])[] = [
  ['path', [...BAD_NAMES, 'Files/a', 'Files', 'Hives/System_Delta', 'Files/x/.wh.y', 'Files/.wh..wh..opq']],
  ['linkpath', [...BAD_NAMES, 'Files/a', 'Files']],
  ['size', ['0', '1', '-1', '511', '99999999999999999999', '1e3', '']],
  ['mtime', ['0', '-1', '1.5', '1e9', '99999999999999', '1.12345678901234567890', '']],
  ['LIBARCHIVE.creationtime', ['0', '-11644473600', '-11644473601', '9223372036854775807', 'x']],
  ['MSWINDOWS.fileattr', ['0', '16', '32', '1040', '4294967295', '4294967296', '-1', 'x']],
  ['MSWINDOWS.rawsd', ['', 'AQ==', 'AQAEgA==', '!!!!', 'AQAEgBQAAAAkAAAAAAAAAAAAAAABAgAAAAAABSAAAAAgAgAA']],
  ['MSWINDOWS.xattr.A', ['', 'AQ==', '!!!!']],
  ['MSWINDOWS.mountpoint', ['', '1', '0', 'x']],
  ['TRANSSHIP.frame', ['', 'AQ==', '!!!!', 'AAAAAAAAAAA=']],
  ['GNU.sparse.major', ['0', '1', '2', 'x']],
  ['GNU.sparse.minor', ['0', '1', '2']],
  ['GNU.sparse.name', [...BAD_NAMES, 'Files/sparse']],
  ['GNU.sparse.realsize', ['0', '1', '1000000', '99999999999999999999', '-1']],
  ['GNU.sparse.size', ['0', '1', '1000000', '-1']],
  ['GNU.sparse.map', ['', '0', '0,1', '0,1,5,1', '5,1,0,1', '0,-1', '0,99999999999999999999']],
  ['GNU.sparse.numblocks', ['0', '1', '2', '1000001', '-1']],
  ['hdrcharset', ['BINARY', 'ISO-IR 10646 2000 UTF-8', 'x']],
  ['comment', ['', 'x'.repeat(5000)]],
]

/** The records of a PAX body; undefined where it cannot be taken apart. */
function recordsOf(body: Buffer): [string, Buffer][] | undefined {
  const records: [string, Buffer][] = []
  for (let at = 0; at < body.byteLength;) {
    const space = body.indexOf(0x20, at)
    const length = Number(body.subarray(at, space).toString('latin1'))
    const equals = body.indexOf(0x3d, space)
    if (space < 0 || equals < 0 || !(length > 0) || at + length > body.byteLength) return undefined
    records.push([body.subarray(space + 1, equals).toString(), body.subarray(equals + 1, at + length - 1)])
    at += length
  }
  return records
}

function changePax(random: Random, member: Member): void {
  const records = recordsOf(member.body)
  if (records === undefined || random.chance(0.15)) {
    member.body = mutateBytes(random, member.body, {words: ['path=', '\n', '0 ', '30 mtime=']})
  } else {
    for (let count = random.few(); count > 0; count--) {
      const at = random.int(records.length + 1)
      const [key, values] = random.pick(RECORDS)
      const own = records[at]
      if (own === undefined || random.chance(0.4)) records.splice(at, 0, [key, Buffer.from(random.pick(values))])
      else if (random.chance(0.3)) records.splice(at, 1)
      else if (random.chance(0.5)) {
        const known = RECORDS.find(([name]) => name === own[0])
        own[1] = known === undefined ? mutateBytes(random, own[1]) : Buffer.from(random.pick(known[1]))
      } else own[1] = mutateBytes(random, own[1], {inPlace: random.chance(0.5)})
    }
    member.body = paxText(records)
  }
  putSize(member.header, member.body.byteLength)
}

const NAMES = [
  ...BAD_NAMES,
  'Files',
  'Files/',
  'Hives/Sam_Delta',
  'UtilityVM/Files/a',
  'Files/.wh.a',
  'Files/.wh..wh..opq',
  'Files/a:b',
]

function changeMember(random: Random, member: Member): void {
  const {header} = member
  const type = String.fromCharCode(header[156] ?? 0)
  if ((type === 'x' || type === 'g') && random.chance(0.7)) {
    changePax(random, member)
    return
  }
  switch (random.int(9)) {
    case 0:
      header.fill(0, 0, 100)
      Buffer.from(random.pick(NAMES)).copy(header, 0, 0, 100)
      break
    case 1:
      header.fill(0, 157, 257)
      Buffer.from(random.pick(NAMES)).copy(header, 157, 0, 100)
      break
    case 2:
      header.write(
        random.pick(['0', '\0', '1', '2', '3', '4', '5', '6', '7', 'g', 'x', 'L', 'K', 'S', 'D', 'V', 'M', 'X', '?']),
        156,
        'latin1',
      )
      break
    case 3:
      putSize(header, random.pick([0, 1, 511, 512, 513, member.body.byteLength + 1, 8 ** 11 - 1]))
      break
    case 4:
      header.fill(
        random.pick([0, 0x20, 0x37, 0x80, 0xff]),
        random.pick([100, 108, 116, 124, 136, 329, 337]),
        random.pick([108, 116, 136, 148, 345]),
      )
      break
    case 5:
      header.write(random.pick(['ustar\x0000', 'ustar  \0', '\0\0\0\0\0\0\0\0', 'ustar\0zz']), 257, 'latin1')
      break
    case 6:
      member.body = mutateBytes(random, member.body, {inPlace: random.chance(0.6)})
      if (random.chance(0.8)) putSize(header, member.body.byteLength)
      break
    case 7:
      Buffer.from(mutateBytes(random, header, {inPlace: true})).copy(header)
      break
    default:
      header.fill(0, 345, 500)
      Buffer.from(random.pick(NAMES)).copy(header, 345, 0, 155)
  }
}

/** A tar with members changed, moved, repeated or left out, checksums made to fit; sometimes bytes changed anywhere. */
export function mutateTar(random: Random, original: Buffer, corpus: readonly Buffer[] = [original]): Buffer {
  if (random.isPlain) return Buffer.from(original)
  if (random.chance(0.12)) return mutateBytes(random, original, {corpus})
  const members = membersOf(original)
  if (members.length === 0) return mutateBytes(random, original, {corpus})
  for (let count = random.few(); count > 0; count--) {
    const at = random.int(members.length)
    const member = members[at]
    const choice = random.int(10)
    if (member === undefined || choice === 0) {
      const others = membersOf(random.pick(corpus))
      if (others.length === 0) continue
      const added = random.pick(others)
      members.splice(at, 0, {header: Buffer.from(added.header), body: added.body})
    } else if (choice === 1) members.splice(at, 1)
    else if (choice === 2)
      members.splice(random.int(members.length + 1), 0, {header: Buffer.from(member.header), body: member.body})
    else if (choice === 3) members.push(...members.splice(at, 1))
    else {
      changeMember(random, member)
      if (random.chance(0.95)) seal(member.header)
    }
    if (members.length === 0) break
  }
  const end = random.chance(0.9)
    ? Buffer.alloc(2 * BLOCK)
    : random.pick([Buffer.alloc(0), Buffer.alloc(BLOCK), random.bytes(700)])
  const fill = random.chance(0.9) ? 0 : 0x41
  return Buffer.concat([
    ...members.flatMap(({header, body}) => {
      const padded = inBlocks(body)
      padded.fill(fill, body.byteLength)
      return [header, padded]
    }),
    end,
  ])
}
