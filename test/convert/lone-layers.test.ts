import assert from 'node:assert/strict'
import {readdirSync, readFileSync, statSync} from 'node:fs'
import {writeFile} from 'node:fs/promises'
import path from 'node:path'
import fc from 'fast-check'
import {convert} from '../../src/convert/convert.js'
import {TransshipError} from '../../src/model/errors.js'
import {hybridMembers, partsOf, sha256, tarOf} from '../helpers/archives.js'
import {FUZZ_RUNS} from '../helpers/fuzz.js'
import {startMemoryRegistry, type MemoryRegistry} from '../helpers/memory-registry.js'
import {layerOf, type LayerMember} from '../helpers/refusals.js'
import {temporaryFolder} from '../helpers/temporary-folder.js'

const FILES: LayerMember = ['Files/', '']
const OPTIONS = {layers: 'chain', name: 'Case', publisher: 'CN=Test', packageVersion: '1.0.0.0'} as const

/** What of a layer only those below can tell: then it cannot be written alone, and is written anew with them. */
const NEEDS_BELOW: readonly {readonly title: string; readonly layers: readonly (readonly LayerMember[])[]}[] = [
  {
    title: 'a link to a file of a lower layer',
    layers: [
      [FILES, ['Files/a', 'one']],
      [FILES, ['Files/b', {hardLink: 'Files/a'}], ['Files/c', 'two']],
    ],
  },
  {
    title: 'an opaque folder',
    layers: [
      [FILES, ['Files/d/', ''], ['Files/d/a', 'one'], ['Files/d/b', 'two']],
      [FILES, ['Files/d/', ''], ['Files/d/.wh..wh..opq', ''], ['Files/d/c', 'three']],
    ],
  },
  {
    title: 'a folder that is deleted and made anew',
    layers: [
      [FILES, ['Files/d/', ''], ['Files/d/a', 'one'], ['Files/d/b', 'two']],
      [FILES, ['Files/.wh.d', ''], ['Files/d/', ''], ['Files/d/c', 'three']],
    ],
  },
  {
    title: 'a folder that is made and deleted behind it',
    layers: [
      [FILES, ['Files/d/', ''], ['Files/d/a', 'one']],
      [FILES, ['Files/d/c', 'three'], ['Files/.wh.d', '']],
    ],
  },
  {
    title: 'files in folders that only a lower layer states',
    layers: [
      [FILES, ['Files/d/', ''], ['Files/d/a', 'one']],
      [['Files/d/b', 'two']],
      [
        ['Files/d/e/f', 'three'],
        ['Files/x', {hardLink: 'Files/d/b'}],
      ],
    ],
  },
  {
    title: 'a file below a file of a lower layer',
    layers: [
      [FILES, ['Files/a', 'one']],
      [FILES, ['Files/a/b', 'two']],
    ],
  },
  {
    title: 'a file below a symbolic link of a lower layer',
    layers: [
      [FILES, ['Files/a', {symlink: 'C:\\Windows'}]],
      [FILES, ['Files/a/b', 'two']],
    ],
  },
  {
    title: 'a link to what no layer has',
    layers: [
      [FILES, ['Files/a', 'one']],
      [FILES, ['Files/b', {hardLink: 'Files/c'}]],
    ],
  },
  {
    title: 'a link to what comes later',
    layers: [
      [FILES, ['Files/a', 'one']],
      [
        FILES,
        ['Files/.wh.a', ''],
        ['Files/b', {hardLink: 'Files/a'}],
        ['Files/c', {hardLink: 'Files/d'}],
        ['Files/d', 'x'],
      ],
    ],
  },
]

describe('a layer that is written alone', function () {
  this.timeout(120_000)
  const folder = temporaryFolder()
  let count = 0
  let registry: MemoryRegistry
  before(async () => {
    registry = await startMemoryRegistry()
  })
  after(() => registry.stop())

  /** What a conversion makes of the payloads, or the code that it ends with. */
  async function madeOf(source: string, options: {readonly concurrency?: number}) {
    const place = path.join(folder.path, `${count++}`)
    try {
      const {exact, losses, inexact} = await convert(source, `inbox:${place}`, {...OPTIONS, ...options})
      return {tree: payloadsOf(place), exact, losses, inexact}
    } catch (error) {
      if (!(error instanceof TransshipError)) throw error
      return {code: error.code}
    }
  }

  /** From an image registry layers are read with those below; from files each is read alone, here and on other threads. */
  async function assertSame(
    layers: readonly (readonly LayerMember[])[],
    {hasOneFault}: {readonly hasOneFault: boolean},
  ): Promise<boolean> {
    const tars = await Promise.all(layers.map(layerOf))
    const archive = path.join(folder.path, `${count++}.tar`)
    await writeFile(archive, await tarOf(hybridMembers(partsOf(tars))))
    const sources = [`docker-archive:${archive}`, `oci:${path.join(folder.path, `${count++}`)}:image`] as const
    const far = `docker://${registry.host}/case:${count++}`
    for (const to of [sources[1], far]) await convert(sources[0], to, {compression: 'none'})
    const want = await madeOf(far, {})
    // Of several faults, what a layer is in itself may be told before how it fits those below.
    const toldOf = (made: typeof want) => ('code' in made && !hasOneFault ? 'refused' : made)
    for (const source of sources)
      for (const options of [{}, {concurrency: 2}])
        assert.deepEqual(toldOf(await madeOf(source, options)), toldOf(want), JSON.stringify(layers))
    registry.blobs.clear()
    registry.manifests.clear()
    return 'tree' in want
  }

  for (const {title, layers} of NEEDS_BELOW)
    it(`gives what it gives with those below: ${title}`, async () => {
      await assertSame(layers, {hasOneFault: true})
    })

  it('gives what it gives with those below, whatever the layers hold', async () => {
    const name = fc.constantFrom('a', 'A', 'b', 'c')
    const place = fc.array(name, {minLength: 1, maxLength: 3}).map((names) => `Files/${names.join('/')}`)
    const member = fc.oneof(
      place.map((at): LayerMember => [`${at}/`, '']),
      fc.tuple(place, fc.constantFrom('', 'text')).map(([at, text]): LayerMember => [at, text]),
      fc.tuple(place, place).map(([at, hardLink]): LayerMember => [at, {hardLink}]),
      place.map((at): LayerMember => [at.replace(/([^/]*)$/, '.wh.$1'), '']),
      place.map((at): LayerMember => [`${at}/.wh..wh..opq`, '']),
    )
    const layer = fc.array(member, {maxLength: 6}).map((members): LayerMember[] => [FILES, ...members])
    let good = 0
    await fc.assert(
      fc.asyncProperty(fc.array(layer, {minLength: 2, maxLength: 3}), async (layers) => {
        if (await assertSame(layers, {hasOneFault: false})) good++
      }),
      {numRuns: Math.ceil(FUZZ_RUNS / 10)},
    )
    assert.ok(good > 0)
  })
})

/** Every file of the payloads and what belongs to them, by its path in the repository. */
function payloadsOf(root: string): Record<string, string> {
  const names = readdirSync(root, {recursive: true, encoding: 'utf8'}).sort()
  return Object.fromEntries(
    names
      .filter((name) => statSync(path.join(root, name)).isFile())
      .filter(
        (name) =>
          !/^(?:repository\.json|[^/\\]+[/\\](?:metadata\.json|docker[/\\](?:config|manifest)\.json))$/.test(name),
      )
      .map((name) => [name, sha256(readFileSync(path.join(root, name)))]),
  )
}
