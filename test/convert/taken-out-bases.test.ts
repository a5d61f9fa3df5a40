import assert from 'node:assert/strict'
import {createHash} from 'node:crypto'
import {mkdirSync, rmSync, writeFileSync} from 'node:fs'
import path from 'node:path'
import {convert, inspect, list, verify} from '../../src/index.js'
import {
  classicMembers,
  craneMembers,
  hybridMembers,
  partsOf,
  podmanMembers,
  sha256,
  tarOf,
  type Member,
  type Parts,
} from '../helpers/archives.js'
import {runCli} from '../helpers/run-cli.js'
import {temporaryFolder} from '../helpers/temporary-folder.js'
import {layersIn} from '../helpers/windows-images.js'

/** The members whose bodies are those of the lowest layers, by name, are gone. */
function without(members: readonly Member[], parts: Parts, count: number): Member[] {
  const layers = namesOf(members)
  const gone = new Set(layers.slice(0, count))
  assert.equal(gone.size, count)
  assert.equal(layers.length, parts.layers.length)
  return members.filter(([name]) => !gone.has(name))
}

function namesOf(members: readonly Member[]): readonly string[] {
  const find = (name: string) => members.find(([each]) => each === name)?.[1] as string
  const text = find('manifest.json') as string | undefined
  if (text !== undefined) return (JSON.parse(text) as [{Layers: string[]}])[0].Layers
  const index = JSON.parse(find('index.json')) as {manifests: [{digest: string}]}
  const manifest = JSON.parse(find(`blobs/sha256/${index.manifests[0].digest.slice(7)}`)) as {
    layers: {digest: string}[]
  }
  return manifest.layers.map(({digest}) => `blobs/sha256/${digest.slice(7)}`)
}

describe('images whose base layers were taken out', () => {
  const folder = temporaryFolder()
  let parts: Parts
  let full = ''
  let made = 0

  const fresh = (end = '') => path.join(folder.path, `made-${made++}${end}`)

  async function saved(members: readonly Member[]): Promise<string> {
    const file = fresh('.tar')
    writeFileSync(file, await tarOf(members))
    return `docker-archive:${file}`
  }

  before(async () => {
    parts = partsOf(await layersIn('samples/shop.tar'))
    full = await saved(classicMembers(parts))
  })

  const FORMS: readonly {title: string; members: () => Member[]}[] = [
    {title: 'docker save of 1.10 to 24', members: () => classicMembers(parts)},
    {title: 'docker save of 25', members: () => hybridMembers(parts)},
    {title: 'ctr image export, compressed', members: () => hybridMembers(parts, {compressed: true})},
    {title: 'an index alone', members: () => hybridMembers(parts, {withManifestJson: false})},
    {title: 'podman save', members: () => podmanMembers(parts)},
    {title: 'crane pull', members: () => craneMembers(parts)},
  ]

  /** The same image as an OCI layout with the same gap. */
  async function layoutWithout(count: number): Promise<string> {
    const root = fresh()
    await convert(full, `oci:${root}:1`)
    for (const diffId of parts.diffIds.slice(0, count)) rmSync(path.join(root, 'blobs', 'sha256', diffId.slice(7)))
    return `oci:${root}:1`
  }

  for (const {title, members} of FORMS)
    for (const count of [1, 2])
      it(`${title}: ${count} of 3 layers`, async () => {
        const source = await saved(without(members(), parts, count))
        const opened = await inspect(source)
        assert.equal(opened.imageId, parts.imageId)
        assert.deepEqual(
          opened.layers.map(({hasContent, diffId}) => [hasContent, diffId]),
          parts.diffIds.map((diffId, index) => [index >= count, diffId]),
        )
        assert.deepEqual(
          opened.warnings.map(({code}) => code).filter((code) => code === 'layer-not-held'),
          Array.from({length: count}, () => 'layer-not-held'),
        )
        assert.equal((await list(source)).items[0]?.layers, 3)
        const {ok, faults} = await verify(source)
        assert.deepEqual(
          [ok, faults.map(({code}) => code)],
          [false, Array.from({length: count}, () => 'LAYER_MISSING')],
        )

        // Nothing is written without a word on what is missing.
        for (const destination of [`docker-archive:${fresh()}`, `oci:${fresh()}`, `inbox:${fresh()}`])
          await assert.rejects(convert(source, destination), (error: Error & {code: string; suggestions: string[]}) => {
            assert.equal(error.code, 'LAYER_MISSING')
            assert.match(error.suggestions.join(' '), /--base[^]*--without-base/)
            return true
          })
        const {code, stderr} = await runCli(['convert', source, `oci:${fresh()}`])
        assert.equal(code, 3, stderr)

        for (const base of [full, await layoutWithout(0)])
          for (const destination of [`docker-archive:${fresh('.tar')}`, `oci:${fresh()}`]) {
            const {artifacts} = await convert(source, destination, {bases: [base]})
            assert.deepEqual(
              [artifacts[0]?.imageId, artifacts[0]?.layers.map(({diffId}) => diffId)],
              [parts.imageId, parts.diffIds],
            )
            assert.deepEqual((await verify(destination)).faults, [])
          }
        const [whole, supplied] = [fresh(), fresh()]
        await convert(full, `inbox:${whole}`, {layers: 'chain'})
        await convert(source, `inbox:${supplied}`, {layers: 'chain', bases: [full]})
        const payloads = async (place: string) =>
          (await list(`inbox:${place}`)).items.map(({identity, payloadDigest}) => [identity, payloadDigest])
        assert.deepEqual(await payloads(supplied), await payloads(whole))

        // A stub of the operating system, as the same gap in an OCI layout gives.
        const stubs: unknown[] = []
        for (const from of [source, await layoutWithout(count)]) {
          const repository = fresh()
          const report = await convert(from, `inbox:${repository}`, {withoutBase: true, osLayers: count})
          assert.ok(!report.exact)
          stubs.push(
            (await list(`inbox:${repository}`)).items.map(({layers, dependencies}) => ({layers, dependencies})),
          )
        }
        assert.deepEqual(stubs[0], stubs[1])
        assert.equal((stubs[0] as {layers: number}[]).filter(({layers}) => layers === 0).length, 1)
      }).timeout(120_000)

  it('are only left out where they are the lowest', async () => {
    const [, second] = namesOf(classicMembers(parts))
    const source = await saved(classicMembers(parts).filter(([name]) => name !== second))
    await assert.rejects(convert(source, `inbox:${fresh()}`, {withoutBase: true}), {code: 'LAYER_MISSING'})
    const {artifacts} = await convert(source, `oci:${fresh()}`, {bases: [full]})
    assert.equal(artifacts[0]?.imageId, parts.imageId)
  })

  it('are not supplied by an image of other layers', async () => {
    const source = await saved(without(classicMembers(parts), parts, 1))
    const other = await saved(classicMembers(partsOf([parts.layers[2]!])))
    await assert.rejects(convert(source, `oci:${fresh()}`, {bases: [other]}), {code: 'LAYER_MISSING'})
  })
})

describe('names of configurations in manifest.json', () => {
  const folder = temporaryFolder()
  const parts = partsOf([])

  async function opening(name: string): Promise<string | undefined> {
    mkdirSync(folder.path, {recursive: true})
    const file = path.join(folder.path, 'image.tar')
    const manifest = JSON.stringify([{Config: name, RepoTags: ['app:1'], Layers: []}])
    writeFileSync(
      file,
      await tarOf([
        [name, parts.config],
        ['manifest.json', manifest],
      ]),
    )
    return (await inspect(`docker-archive:${file}`)).imageId
  }

  const sha512 = createHash('sha512').update(parts.config).digest('hex')
  for (const {name, note} of [
    {name: 'config.json', note: 'a word'},
    {name: 'a/b/config', note: 'a path'},
    {name: `${'0'.repeat(63)}.json`, note: 'a digit too few'},
    {name: `${'0'.repeat(40)}.json`, note: 'a SHA-1'},
    {name: `${'A'.repeat(64)}.json`, note: 'capitals'},
    {name: `${'0'.repeat(64)}/config.json`, note: 'a folder of digits'},
    {name: `sha512:${sha512}`, note: 'a SHA-512'},
    {name: `blobs/sha512/${sha512}`, note: 'a SHA-512 among blobs'},
    {name: `${sha256(parts.config)}.json`, note: 'its SHA-256'},
    {name: `sha256:${sha256(parts.config)}`, note: 'as crane writes it'},
  ])
    it(`promise what they say, and nothing else: ${note}`, async () => {
      assert.equal(await opening(name), parts.imageId)
    })

  for (const name of [`${'0'.repeat(64)}.json`, `blobs/sha256/${'0'.repeat(64)}`, `blobs/sha512/${'0'.repeat(128)}`])
    it(`promise a digest: ${name.slice(0, 20)}`, async () => {
      await assert.rejects(opening(name), {code: 'DIGEST_MISMATCH'})
    })
})
