/** A FILETIME: 100 ns ticks since 1601-01-01 UTC, signed 64 bit as stored. */
export type FileTime = bigint

/** FILETIME of 1970-01-01 UTC. */
export const UNIX_EPOCH: FileTime = 116444736000000000n

/**
 * FILETIME that Microsoft's tar reader gives an access or change time that the tar does not state: Go's zero time,
 * wrapped through 64-bit nanoseconds. Source: go-winio backuptar, run; see the transport layout page, section 3.2.
 */
export const UNSTATED_TIME: FileTime = 48491090211286549n

/** The four NTFS times. */
export interface FileTimes {
  readonly creation: FileTime
  readonly lastAccess: FileTime
  readonly lastWrite: FileTime
  /** Change of the metadata or content; not settable through any file API but backup. */
  readonly change: FileTime
}

/** One extended attribute. Source: FILE_FULL_EA_INFORMATION. */
export interface ExtendedAttribute {
  /** Name as stored, Latin-1 decoded (one character a byte). */
  readonly name: string
  /** 0, or 0x80 NEED_EA. */
  readonly flags: number
  readonly value: Uint8Array
}

/** FILE_ATTRIBUTE_* bits that the code looks at. Source: winnt.h. */
export const FileAttribute = {
  readOnly: 0x1,
  hidden: 0x2,
  system: 0x4,
  directory: 0x10,
  archive: 0x20,
  normal: 0x80,
  sparse: 0x200,
  reparsePoint: 0x400,
} as const

/** What Windows keeps about a file or folder beside its content. */
export interface WindowsMetadata {
  /** FILE_ATTRIBUTE_* bits, u32. */
  readonly attributes: number
  readonly times: FileTimes
  /** Self-relative SECURITY_DESCRIPTOR, verbatim; undefined = the source states none. */
  readonly securityDescriptor?: Uint8Array
  readonly extendedAttributes?: readonly ExtendedAttribute[]
  /** REPARSE_DATA_BUFFER with its head, verbatim; undefined = not a reparse point. */
  readonly reparsePoint?: Uint8Array
}
