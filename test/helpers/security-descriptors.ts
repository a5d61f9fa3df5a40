import fc from 'fast-check'

/** A SID: revision, count, authority, parts. */
function sid(authority: number, ...parts: readonly number[]): Buffer {
  const bytes = Buffer.alloc(8 + 4 * parts.length)
  bytes.writeUInt8(1, 0)
  bytes.writeUInt8(parts.length, 1)
  bytes.writeUIntBE(authority, 2, 6)
  for (const [index, part] of parts.entries()) bytes.writeUInt32LE(part, 8 + 4 * index)
  return bytes
}

const SYSTEM = sid(5, 18)
const ADMINISTRATORS = sid(5, 32, 544)
const USERS = sid(5, 32, 545)
const TRUSTED_INSTALLER = sid(5, 80, 956008885, 3418522649, 1831038044, 1853292631, 2271478464)

/** An entry of a list. Source: [MS-DTYP] 2.4.4.1 to 2.4.4.3. */
export function ace(type: number, flags: number, mask: number, ...rest: readonly Uint8Array[]): Buffer {
  const body = Buffer.concat(rest)
  const head = Buffer.alloc(8)
  head.writeUInt8(type, 0)
  head.writeUInt8(flags, 1)
  head.writeUInt16LE(8 + body.byteLength, 2)
  head.writeUInt32LE(mask, 4)
  return Buffer.concat([head, body])
}

export function acl(...aces: readonly Uint8Array[]): Buffer {
  const head = Buffer.alloc(8)
  head.writeUInt8(2, 0)
  head.writeUInt16LE(
    aces.reduce((sum, {byteLength}) => sum + byteLength, 8),
    2,
  )
  head.writeUInt16LE(aces.length, 4)
  return Buffer.concat([head, ...aces])
}

interface Parts {
  readonly owner?: Buffer
  readonly group?: Buffer
  readonly dacl?: Buffer
  readonly sacl?: Buffer
}

/** A self-relative descriptor of these parts, in the order owner, group, system list, list. */
function descriptor(control: number, {owner, group, sacl, dacl}: Parts): Buffer {
  const head = Buffer.alloc(20)
  head.writeUInt8(1, 0)
  head.writeUInt16LE(0x8000 | control, 2)
  const bodies: Buffer[] = []
  let offset = head.byteLength
  for (const [place, part] of [
    [4, owner],
    [8, group],
    [12, sacl],
    [16, dacl],
  ] as const) {
    if (part === undefined) continue
    head.writeUInt32LE(offset, place)
    bodies.push(part)
    offset += part.byteLength
  }
  return Buffer.concat([head, ...bodies])
}

const anySid = fc
  .tuple(fc.constantFrom(0, 1, 3, 5, 15, 16, 2 ** 40), fc.array(fc.nat(0xffffffff), {maxLength: 15}))
  .map(([authority, parts]) => sid(authority, ...parts))
/** Entries with a SID behind the mask, and of a type that only some application knows. */
const anyAce = fc.oneof(
  fc
    .tuple(fc.constantFrom(0, 1, 2, 3, 9, 0x11), fc.nat(0xff), fc.nat(0xffffffff), anySid)
    .map(([type, flags, mask, who]) => ace(type, flags, mask, who)),
  fc
    .tuple(fc.constantFrom(0x04, 0x15, 0x80, 0xff), fc.nat(0xff), fc.uint8Array({maxLength: 24}))
    .map(([type, flags, body]) => ace(type, flags, 0, Buffer.from(body))),
)
const anyAcl = fc.array(anyAce, {maxLength: 4}).map((aces) => acl(...aces))

/** Arbitrary descriptors that Windows takes. */
export const anyDescriptor: fc.Arbitrary<Buffer> = fc
  .record(
    {
      owner: anySid,
      group: anySid,
      dacl: anyAcl,
      sacl: anyAcl,
      control: fc.constantFrom(0, 0x400, 0x1000, 0x2800),
      tail: fc.constantFrom(0, 0, 4, 7),
    },
    {requiredKeys: ['control', 'tail'], noNullPrototype: true},
  )
  .map(({control, tail, ...parts}) => {
    const present = (parts.dacl === undefined ? 0 : 0x4) | (parts.sacl === undefined ? 0 : 0x10)
    return Buffer.concat([descriptor(control | present, parts), Buffer.alloc(tail, 0x5a)])
  })

/** Security descriptors as Windows keeps them and as it writes them in text. */
export const SECURITY_DESCRIPTORS: readonly {
  readonly sddl: string
  readonly bytes: Buffer
  readonly note: string
}[] = [
  {
    sddl: 'O:BAG:SYD:(A;;FA;;;BA)(A;;FA;;;SY)(A;;0x1200a9;;;BU)',
    bytes: descriptor(0x4, {
      owner: ADMINISTRATORS,
      group: SYSTEM,
      dacl: acl(ace(0, 0, 0x1f01ff, ADMINISTRATORS), ace(0, 0, 0x1f01ff, SYSTEM), ace(0, 0, 0x1200a9, USERS)),
    }),
    note: 'what a program folder has',
  },
  {
    sddl: 'O:S-1-5-80-956008885-3418522649-1831038044-1853292631-2271478464D:PAI(A;OICIIO;GA;;;CO)(D;ID;FR;;;WD)',
    bytes: descriptor(0x1404, {
      owner: TRUSTED_INSTALLER,
      dacl: acl(ace(0, 0x0b, 0x10000000, sid(3, 0)), ace(1, 0x10, 0x120089, sid(1, 0))),
    }),
    note: 'a service as owner, a protected list, inherited entries',
  },
  {
    sddl: 'S:(ML;;NW;;;LW)',
    bytes: descriptor(0x10, {sacl: acl(ace(0x11, 0, 1, sid(16, 4096)))}),
    note: 'a mandatory label alone',
  },
  {
    sddl: 'O:SYD:(A;CI;KA;;;BA)(A;CI;KR;;;BU)(A;;CCDCSD;;;AU)S:(AU;SAFA;KW;;;WD)',
    bytes: descriptor(0x14, {
      owner: SYSTEM,
      dacl: acl(ace(0, 2, 0xf003f, ADMINISTRATORS), ace(0, 2, 0x20019, USERS), ace(0, 0, 0x10003, sid(5, 11))),
      sacl: acl(ace(2, 0xc0, 0x20006, sid(1, 0))),
    }),
    note: 'a registry key with auditing',
  },
  {sddl: 'O:SYD:', bytes: descriptor(0x4, {owner: SYSTEM, dacl: acl()}), note: 'an empty list, which grants nothing'},
]
