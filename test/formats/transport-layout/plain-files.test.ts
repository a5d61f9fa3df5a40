import assert from 'node:assert/strict'
import type {FileEntry} from '../../../src/model/layer-entry.js'
import {fileEntry} from '../../helpers/file-system-model.js'
import {layoutWith} from '../../helpers/layout-folders.js'
import {temporaryFolder} from '../../helpers/temporary-folder.js'

/** A security descriptor that says nothing. */
const SECURITY = Buffer.from(`01000080${'00'.repeat(16)}`, 'hex')

const PLAIN = fileEntry('Hives/a', 'x') as FileEntry

describe('the one thing that a file without a carrier has besides', () => {
  const folder = temporaryFolder()
  for (const [kind, more, expected] of [
    ['security', {securityDescriptor: SECURITY}, `"sd":"${SECURITY.toString('base64')}"}`],
    [
      'extended attributes',
      {extendedAttributes: [{name: 'A', flags: 0, value: Buffer.from('v')}]},
      '"ea":[["A",0,"dg=="]]}',
    ],
    ['a reparse point', {reparsePoint: Buffer.from('r')}, '"rp":"cg=="}'],
    ['nothing', {}, '"attr":34}'],
  ] as const)
    it(`is kept in the index: ${kind}`, async () => {
      const meta = {...PLAIN.meta, attributes: 0x22, ...more}
      const {indexText} = await layoutWith(folder.path, [{...PLAIN, meta}])
      const line = indexText.split('\n').find((each) => each.includes('"Hives/a"'))
      assert.ok(line?.endsWith(expected), line)
    })
})
