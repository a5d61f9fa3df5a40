import assert from 'node:assert/strict'
import {writeFileSync} from 'node:fs'
import path from 'node:path'
import {inspect, verify} from '../../../src/index.js'
import {partsOf, tarOf, type Member} from '../../helpers/archives.js'
import {LayoutBuilder, tagged} from '../../helpers/layouts.js'
import {temporaryFolder} from '../../helpers/temporary-folder.js'

/** What other readers take for another layout, or write elsewhere. */
const ODD: readonly (readonly [note: string, names: readonly string[], codes: readonly string[]])[] = [
  ['nothing', [], []],
  ['index.json twice', ['index.json'], ['DUPLICATE_ENTRY']],
  ['oci-layout twice, once with another spelling', ['./oci-layout'], ['DUPLICATE_ENTRY']],
  ['folders twice', ['blobs/', 'blobs/'], []],
  ['a name that leads out', ['../evil'], ['NAME_UNSAFE']],
  ['a blob that leads out', ['blobs/../../evil'], ['NAME_UNSAFE']],
  ['both', ['index.json', '/evil'], ['DUPLICATE_ENTRY', 'NAME_UNSAFE']],
]

describe('the members of an OCI layout in a tar', () => {
  const folder = temporaryFolder()

  for (const [index, [note, names, codes]] of ODD.entries())
    it(`are told by verify as those of any archive, and when it is opened: ${note}`, async () => {
      const builder = new LayoutBuilder()
      const parts = partsOf([await tarOf([['etc/os', 'linux']])], {os: 'linux'})
      builder.manifests.push(builder.image(parts, {more: tagged('1')}))
      const members = builder.members()
      const bodies = new Map(members.map(([name, body]) => [name, body]))
      const added = names.map((name): Member => [name, bodies.get(name.replace('./', '')) ?? ''])
      const file = path.join(folder.path, `${index}.tar`)
      writeFileSync(file, await tarOf([...members, ...added]))
      for (const selector of ['', ':1']) {
        const {faults} = await verify(`oci-archive:${file}${selector}`)
        assert.deepEqual(
          faults.map(({code}) => code),
          codes,
        )
      }
      const {warnings} = await inspect(`oci-archive:${file}:1`)
      const isRepeated = codes.includes('DUPLICATE_ENTRY')
      assert.deepEqual(
        warnings.map(({code}) => code),
        isRepeated ? ['repeated-member'] : [],
      )
    })
})
