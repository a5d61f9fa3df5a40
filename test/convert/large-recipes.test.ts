import assert from 'node:assert/strict'
import {createHash} from 'node:crypto'
import {readdirSync, statSync, writeFileSync} from 'node:fs'
import path from 'node:path'
import {classicMembers, partsOf, tarOf} from '../helpers/archives.js'
import {paxText, rawMember} from '../helpers/raw-tar.js'
import {assertExactRoundTrip} from '../helpers/round-trip.js'
import {temporaryFolder} from '../helpers/temporary-folder.js'

/** Files are read in pieces of this size, all into the same memory. */
const PIECE_BYTES = 256 * 1024

/** A layer of so many empty files, each with a PAX record that no compression makes small: the recipe has to keep it. */
function layerOf(files: number): Buffer {
  const members = [rawMember({name: 'Files', type: '5'}), rawMember({name: 'Hives', type: '5'})]
  for (let index = 0; index < files; index++) {
    const comment = createHash('sha512').update(String(index)).digest('hex')
    members.push(rawMember({name: 'pax', type: 'x'}, paxText([['comment', comment]])))
    members.push(rawMember({name: `Files/${index}`}))
  }
  return Buffer.concat([...members, Buffer.alloc(1024)])
}

describe('a recipe that is longer than one piece of a file', () => {
  const folder = temporaryFolder()

  it('brings the layer back', async () => {
    const archive = path.join(folder.path, 'source.tar')
    writeFileSync(archive, await tarOf(classicMembers(partsOf([layerOf(4000)]))))
    const {repository} = await assertExactRoundTrip(archive, path.join(folder.path, 'source'))
    const recipes = readdirSync(repository, {recursive: true, encoding: 'utf8'}).filter((name) =>
      name.includes('recipe'),
    )
    const sizes = recipes.map((name) => statSync(path.join(repository, name)).size)
    assert.ok(Math.max(...sizes) > PIECE_BYTES)
  })
})
