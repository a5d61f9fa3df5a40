/** Reparse tags that the code looks at. Source: ntifs.h, MS-FSCC 2.1.2.1. */
export const ReparseTag = {
  mountPoint: 0xa0000003,
  symlink: 0xa000000c,
} as const

/** Names for display. Source: MS-FSCC 2.1.2.1 and winnt.h (IO_REPARSE_TAG_*). */
const TAG_NAMES: ReadonlyMap<number, string> = new Map([
  [0xa0000003, 'MOUNT_POINT'],
  [0xc0000004, 'HSM'],
  [0x80000005, 'DRIVE_EXTENDER'],
  [0x80000006, 'HSM2'],
  [0x80000007, 'SIS'],
  [0x80000008, 'WIM'],
  [0x80000009, 'CSV'],
  [0x8000000a, 'DFS'],
  [0x8000000b, 'FILTER_MANAGER'],
  [0xa000000c, 'SYMLINK'],
  [0xa0000010, 'IIS_CACHE'],
  [0x80000012, 'DFSR'],
  [0x80000013, 'DEDUP'],
  [0xc0000014, 'APPXSTRM'],
  [0x80000014, 'NFS'],
  [0x80000015, 'FILE_PLACEHOLDER'],
  [0x80000016, 'DFM'],
  [0x80000017, 'WOF'],
  [0x80000018, 'WCI'],
  [0x90001018, 'WCI_1'],
  [0xa0000019, 'GLOBAL_REPARSE'],
  [0x8000001b, 'APPEXECLINK'],
  [0x9000001c, 'PROJFS'],
  [0xa000001d, 'LX_SYMLINK'],
  [0x8000001e, 'STORAGE_SYNC'],
  [0x90000027, 'STORAGE_SYNC_FOLDER'],
  [0xa000001f, 'WCI_TOMBSTONE'],
  [0x80000020, 'UNHANDLED'],
  [0x80000021, 'ONEDRIVE'],
  [0xa0000022, 'PROJFS_TOMBSTONE'],
  [0x80000023, 'AF_UNIX'],
  [0x80000024, 'LX_FIFO'],
  [0x80000025, 'LX_CHR'],
  [0x80000026, 'LX_BLK'],
  [0xa0000027, 'WCI_LINK'],
  [0xa0001027, 'WCI_LINK_1'],
])

/** CLOUD tags differ in the four bits of 0xf000. Source: ntifs.h, IO_REPARSE_TAG_CLOUD_MASK. */
const CLOUD = 0x9000001a
const CLOUD_MASK = 0x0000f000

/** `SYMLINK`, `WCI`, `CLOUD_3` …, or the tag in hexadecimal when it has no known name. */
export function reparseTagName(tag: number): string {
  const known = TAG_NAMES.get(tag)
  if (known !== undefined) return known
  if ((tag & ~CLOUD_MASK) >>> 0 === CLOUD) {
    const step = (tag & CLOUD_MASK) >>> 12
    return step === 0 ? 'CLOUD' : `CLOUD_${step.toString(16).toUpperCase()}`
  }
  return `0x${tag.toString(16).padStart(8, '0').toUpperCase()}`
}

/** True when the tag belongs to Microsoft, so that no GUID follows the head. Source: MS-FSCC 2.1.2.1, bit M. */
export function isMicrosoftTag(tag: number): boolean {
  return tag >>> 31 === 1
}
