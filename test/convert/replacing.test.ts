import assert from 'node:assert/strict'
import {mkdirSync, readdirSync, readFileSync, readlinkSync, statSync, symlinkSync, writeFileSync} from 'node:fs'
import path from 'node:path'
import {convert, list, TransshipError, verify, type ConvertOptions} from '../../src/index.js'
import {docker} from '../../src/transports/docker/docker.js'
import {dockerArchive} from '../../src/transports/docker-archive/docker-archive.js'
import {sha256} from '../helpers/archives.js'
import {fileOf, saveImage} from '../helpers/layer-archives.js'
import {startMemoryRegistry, type MemoryRegistry} from '../helpers/memory-registry.js'
import {osLayer} from '../helpers/os-layers.js'
import {temporaryFolder} from '../helpers/temporary-folder.js'

interface Row {
  readonly title: string
  /** The destination, in a folder of its own. */
  readonly to: (folder: string) => string
  readonly options?: ConvertOptions
  readonly code?: string
}

const NAMED: ConvertOptions = {tags: ['contoso/app:1']}
const ROWS: readonly Row[] = [
  {title: 'inbox', to: (folder) => `inbox:${folder}/repository`, code: 'IDENTITY_CLASH'},
  {
    title: 'inbox, as a chain',
    to: (folder) => `inbox:${folder}/repository`,
    options: {layers: 'chain'},
    code: 'IDENTITY_CLASH',
  },
  {
    title: 'inbox, without recipe',
    to: (folder) => `inbox:${folder}/repository`,
    options: {keepRecipe: false},
    code: 'IDENTITY_CLASH',
  },
  {title: 'a folder of appx', to: (folder) => `appx:${folder}/packages`, code: 'IDENTITY_CLASH'},
  {title: 'a file of appx', to: (folder) => `appx:${folder}/app.appx`, code: 'IDENTITY_CLASH'},
  {title: 'layout', to: (folder) => `layout:${folder}/layout`, options: {layers: 'squash', osLayers: 0}},
  {title: 'oci', to: (folder) => `oci:${folder}/layout:1`, options: {}},
  {title: 'oci, by the names of the image', to: (folder) => `oci:${folder}/layout`, options: NAMED},
  {title: 'oci, compressed', to: (folder) => `oci:${folder}/layout:1`, options: {compression: 'gzip'}},
  {title: 'oci-archive', to: (folder) => `oci-archive:${folder}/image.tar:1`, options: {}},
  {title: 'docker-archive', to: (folder) => `docker-archive:${folder}/image.tar`},
  {
    title: 'docker-archive of 2014',
    to: (folder) => `docker-archive:${folder}/image.tar`,
    options: {...NAMED, archiveFormat: 'v1'},
  },
  {
    title: 'docker-archive, compressed',
    to: (folder) => `docker-archive:${folder}/image.tar`,
    options: {...NAMED, compression: 'gzip'},
  },
]

/** Every file below a folder, with its bytes and times. */
function lookAt(folder: string): Readonly<Record<string, string>> {
  const names = readdirSync(folder, {recursive: true, encoding: 'utf8'}).sort()
  const files = names.map((name) => path.join(folder, name)).filter((file) => statSync(file).isFile())
  return Object.fromEntries(
    files.map((file) => [file, `${statSync(file, {bigint: true}).mtimeNs} ${sha256(readFileSync(file))}`]),
  )
}

function bytesOf(seen: Readonly<Record<string, string>>): Readonly<Record<string, string>> {
  return Object.fromEntries(Object.entries(seen).map(([file, text]) => [file, text.split(' ')[1]!]))
}

describe('what is there already', function () {
  this.timeout(120_000)
  const folder = temporaryFolder()
  const at = (name: string) => path.join(folder.path, name)
  let one = ''
  let other = ''

  before(async () => {
    const os = osLayer({type: 'Server Core', mark: 'x'})
    const config = {'os.version': '10.0.17763.1', created: undefined}
    const shared = fileOf('Files/same.txt', 'in both')
    one = await saveImage(at('one.tar'), [os, [shared], [fileOf('Files/app.txt', 'one')]], config)
    other = await saveImage(at('other.tar'), [os, [shared], [fileOf('Files/app.txt', 'other')]], config)
  })

  for (const [index, {title, to, options = NAMED, code = 'DESTINATION_EXISTS'}] of ROWS.entries())
    it(`stays where it is equal, and goes only where that was asked for: ${title}`, async () => {
      const own = at(`row-${index}`)
      const target = to(own)
      mkdirSync(own)
      const given = title.startsWith('inbox') || title.includes('appx') ? {...NAMED, ...options} : options
      await convert(one, target, given)
      const before = lookAt(own)
      for (const replace of [false, true]) {
        const again = await convert(one, target, {...given, replace})
        assert.ok(
          again.artifacts.every(({unchanged}) => unchanged === true),
          `unchanged with replace ${String(replace)}`,
        )
        if (!replace) assert.equal(again.bytesWritten, 0)
        // What may be replaced may be mended as well: by the same bytes.
        assert.deepEqual(replace ? bytesOf(lookAt(own)) : lookAt(own), replace ? bytesOf(before) : before)
      }
      const kept = lookAt(own)
      await assert.rejects(convert(other, target, given), (error) => {
        assert.ok(error instanceof TransshipError)
        assert.equal(error.code, code, error.message)
        assert.ok(error.suggestions.some((text) => text.includes('--replace')))
        return true
      })
      assert.deepEqual(lookAt(own), kept)
      const replaced = await convert(other, target, {...given, replace: true})
      assert.ok(replaced.artifacts.some(({unchanged}) => unchanged !== true))
      assert.notDeepEqual(lookAt(own), before)
      // One file holds one package, and says truly that the one below is elsewhere.
      const codes = (await verify(target)).faults.map((fault) => fault.code)
      assert.deepEqual(codes, target.endsWith('.appx') ? ['DEPENDENCY_MISSING'] : [])
      const after = lookAt(own)
      const same = await convert(other, target, given)
      assert.ok(same.artifacts.every(({unchanged}) => unchanged === true))
      assert.deepEqual(lookAt(own), after)
    })

  describe('in an image registry', () => {
    let registry: MemoryRegistry
    before(async () => {
      registry = await startMemoryRegistry()
    })
    after(() => registry.stop())

    for (const tags of [undefined, ['1', '2']])
      it(`is told by digest: ${tags === undefined ? 'the tag of the reference' : 'several tags'}`, async () => {
        const place = `docker://${registry.host}/contoso/${tags === undefined ? 'app:1' : 'more'}`
        const options = tags === undefined ? {} : {tags}
        const first = await convert(one, place, options)
        const again = await convert(one, place, options)
        assert.deepEqual([first.artifacts[0]!.unchanged, again.artifacts[0]!.unchanged], [undefined, true])
        await assert.rejects(convert(other, place, options), (error) => {
          assert.ok(error instanceof TransshipError)
          assert.equal(error.code, 'DESTINATION_EXISTS')
          assert.ok(error.message.includes(first.artifacts[0]!.manifestDigest!))
          return true
        })
        const shown = tags === undefined ? place : `${place}:2`
        assert.equal((await list(shown)).items[0]!.imageId, first.artifacts[0]!.imageId)
        const replaced = await convert(other, place, {...options, replace: true})
        assert.equal((await list(shown)).items[0]!.imageId, replaced.artifacts[0]!.imageId)
        // A tag that is still free is given, one that leads there already is left.
        if (tags !== undefined) return
        const more = await convert(other, place.replace(/:1$/, ''), {tags: ['1', 'new']})
        assert.equal(more.artifacts[0]!.unchanged, undefined)
        assert.equal((await list(place.replace(/:1$/, ':new'))).items[0]!.imageId, replaced.artifacts[0]!.imageId)
      })

    for (const replace of [false, true])
      it(`is told by digest: a tag that came while the image was sent${replace ? ', to be replaced' : ''}`, async () => {
        const theirs = await convert(one, `docker://${registry.host}/contoso/theirs:1`)
        const key = `contoso/late-${String(replace)}:1`
        const target = await docker.create(docker.parse(`//${registry.host}/${key}`), {replace})
        assert.ok(target.holds === 'images')
        const reference = dockerArchive.parse(other.slice('docker-archive:'.length))
        const image = await dockerArchive.open(reference, {})
        const config = () => image.config!
        await target.write({names: [], platform: image.platform, layers: image.layers, config}, {})
        registry.manifests.set(key, registry.manifests.get('contoso/theirs:1')!)
        if (replace) await target.commit({})
        else await assert.rejects(target.commit({}), {code: 'DESTINATION_EXISTS'})
        await target.abort()
        await image.close()
        const [now] = (await list(`docker://${registry.host}/${key}`)).items
        assert.equal(now?.imageId === theirs.artifacts[0]!.imageId, !replace)
      })
  })

  for (const transport of ['inbox', 'appx'])
    for (const replace of [false, true])
      it(`is not given up where others were made on it: ${transport}${replace ? ', to be replaced' : ''}`, async () => {
        const place = at(`needed-${transport}-${String(replace)}`)
        const target = `${transport}:${place}`
        // The layer in the middle becomes a package of its own, which the one above is made on.
        const chained = {layers: 'chain', tags: ['contoso/app:1']} as const
        await convert(one, target, chained)
        const before = lookAt(place)
        const changed = await saveImage(
          at('changed.tar'),
          [osLayer({type: 'Server Core', mark: 'x'}), [fileOf('Files/same.txt', 'not in both')]],
          {'os.version': '10.0.17763.1', created: undefined},
        )
        const named = {
          layers: 'chain',
          name: 'app-L01',
          publisher: 'CN=contoso',
          packageVersion: '1.0.0.0',
          replace,
        } as const
        await assert.rejects(convert(changed, target, named), (error) => {
          assert.ok(error instanceof TransshipError)
          assert.equal(error.code, 'IDENTITY_CLASH')
          assert.ok(error.why?.includes('CN=contoso_app_1.0.0.0'), error.why)
          assert.ok(!error.suggestions.some((text) => text.includes('--replace')))
          return true
        })
        assert.deepEqual(lookAt(place), before)
      })

  it('goes together with what was made on it', async () => {
    const target = `inbox:${at('together')}`
    const options = {layers: 'chain', tags: ['contoso/app:1']} as const
    await convert(one, target, options)
    const os = osLayer({type: 'Server Core', mark: 'x'})
    const layers = [os, [fileOf('Files/same.txt', 'not in both')], [fileOf('Files/app.txt', 'one')]]
    const changed = await saveImage(at('together.tar'), layers, {'os.version': '10.0.17763.1', created: undefined})
    await assert.rejects(convert(changed, target, options), {code: 'IDENTITY_CLASH'})
    await convert(changed, target, {...options, replace: true})
    assert.deepEqual((await verify(target)).faults, [])
  })

  it('is a file, which no layout takes the place of, whatever lies beside it', async () => {
    const own = at('thesis.txt')
    const options: ConvertOptions = {layers: 'squash', osLayers: 0, replace: true}
    for (const beside of [false, true]) {
      writeFileSync(own, 'years of work')
      if (beside) writeFileSync(`${own}.payload-index.jsonl`, '')
      await assert.rejects(convert(one, `layout:${own}`, options), {code: 'DESTINATION_EXISTS'})
      assert.equal(readFileSync(own, 'utf8'), 'years of work')
    }
    mkdirSync(at('empty'))
    await convert(one, `layout:${at('empty')}`, options)
  })

  it('is a link that leads nowhere, which no layout of images follows', async () => {
    symlinkSync('nowhere', at('link'))
    await assert.rejects(convert(one, `oci:${at('link')}`), {code: 'DESTINATION_EXISTS'})
    assert.equal(readlinkSync(at('link')), 'nowhere')
  })

  it('is no layout that a layout could take the place of', async () => {
    const place = at('documents')
    await convert(one, `layout:${place}`, {layers: 'squash', osLayers: 0})
    const own = at('own')
    mkdirSync(own)
    writeFileSync(path.join(own, 'thesis.txt'), 'years of work')
    await assert.rejects(convert(one, `layout:${own}`, {layers: 'squash', osLayers: 0, replace: true}), {
      code: 'DESTINATION_EXISTS',
    })
    assert.equal(readFileSync(path.join(own, 'thesis.txt'), 'utf8'), 'years of work')
    // What lies beside the payload, or was changed in it, is not equal.
    writeFileSync(path.join(place, 'note.txt'), 'beside')
    await assert.rejects(convert(one, `layout:${place}`, {layers: 'squash', osLayers: 0}), {code: 'DESTINATION_EXISTS'})
  })
})
