import {readFileSync} from 'node:fs'
import {baseBlockChecksum} from '../../../src/codecs/registry-hive/base-block.js'
import {sealed} from '../../helpers/hives.js'
import type {Built, HostileInput} from './input.js'

const HIVE = () => readFileSync('samples/payload/SOFTWARE.hiv')
const HIVES: readonly {name: string; code: string; bytes: () => Buffer}[] = [
  {name: 'a hive that is empty', code: 'HIVE_CORRUPT', bytes: () => Buffer.alloc(0)},
  {
    name: 'a hive of another magic',
    code: 'HIVE_CORRUPT',
    bytes: () => {
      const bytes = HIVE()
      bytes.write('ferg', 0, 'latin1')
      return bytes
    },
  },
  {
    name: 'a hive with a wrong checksum',
    code: 'accepted',
    bytes: () => {
      const bytes = HIVE()
      bytes.writeUInt32LE((baseBlockChecksum(bytes) ^ 1) >>> 0, 508)
      return bytes
    },
  },
  {name: 'a hive of an unknown version', code: 'FORMAT_UNSUPPORTED', bytes: () => sealed(HIVE(), {20: 9})},
  {name: 'a hive that is cut', code: 'HIVE_CORRUPT', bytes: () => HIVE().subarray(0, 4096)},
  {name: 'a hive whose root is elsewhere', code: 'HIVE_CORRUPT', bytes: () => sealed(HIVE(), {36: 0x7ffffff0})},
  {name: 'a hive that was not closed', code: 'accepted', bytes: () => sealed(HIVE(), {4: 9, 8: 8})},
  {
    name: 'a hive with a cell of size zero',
    code: 'HIVE_CORRUPT',
    bytes: () => {
      const bytes = HIVE()
      bytes.writeInt32LE(0, 4096 + 32)
      return bytes
    },
  },
  {
    name: 'a hive whose bin is beyond the end',
    code: 'HIVE_CORRUPT',
    bytes: () => {
      const bytes = HIVE()
      bytes.writeUInt32LE(0x7ffff000, 4096 + 8)
      return bytes
    },
  },
]

export const HIVE_INPUTS: readonly HostileInput[] = HIVES.map(({name, code, bytes}) => ({
  name,
  format: 'hive',
  use: 'hive',
  code,
  exit: code === 'accepted' ? 0 : 3,
  build: (): Built => ({reference: (folder) => `hive:${folder}/SOFTWARE`, files: {SOFTWARE: bytes()}}),
}))
