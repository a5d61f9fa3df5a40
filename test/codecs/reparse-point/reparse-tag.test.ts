import assert from 'node:assert/strict'
import {isMicrosoftTag, reparseTagName} from '../../../src/codecs/reparse-point/reparse-tag.js'

/** IO_REPARSE_TAG_* of winnt.h and MS-FSCC 2.1.2.1. */
const TAGS: Readonly<Record<string, number>> = {
  MOUNT_POINT: 0xa0000003,
  HSM: 0xc0000004,
  DRIVE_EXTENDER: 0x80000005,
  HSM2: 0x80000006,
  SIS: 0x80000007,
  WIM: 0x80000008,
  CSV: 0x80000009,
  DFS: 0x8000000a,
  FILTER_MANAGER: 0x8000000b,
  SYMLINK: 0xa000000c,
  IIS_CACHE: 0xa0000010,
  DFSR: 0x80000012,
  DEDUP: 0x80000013,
  APPXSTRM: 0xc0000014,
  NFS: 0x80000014,
  FILE_PLACEHOLDER: 0x80000015,
  DFM: 0x80000016,
  WOF: 0x80000017,
  WCI: 0x80000018,
  WCI_1: 0x90001018,
  GLOBAL_REPARSE: 0xa0000019,
  CLOUD: 0x9000001a,
  CLOUD_1: 0x9000101a,
  CLOUD_9: 0x9000901a,
  CLOUD_F: 0x9000f01a,
  APPEXECLINK: 0x8000001b,
  PROJFS: 0x9000001c,
  LX_SYMLINK: 0xa000001d,
  STORAGE_SYNC: 0x8000001e,
  WCI_TOMBSTONE: 0xa000001f,
  UNHANDLED: 0x80000020,
  ONEDRIVE: 0x80000021,
  PROJFS_TOMBSTONE: 0xa0000022,
  AF_UNIX: 0x80000023,
  LX_FIFO: 0x80000024,
  LX_CHR: 0x80000025,
  LX_BLK: 0x80000026,
  WCI_LINK: 0xa0000027,
  WCI_LINK_1: 0xa0001027,
  STORAGE_SYNC_FOLDER: 0x90000027,
}

describe('names of reparse tags', () => {
  for (const [name, tag] of Object.entries(TAGS))
    it(`show 0x${tag.toString(16)} as ${name}`, () => {
      assert.equal(reparseTagName(tag), name)
    })

  for (const [tag, text] of [
    [0x00000001, '0x00000001'],
    [0x8000abcd, '0x8000ABCD'],
    [0x9001001a, '0x9001001A'],
  ] as const)
    it(`show ${text}, which is unknown, in hexadecimal`, () => {
      assert.equal(reparseTagName(tag), text)
    })

  it('tell whose they are by their top bit', () => {
    for (const tag of Object.values(TAGS)) assert.equal(isMicrosoftTag(tag), true)
    assert.equal(isMicrosoftTag(0x7fffffff), false)
  })
})
