import {createHash} from 'node:crypto'
import {constants, crc32, deflateRawSync} from 'node:zlib'

/** How one entry of a zip is written; what is not given is as the simplest writer has it. */
export interface ZipForm {
  readonly isDeflated?: boolean
  /** What ends the deflate stream behind its blocks: an empty final block of either kind, or nothing. */
  readonly end?: 'final' | 'stored-final' | 'none'
  readonly descriptor?: 'signed' | 'bare' | 'wide'
  /** Sizes in the local header although a descriptor follows. */
  readonly sizesTwice?: boolean
  /** Unpacked size as the local header states it, right or wrong. */
  readonly localSizeBytes?: number
  readonly localExtra?: Buffer
  readonly centralExtra?: Buffer
  /** Sizes and offset by the zip64 field in both headers. */
  readonly isZip64?: boolean
  readonly internalAttributes?: number
  readonly externalAttributes?: number
  readonly localFlags?: number
  readonly flags?: number
  /** What lies behind the deflate stream, inside the entry. */
  readonly behind?: Buffer
}

export interface ZipMember extends ZipForm {
  readonly name: string
  readonly bytes: Buffer
  /** Bytes as they are packed, in place of what follows from the form. */
  readonly packed?: Buffer
}

const BLOCK_BYTES = 65536
const ENDS = {final: Buffer.of(3, 0), 'stored-final': Buffer.of(1, 0, 0, 0xff, 0xff), none: Buffer.alloc(0)}

/** Blocks that are deflated each for itself, as packages have them. */
export function packBlocks(bytes: Buffer): Buffer[] {
  const blocks: Buffer[] = []
  for (let at = 0; at < bytes.length; at += BLOCK_BYTES)
    blocks.push(deflateRawSync(bytes.subarray(at, at + BLOCK_BYTES), {finishFlush: constants.Z_FULL_FLUSH}))
  return blocks
}

/** The `File` element of a block map. */
export function mappedFile(
  {name, bytes, isDeflated = false, localExtra = Buffer.alloc(0), isZip64 = false}: ZipMember,
  options: {readonly withSizes?: boolean; readonly localBytes?: number} = {},
): string {
  const localBytes = options.localBytes ?? 30 + name.length + localExtra.length + (isZip64 ? 20 : 0)
  const packed = packBlocks(bytes)
  const blocks = packed.map((block, index) => {
    const hash = createHash('sha256').update(bytes.subarray(index * BLOCK_BYTES, (index + 1) * BLOCK_BYTES))
    const size = (options.withSizes ?? isDeflated) ? ` Size="${block.length}"` : ''
    return `<Block Hash="${hash.digest('base64')}"${size}/>`
  })
  const path = decodeURIComponent(name).replaceAll('/', '\\')
  return `<File Name="${path}" Size="${bytes.length}" LfhSize="${localBytes}">${blocks.join('')}</File>`
}

export function blockMapOf(files: readonly string[], declaration = '<?xml version="1.0"?>'): string {
  const method = 'http://www.w3.org/2001/04/xmlenc#sha256'
  return `${declaration}<BlockMap xmlns="http://schemas.microsoft.com/appx/2010/blockmap" HashMethod="${method}">${files.join('')}</BlockMap>`
}

/** A zip of the members in order, without zip64 end record. */
export function zipOf(members: readonly ZipMember[]): Buffer {
  const [locals, centrals]: [Buffer[], Buffer[]] = [[], []]
  let offset = 0
  for (const member of members) {
    const {local, central} = entryOf(member, offset)
    locals.push(local)
    centrals.push(central)
    offset += local.length
  }
  const directory = Buffer.concat(centrals)
  const end = Buffer.alloc(22)
  end.writeUInt32LE(0x06054b50, 0)
  end.writeUInt16LE(members.length, 8)
  end.writeUInt16LE(members.length, 10)
  end.writeUInt32LE(directory.length, 12)
  end.writeUInt32LE(offset, 16)
  return Buffer.concat([...locals, directory, end])
}

function packedOf({bytes, packed, isDeflated = false, end = 'final', behind}: ZipMember): Buffer {
  if (packed !== undefined) return packed
  if (!isDeflated) return bytes
  return Buffer.concat([...packBlocks(bytes), ENDS[end], behind ?? Buffer.alloc(0)])
}

function entryOf(member: ZipMember, offset: number): {local: Buffer; central: Buffer} {
  const {name, bytes, isDeflated = false, descriptor, sizesTwice = false, isZip64 = false} = member
  const packed = packedOf(member)
  const crc = crc32(bytes)
  const flags = (member.flags ?? 0) | (descriptor === undefined ? 0 : 8)
  const hasSizes = descriptor === undefined || sizesTwice
  const narrow = (size: number) => (isZip64 ? 0xffffffff : hasSizes ? size : 0)
  const localExtra = Buffer.concat([
    isZip64 ? zip64(hasSizes ? [bytes.length, packed.length] : [0, 0]) : Buffer.alloc(0),
    member.localExtra ?? Buffer.alloc(0),
  ])
  const head = Buffer.alloc(30)
  head.writeUInt32LE(0x04034b50, 0)
  head.writeUInt16LE(20, 4)
  head.writeUInt16LE(member.localFlags ?? flags, 6)
  head.writeUInt16LE(isDeflated ? 8 : 0, 8)
  head.writeUInt16LE(0x21, 12)
  head.writeUInt32LE(hasSizes ? crc : 0, 14)
  head.writeUInt32LE(narrow(packed.length), 18)
  head.writeUInt32LE(member.localSizeBytes ?? narrow(bytes.length), 22)
  head.writeUInt16LE(name.length, 26)
  head.writeUInt16LE(localExtra.length, 28)
  const local = [
    head,
    Buffer.from(name, 'latin1'),
    localExtra,
    packed,
    descriptorOf(descriptor, [crc, packed.length, bytes.length]),
  ]
  const centralExtra = Buffer.concat([
    member.centralExtra ?? Buffer.alloc(0),
    isZip64 ? zip64([bytes.length, packed.length, offset]) : Buffer.alloc(0),
  ])
  const central = Buffer.alloc(46)
  central.writeUInt32LE(0x02014b50, 0)
  central.writeUInt16LE(20, 4)
  central.writeUInt16LE(20, 6)
  central.writeUInt16LE(flags, 8)
  central.writeUInt16LE(isDeflated ? 8 : 0, 10)
  central.writeUInt16LE(0x21, 14)
  central.writeUInt32LE(crc, 16)
  central.writeUInt32LE(isZip64 ? 0xffffffff : packed.length, 20)
  central.writeUInt32LE(isZip64 ? 0xffffffff : bytes.length, 24)
  central.writeUInt16LE(name.length, 28)
  central.writeUInt16LE(centralExtra.length, 30)
  central.writeUInt16LE(member.internalAttributes ?? 0, 36)
  central.writeUInt32LE(member.externalAttributes ?? 0, 38)
  central.writeUInt32LE(isZip64 ? 0xffffffff : offset, 42)
  return {local: Buffer.concat(local), central: Buffer.concat([central, Buffer.from(name, 'latin1'), centralExtra])}
}

function descriptorOf(kind: ZipForm['descriptor'], numbers: readonly number[]): Buffer {
  if (kind === undefined) return Buffer.alloc(0)
  const [crc = 0, ...sizes] = numbers
  const head = Buffer.alloc(8)
  head.writeUInt32LE(0x08074b50, 0)
  head.writeUInt32LE(crc, 4)
  const fields = sizes.map((size) => {
    const field = Buffer.alloc(kind === 'wide' ? 8 : 4)
    field.writeUInt32LE(size)
    return field
  })
  return Buffer.concat([kind === 'bare' ? head.subarray(4) : head, ...fields])
}

/** The zip64 field. */
export function zip64(numbers: readonly number[]): Buffer {
  const bytes = Buffer.alloc(4 + 8 * numbers.length)
  bytes.writeUInt16LE(1, 0)
  bytes.writeUInt16LE(8 * numbers.length, 2)
  for (const [index, value] of numbers.entries()) bytes.writeBigUInt64LE(BigInt(value), 4 + 8 * index)
  return bytes
}
