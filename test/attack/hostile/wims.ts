import {readFileSync} from 'node:fs'
import {wimVector} from '../../helpers/wim-files.js'
import type {Built, HostileInput, Use} from './input.js'

const WIMS: readonly {vector: string; name: string; code: string; use: Use; exit: number}[] = [
  {vector: 'bad-beyond-end', name: 'a resource beyond the file', code: 'ARCHIVE_CORRUPT', use: 'verify', exit: 1},
  {vector: 'bad-entry-length', name: 'an entry longer than its list', code: 'ARCHIVE_CORRUPT', use: 'verify', exit: 1},
  {vector: 'bad-hash', name: 'a content of another SHA-1', code: 'ARCHIVE_CORRUPT', use: 'verify', exit: 1},
  {vector: 'bad-huge-size', name: 'a content of 2^50 bytes', code: 'ARCHIVE_CORRUPT', use: 'verify', exit: 1},
  {vector: 'bad-loop', name: 'folders in a circle', code: 'NAME_UNSAFE', use: 'verify', exit: 1},
  {vector: 'bad-missing-blob', name: 'a content that is missing', code: 'LAYER_MISSING', use: 'verify', exit: 1},
  {vector: 'bad-names', name: 'names that Windows cannot have', code: 'NAME_UNSAFE', use: 'verify', exit: 1},
  {vector: 'bad-part', name: 'a part of a set alone', code: 'ARCHIVE_CORRUPT', use: 'verify', exit: 1},
  {
    vector: 'bad-security-id',
    name: 'a descriptor that is none of the table',
    code: 'DESCRIPTOR_CORRUPT',
    use: 'verify',
    exit: 1,
  },
  {vector: 'bad-shared-children', name: 'two folders of one list', code: 'ARCHIVE_CORRUPT', use: 'verify', exit: 1},
]

export const WIM_INPUTS: readonly HostileInput[] = WIMS.map(({vector, name, code, use, exit}) => ({
  name: `a Windows image with ${name}`,
  format: 'WIM',
  use,
  code,
  exit,
  build: (): Built => ({
    reference: (folder) => `wim:${folder}/bad.wim`,
    files: {'bad.wim': readFileSync(wimVector(vector))},
  }),
}))
