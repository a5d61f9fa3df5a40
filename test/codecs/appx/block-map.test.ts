import assert from 'node:assert/strict'
import {readBlockMap, type MappedFile} from '../../../src/codecs/appx/block-map.js'
import {TransshipError} from '../../../src/model/errors.js'
import {blockMapOf, mappedFile} from '../../helpers/zip-writer.js'

const BLOCK = 65_536
const HASH = Buffer.alloc(32, 7).toString('base64')
const block = (size?: number | string) => `<Block Hash="${HASH}"${size === undefined ? '' : ` Size="${size}"`}/>`
const file = (attributes: string, ...blocks: readonly string[]) => `<File ${attributes}>${blocks.join('')}</File>`

async function filesOf(xml: string): Promise<Map<string, MappedFile>> {
  const files = new Map<string, MappedFile>()
  await readBlockMap([Buffer.from(xml)], 'it', (path, found) => files.set(path, found))
  return files
}

/** Everything that is wrong with a block map, and what is said of it. */
const FAULTS: readonly (readonly [title: string, xml: string, why: RegExp])[] = [
  ['no files', blockMapOf([]), /lists no files/],
  ['another root', '<Map xmlns="urn:x"/>', /root element/],
  ['another hash', blockMapOf([file('Name="a" Size="0" LfhSize="31"')]).replace('#sha256', '#sha512'), /not SHA-256/],
  ['an element that is none', blockMapOf(['<Other/>']), /unexpected element Other/],
  ['a block outside a file', blockMapOf([block()]), /unexpected element Block/],
  ['a file in a file', blockMapOf([file('Name="a" Size="0" LfhSize="31"', '<File/>')]), /unexpected element File/],
  ['no name', blockMapOf([file('Size="0" LfhSize="31"')]), /invalid name ""/],
  ['a slash in a name', blockMapOf([file('Name="a/b" Size="0" LfhSize="33"')]), /invalid name "a\/b"/],
  ['no size', blockMapOf([file('Name="a" LfhSize="31"')]), /sizes for 'a'/],
  ['a size with a zero in front', blockMapOf([file('Name="a" Size="01" LfhSize="31"', block())]), /sizes for 'a'/],
  ['a size below zero', blockMapOf([file('Name="a" Size="-1" LfhSize="31"')]), /sizes for 'a'/],
  ['a size that no number holds', blockMapOf([file('Name="a" Size="9999999999999999" LfhSize="31"')]), /sizes for 'a'/],
  ['no local size', blockMapOf([file('Name="a" Size="0"')]), /sizes for 'a'/],
  ['a local size too small', blockMapOf([file('Name="a" Size="0" LfhSize="29"')]), /sizes for 'a'/],
  ['a local size too large', blockMapOf([file('Name="a" Size="0" LfhSize="65537"')]), /sizes for 'a'/],
  ['a block too few', blockMapOf([file('Name="a" Size="65537" LfhSize="31"', block())]), /1 blocks for the 65537/],
  ['a block too many', blockMapOf([file('Name="a" Size="65536" LfhSize="31"', block(), block())]), /2 blocks/],
  ['a block of nothing', blockMapOf([file('Name="a" Size="0" LfhSize="31"', block())]), /1 blocks for the 0/],
  ['no hash', blockMapOf([file('Name="a" Size="1" LfhSize="31"', '<Block/>')]), /no SHA-256/],
  ['a hash too short', blockMapOf([file('Name="a" Size="1" LfhSize="31"', '<Block Hash="AAAA"/>')]), /no SHA-256/],
  ['a packed size of none', blockMapOf([file('Name="a" Size="1" LfhSize="31"', block(0))]), /impossible size/],
  ['a packed size twice its block', blockMapOf([file('Name="a" Size="1" LfhSize="31"', block(2 * BLOCK + 1))]), /impossible size/], // prettier-ignore
  ['a packed size that is none', blockMapOf([file('Name="a" Size="1" LfhSize="31"', block('x'))]), /impossible size/],
  ['a size for the first block alone', blockMapOf([file('Name="a" Size="70000" LfhSize="31"', block(9), block())]), /Only some blocks/], // prettier-ignore
  ['a size for the second block alone', blockMapOf([file('Name="a" Size="70000" LfhSize="31"', block(), block(9))]), /Only some blocks/], // prettier-ignore
]

describe('a block map', () => {
  it('tells files in order, with sizes and blocks, and slashes between names', async () => {
    const found = await filesOf(
      blockMapOf([
        mappedFile({name: 'Files/a.txt', bytes: Buffer.alloc(BLOCK + 1, 1)}),
        file('Name="empty" Size="0" LfhSize="30"'),
        file(`Name="largest" Size="${BLOCK}" LfhSize="65536"`, block(2 * BLOCK)),
        file('Name="b" Size="1" LfhSize="31"', block(), '<Later xmlns="urn:later"/>'),
      ]),
    )
    assert.deepEqual(
      [...found],
      [
        ['Files/a.txt', {sizeBytes: BLOCK + 1, localBytes: 41, firstBlock: 0, blocks: 2, isPacked: false}],
        ['empty', {sizeBytes: 0, localBytes: 30, firstBlock: 2, blocks: 0, isPacked: false}],
        ['largest', {sizeBytes: BLOCK, localBytes: 65_536, firstBlock: 2, blocks: 1, isPacked: true}],
        ['b', {sizeBytes: 1, localBytes: 31, firstBlock: 3, blocks: 1, isPacked: false}],
      ],
    )
  })

  for (const [title, xml, why] of FAULTS)
    it(`is refused with what is wrong: ${title}`, async () => {
      await assert.rejects(
        filesOf(xml),
        (error) => error instanceof TransshipError && error.code === 'MANIFEST_INVALID' && why.test(error.why ?? ''),
      )
    })
})
