import assert from 'node:assert/strict'
import {readFileSync, writeFileSync} from 'node:fs'
import path from 'node:path'
import {gunzipSync} from 'node:zlib'
import {convert, inspect, list, verify, type ConvertOptions} from '../../src/index.js'
import {familiarNameOf, findDockerName} from '../../src/formats/image-documents/image-name.js'
import {classicMembers, hybridMembers, partsOf, tarOf, type Member} from '../helpers/archives.js'
import {LayoutBuilder} from '../helpers/layouts.js'
import {startMemoryRegistry, type MemoryRegistry} from '../helpers/memory-registry.js'
import {temporaryFolder} from '../helpers/temporary-folder.js'

const SHA = `sha256:${'ab'.repeat(32)}`
const PARTS = partsOf([gunzipSync(readFileSync('test/vectors/basic/layer.tar.gz'))])

/** `isTagged`: a tag can be given by it, so that every place holds it. */
const FORMS: readonly {name: string; isTagged?: true; note: string}[] = [
  {name: 'web:1', isTagged: true, note: 'as any'},
  {name: 'Reg.Example:5000/team/web:1.0-RC', isTagged: true, note: 'a host with capitals'},
  {name: '[::1]:5000/a__b/web:1', isTagged: true, note: 'an address, doubled underscores'},
  {name: 'localhost/web:1', isTagged: true, note: 'localhost without a port'},
  {name: `web:${'t'.repeat(128)}`, isTagged: true, note: 'the longest tag'},
  {name: `web@${SHA}`, note: 'as docker save and ctr write it by digest'},
  {name: `reg.example/team/web:1@${SHA}`, note: 'tag and digest'},
  {name: `[::1]:5000/web@sha512:${'0'.repeat(128)}`, note: 'SHA-512 at an address'},
  {name: 'Web:1', note: 'capitals'},
  {name: 'team/Web:1.0', note: 'capitals behind a slash'},
  {name: 'web:1.0+build.5', note: 'a plus in the tag'},
  {name: `web:${'t'.repeat(200)}`, note: 'a tag that is too long'},
]

/** As names are held against each other, whichever way a place spells them. */
const shown = (text: string) => {
  const name = findDockerName(text)
  return name === undefined ? text : familiarNameOf(name)
}

describe('names of images go in and come out', () => {
  const folder = temporaryFolder()
  let made = 0
  let registry: MemoryRegistry

  before(async () => {
    registry = await startMemoryRegistry()
  })
  after(() => registry.stop())

  const fresh = (end = '') => path.join(folder.path, `made-${made++}${end}`)

  async function saved(members: readonly Member[]): Promise<string> {
    const file = fresh('.tar')
    writeFileSync(file, await tarOf(members))
    return `docker-archive:${file}`
  }

  /** The ways in which tools write the name down. */
  const SOURCES: readonly {title: string; open: (name: string) => Promise<string>}[] = [
    {title: 'docker-archive, classic', open: (name) => saved(classicMembers(PARTS, [name]))},
    {title: 'docker-archive with an index', open: (name) => saved(indexed(name, 'ctr'))},
    {title: 'docker-archive, in the index alone', open: (name) => saved(indexed(name, 'docker'))},
    {
      title: 'oci',
      open: (name) => {
        const builder = new LayoutBuilder()
        const annotations = {'io.containerd.image.name': name, 'org.opencontainers.image.ref.name': 'x'}
        builder.manifests.push({...builder.image(PARTS), annotations})
        const root = fresh()
        builder.writeFolder(root)
        return Promise.resolve(`oci:${root}`)
      },
    },
    {
      title: 'inbox',
      open: async (name) => {
        const {artifacts} = await convert(await saved(classicMembers(PARTS, [name])), `inbox:${fresh()}`)
        return artifacts[0]!.reference
      },
    },
  ]

  /** Docker 25 and later leave names without a tag out of manifest.json, ctr does not. */
  function indexed(name: string, tool: 'ctr' | 'docker'): Member[] {
    return hybridMembers(PARTS).map(([file, body]): Member => {
      if (file === 'manifest.json') {
        const [item] = JSON.parse(body as string) as [object]
        return [file, JSON.stringify([{...item, RepoTags: tool === 'ctr' ? [name] : null}])]
      }
      if (file !== 'index.json') return [file, body]
      const index = JSON.parse(body as string) as {manifests: [object]}
      const annotations = {'io.containerd.image.name': name, 'org.opencontainers.image.ref.name': '1'}
      return [file, JSON.stringify({...index, manifests: [{...index.manifests[0], annotations}]})]
    })
  }

  interface Target {
    readonly title: string
    readonly to: () => string
    readonly options?: ConvertOptions
    readonly holdsAll: boolean
  }
  const TARGETS: readonly Target[] = [
    {title: 'docker-archive', to: () => `docker-archive:${fresh('.tar')}`, holdsAll: true},
    {
      title: 'docker-archive, classic',
      to: () => `docker-archive:${fresh('.tar')}`,
      options: {archiveFormat: 'docker'},
      holdsAll: false,
    },
    {title: 'oci', to: () => `oci:${fresh()}`, holdsAll: true},
    {title: 'oci-archive', to: () => `oci-archive:${fresh('.tar')}`, holdsAll: true},
    {title: 'inbox', to: () => `inbox:${fresh()}`, holdsAll: true},
    {title: 'appx', to: () => `appx:${fresh()}`, holdsAll: true},
  ]

  for (const source of SOURCES)
    for (const target of TARGETS)
      it(`from ${source.title} to ${target.title}`, async () => {
        for (const {name, isTagged, note} of FORMS) {
          if (source.title.endsWith('alone') && isTagged === true) continue
          const from = await source.open(name)
          assert.deepEqual((await inspect(from)).names.map(shown), [shown(name)], note)
          const destination = target.to()
          const report = await convert(from, destination, target.options ?? {})
          const [item] = (await list(destination)).items
          const names = item!.names.filter((each) => each !== item!.identity).map(shown)
          const isHeld = isTagged === true || target.holdsAll
          assert.deepEqual(names, isHeld ? [shown(name)] : [], note)
          const left = report.notes.filter(({code}) => code === 'name-left-out').map(({subject}) => shown(subject))
          assert.deepEqual(left, isHeld ? [] : [shown(name)], note)
          assert.deepEqual((await verify(destination)).faults, [], note)
          // What the listing and the report call it selects it.
          for (const reference of [item!.reference, report.artifacts[0]!.reference])
            assert.ok((await inspect(reference)).layers.length > 0, reference)
        }
      })

  it('in manifest.json as Docker and Podman load it: with tags alone', async () => {
    for (const {name, isTagged} of FORMS) {
      const destination = fresh('.tar')
      await convert(await saved(classicMembers(PARTS, [name])), `docker-archive:${destination}`)
      const text = readFileSync(destination).toString('latin1')
      const tags = /"RepoTags":(null|\[[^\]]*(?:\][^\]]*)?\]),"Layers"/.exec(text)?.[1]
      assert.equal(tags, isTagged === true ? JSON.stringify([name]) : 'null')
    }
  })

  it('not where their digest became false: of a squashed image', async () => {
    const two = partsOf([PARTS.layers[0]!, gunzipSync(readFileSync('test/vectors/reparse-tombstones/layer.tar.gz'))])
    const from = await saved(classicMembers(two, ['web:1', `web@${SHA}`]))
    const options = {layers: 'squash', osLayers: 0} as const
    const {notes} = await convert(from, `docker-archive:${fresh('.tar')}`, options)
    assert.deepEqual(
      notes.filter(({code}) => code === 'name-left-out').map(({subject}) => subject),
      [`web@${SHA}`],
    )
  })

  it('from an image registry by digest, by tag and digest', async () => {
    const {artifacts} = await convert(await saved(classicMembers(PARTS)), `docker://${registry.host}/team/web:1`)
    const digest = artifacts[0]!.manifestDigest!
    for (const tail of [`@${digest}`, `:1@${digest}`, `:moved@${digest}`]) {
      const name = `${registry.host}/team/web${tail}`
      assert.deepEqual((await inspect(`docker://${name}`)).names, [name])
      const destination = `oci:${fresh()}`
      await convert(`docker://${name}`, destination)
      assert.deepEqual((await list(destination)).items[0]?.names, [name])
      await assert.rejects(convert(destination, `docker://${name}`), {code: 'BAD_REFERENCE'})
    }
  })

  it('select what they name, with a digest in front of which a tag may stand', async () => {
    const root = fresh()
    const {artifacts} = await convert(await saved(classicMembers(PARTS, ['team/web:1'])), `oci:${root}`)
    const digest = artifacts[0]!.manifestDigest!
    const archive = fresh('.tar')
    await convert(`oci:${root}`, `docker-archive:${archive}`)
    for (const reference of [
      `oci:${root}@${digest}`,
      `oci:${root}:1@${digest}`,
      `oci:${root}:team/web:1@${digest}`,
      `docker-archive:${archive}:team/web@${digest}`,
      `docker-archive:${archive}:team/web:1@${digest}`,
    ])
      assert.equal((await inspect(reference)).imageId, PARTS.imageId, reference)
    for (const reference of [`oci:${root}:1@${SHA}`, `docker-archive:${archive}:team/web:1@${SHA}`])
      await assert.rejects(inspect(reference), {code: 'NOT_FOUND'}, reference)
    for (const reference of [`oci:${fresh()}:1@${digest}`, `docker-archive:${fresh()}:team/web:1@${digest}`])
      await assert.rejects(convert(`oci:${root}`, reference), {code: 'BAD_REFERENCE'}, reference)
  })
})
