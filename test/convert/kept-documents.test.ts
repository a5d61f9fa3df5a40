import assert from 'node:assert/strict'
import {cpSync, readFileSync, writeFileSync} from 'node:fs'
import path from 'node:path'
import {gunzipSync} from 'node:zlib'
import {convert, inspect, planConversion, verify} from '../../src/index.js'
import {classicMembers, hybridMembers, partsOf, sha256, tarOf, type Member} from '../helpers/archives.js'
import {fileOf, layerTarOf, withParents} from '../helpers/layer-archives.js'
import {temporaryFolder} from '../helpers/temporary-folder.js'

const PARTS = partsOf(
  ['basic', 'reparse-tombstones'].map((name) => gunzipSync(readFileSync(`test/vectors/${name}/layer.tar.gz`))),
)
const OS = {layers: 'chain', osLayers: 1, osName: 'WindowsServerCore', osVersion: '10.0.14393.1'} as const

describe('documents of an image that packages keep', () => {
  const folder = temporaryFolder()
  let made = 0
  const fresh = (name: string) => path.join(folder.path, `${made++}-${name}`)
  async function archiveOf(members: readonly Member[]): Promise<string> {
    const file = fresh('source.tar')
    writeFileSync(file, await tarOf(members))
    return `docker-archive:${file}`
  }
  /** Converts, and back; whether what was said of being exact is true. */
  async function thereAndBack(source: string, repository: string, options: Parameters<typeof convert>[2] = {}) {
    const there = await convert(source, repository, {layers: 'chain', ...options})
    const back = await convert(there.artifacts.at(-1)!.reference, `oci:${fresh('back')}`)
    const [was, is] = [await inspect(source), await inspect(back.artifacts[0]!.reference)]
    const isSame = was.imageId === is.imageId && (was.manifestDigest ?? is.manifestDigest) === is.manifestDigest
    return {codes: there.inexact.map(({code}) => code), exact: there.exact, isSame}
  }

  it('are those of the first of two manifests, and exact is said of that alone', async () => {
    const [classic, hybrid] = [await archiveOf(classicMembers(PARTS)), await archiveOf(hybridMembers(PARTS))]
    const docker = await convert(hybrid, `oci:${fresh('docker')}:1`, {manifestFormat: 'docker'})
    const repository = `inbox:${fresh('packages')}`
    const tags = ['app:1']
    for (const [source, codes] of [
      [classic, []],
      [docker.artifacts[0]!.reference, []],
      [hybrid, ['manifest-not-kept']],
      [classic, []],
      [docker.artifacts[0]!.reference, []],
    ] as const) {
      const isExact = codes.length === 0
      assert.deepEqual(await thereAndBack(source, repository, {tags}), {codes, exact: isExact, isSame: isExact})
    }
  })

  it('stay, with all that hangs on them, until they are to be replaced', async () => {
    const classic = await archiveOf(classicMembers(PARTS))
    const [first, second] = await Promise.all(
      [1, 9].map(async (compressionLevel) => {
        const {artifacts} = await convert(classic, `oci:${fresh('image')}:1`, {compression: 'gzip', compressionLevel})
        return artifacts[0]!.reference
      }),
    )
    const root = fresh('packages')
    const options = {tags: ['app:1'], layers: 'chain'} as const
    const replace = true
    for (const [source, more, outcome, codes, unchanged] of [
      [first!, {}, 'written', [], false],
      [second!, {}, 'unchanged', ['manifest-not-kept'], true],
      [first!, {}, 'unchanged', [], true],
      [second!, {replace}, 'replaced', [], false],
      [second!, {replace}, 'compared', [], true],
      [first!, {}, 'unchanged', ['manifest-not-kept'], true],
      [classic, {replace}, 'compared', [], true],
    ] as const) {
      const {steps} = await planConversion(source, `inbox:${root}`, {...options, ...more})
      const {inexact, artifacts} = await convert(source, `inbox:${root}`, {...options, ...more})
      const done = [steps.at(-1)?.outcome, inexact.map(({code}) => code), artifacts.at(-1)?.unchanged ?? false]
      assert.deepEqual(done, [outcome, codes, unchanged])
    }
    const back = await convert(`inbox:${root}:app`, `oci:${fresh('back')}:1`)
    const digest = async (reference: string) => (await inspect(reference)).manifestDigest
    assert.equal(await digest(back.artifacts[0]!.reference), await digest(second!))
    assert.deepEqual((await verify(`inbox:${root}`)).faults, [])
  })

  for (const [title, change] of [
    ['as it is', (config: Json) => config],
    ['another time', (config: Json) => ({...config, created: '2001-01-01T00:00:00Z'})],
    ['another version', (config: Json) => ({...config, 'os.version': '10.0.1.1'})],
    ['a key without a value', (config: Json) => ({...config, author: ''})],
    ['another order', ({os, ...config}: Json) => ({...config, os})],
  ] as const)
    it(`are not needed of an image that was made of packages, unless it was spelt anew: ${title}`, async () => {
      const image = fresh('image')
      await convert('inbox:samples/repository:WebServer', `oci:${image}`)
      const respelt = fresh('respelt')
      cpSync(image, respelt, {recursive: true})
      respell(respelt, change)
      const {codes, exact, isSame} = await thereAndBack(`oci:${respelt}`, `inbox:${fresh('packages')}`)
      const isAsMade = title === 'as it is'
      assert.deepEqual([codes, exact, isSame], [isAsMade ? [] : ['config-not-kept'], isAsMade, isAsMade])
    })

  it('stay with a stub that a base image is, and with what comes in its place', async () => {
    const layers = await Promise.all(
      [
        ['Files/Windows/System32/config/SOFTWARE', 'x'],
        ['Files/app', 'y'],
      ].map(([name, text]) => layerTarOf(withParents([fileOf(name!, text!)]))),
    )
    const [base, app] = [
      await archiveOf(classicMembers(partsOf(layers.slice(0, 1)), ['base:1'])),
      await archiveOf(classicMembers(partsOf(layers), ['app:1'])),
    ]
    const codesOf = async (source: string, repository: string, withoutBase: boolean) =>
      (await convert(source, repository, {...OS, withoutBase})).inexact.map(({code}) => code)
    const wanted = (await inspect(base)).imageId
    const STUB = ['base-left-out']
    for (const order of [
      [
        [base, true, STUB],
        [app, false, []],
      ],
      [
        [app, true, STUB],
        [base, true, STUB],
        [app, false, []],
      ],
      [
        [base, true, STUB],
        [app, true, STUB],
        [base, true, STUB],
        [base, false, []],
      ],
    ] as const) {
      const repository = `inbox:${fresh('packages')}`
      for (const [source, withoutBase, codes] of order)
        assert.deepEqual(await codesOf(source, repository, withoutBase), codes)
      const back = await convert(`${repository}:WindowsServerCore`, `oci:${fresh('back')}`)
      assert.deepEqual([back.artifacts[0]?.imageId, back.exact], [wanted, true])
    }
    // A stub cannot take the place of the payload, which has come as a part of another image.
    const repository = `inbox:${fresh('packages')}`
    assert.deepEqual(await codesOf(app, repository, false), [])
    assert.deepEqual(await codesOf(base, repository, true), [...STUB, 'config-not-kept'])
  })
})

type Json = Readonly<Record<string, unknown>>

/** Changes the configuration of the image in a layout, and all that names it. */
function respell(root: string, change: (config: Json) => Json): void {
  const read = (name: string) => JSON.parse(readFileSync(path.join(root, name), 'utf8')) as Json
  const blob = (digest: string) => `blobs/sha256/${digest.slice(7)}`
  const store = (json: Json) => {
    const bytes = JSON.stringify(json)
    writeFileSync(path.join(root, blob(`sha256:${sha256(bytes)}`)), bytes)
    return {digest: `sha256:${sha256(bytes)}`, size: Buffer.byteLength(bytes)}
  }
  const index = read('index.json') as {manifests: {digest: string}[]}
  const [stated] = index.manifests
  const manifest = read(blob(stated!.digest)) as {config: {digest: string}}
  const config = {...manifest.config, ...store(change(read(blob(manifest.config.digest))))}
  index.manifests = [{...stated, ...store({...manifest, config})}]
  writeFileSync(path.join(root, 'index.json'), JSON.stringify(index))
}
