import assert from 'node:assert/strict'
import {copyFileSync, readdirSync, readFileSync, renameSync, writeFileSync} from 'node:fs'
import path from 'node:path'
import {gunzipSync} from 'node:zlib'
import {convert, inspect, list, verify} from '../../src/index.js'
import {classicMembers, partsOf, sha256, tarOf, type Member} from '../helpers/archives.js'
import {startServer} from '../helpers/distribution.js'
import {LayoutBuilder, tagged} from '../helpers/layouts.js'
import {startMemoryRegistry} from '../helpers/memory-registry.js'
import {temporaryFolder} from '../helpers/temporary-folder.js'

const BASIC = gunzipSync(readFileSync('test/vectors/basic/layer.tar.gz'))
const GOOD = partsOf([BASIC])
const BAD = partsOf([BASIC], {author: 'broken'})

/** An image of the name bad:1 beside good:1; what is wrong with it. */
const BREAKING: readonly {title: string; change: (members: Member[]) => Member[]}[] = [
  {
    title: 'has no configuration',
    change: (members) => members.filter(([name]) => !name.startsWith(BAD.imageId.slice(7))),
  },
  {
    title: 'has a configuration that is no JSON',
    change: (members) => members.map(([name, body]): Member => [name, body === BAD.config ? '{' : body]),
  },
  {
    title: 'has another configuration than its name says',
    change: (members) => members.map(([name, body]): Member => [name, body === BAD.config ? `${BAD.config} ` : body]),
  },
]

/** The layers of bad:1 are not there. */
function withoutLayer(members: Member[]): Member[] {
  return members.map(([name, body]): Member => {
    if (name !== 'manifest.json') return [name, body]
    const items = JSON.parse(body as string) as {RepoTags: string[]; Layers: string[]}[]
    for (const item of items) if (item.RepoTags[0] === 'bad:1') item.Layers = ['nowhere/layer.tar']
    return [name, JSON.stringify(items)]
  })
}

function bothImages(): Member[] {
  const [good, bad] = [classicMembers(GOOD, ['good:1']), classicMembers(BAD, ['bad:1'])]
  const items = [bad, good].flatMap((members) => JSON.parse(members.at(-1)![1] as string) as object[])
  return [...good.slice(0, -1), ...bad.slice(0, -1), ['manifest.json', JSON.stringify(items)]]
}

describe('one bad item among many', () => {
  const folder = temporaryFolder()
  let made = 0
  const fresh = (name = 'place') => path.join(folder.path, `${made++}-${name}`)

  for (const {title, change} of BREAKING) {
    it(`does not hide the others in an archive: it ${title}`, async () => {
      const file = fresh('images.tar')
      writeFileSync(file, await tarOf(change(bothImages())))
      const {items, notes} = await list(`docker-archive:${file}`)
      assert.deepEqual(
        items.map(({names}) => names),
        [['good:1']],
      )
      assert.deepEqual(
        notes.map(({code}) => code),
        ['image-unreadable'],
      )
      assert.equal((await inspect(`docker-archive:${file}:good:1`)).imageId, GOOD.imageId)
      const {faults, layers} = await verify(`docker-archive:${file}`)
      assert.ok(faults.length > 0 && layers.length > 0)
      // Asked for, it is told; and without a name any of them may be meant.
      await assert.rejects(inspect(`docker-archive:${file}:bad:1`), {exitCode: 3})
      await assert.rejects(convert(`docker-archive:${file}`, `oci:${fresh()}`), {exitCode: 3})
      await assert.rejects(inspect(`docker-archive:${file}:@0`), {exitCode: 3})
      // All of it is not all without the bad one.
      const all = await convert(`docker-archive:${file}`, `oci:${fresh()}`, {all: true})
      assert.deepEqual(
        [all.artifacts.length, all.losses.map(({code}) => code), all.exact],
        [1, ['image-unreadable'], false],
      )
      const strict = convert(`docker-archive:${file}`, `oci:${fresh()}`, {all: true, strict: true})
      await assert.rejects(strict, {code: 'LOSS_REFUSED'})
    })

    it(`is an error where there are no others: it ${title}`, async () => {
      const file = fresh('image.tar')
      writeFileSync(file, await tarOf(change(classicMembers(BAD, ['bad:1']))))
      await assert.rejects(list(`docker-archive:${file}`), {exitCode: 3})
    })
  }

  it('is shown where it lacks a layer, which --base may supply; converted without it is refused', async () => {
    const file = fresh('images.tar')
    writeFileSync(file, await tarOf(withoutLayer(bothImages())))
    const {items} = await list(`docker-archive:${file}`)
    assert.deepEqual(
      items.map(({names}) => names),
      [['bad:1'], ['good:1']],
    )
    const good = await convert(`docker-archive:${file}:good:1`, `oci:${fresh()}`)
    assert.equal(good.artifacts.length, 1)
    for (const [source, all] of [
      [`docker-archive:${file}:bad:1`, false],
      [`docker-archive:${file}`, true],
    ] as const)
      await assert.rejects(convert(source, `oci:${fresh()}`, {all}), {code: 'LAYER_MISSING'})
    const {faults, layers} = await verify(`docker-archive:${file}`)
    assert.deepEqual([faults.map(({code}) => code), layers.length], [['LAYER_MISSING'], 1])
  })

  for (const {title, spoil} of [
    {title: 'a manifest that is not what its digest says', spoil: (digests: Digests) => digests.manifest},
    {title: 'a configuration that is not what its digest says', spoil: (digests: Digests) => digests.config},
  ])
    it(`does not hide the others in an OCI layout: ${title}`, async () => {
      const builder = new LayoutBuilder()
      const bad = builder.image(BAD)
      builder.manifests.push({...bad, ...tagged('bad')}, {...builder.image(GOOD), ...tagged('good')})
      const victim = `blobs/sha256/${spoil({manifest: String(bad['digest']).slice(7), config: BAD.imageId.slice(7)})}`
      builder.files.set(victim, Buffer.from(`${builder.files.get(victim)!.toString()} `))
      const root = fresh('layout')
      builder.writeFolder(root)
      await builder.writeTar(`${root}.tar`)
      for (const place of [`oci:${root}`, `oci-archive:${root}.tar`]) {
        const {items, notes} = await list(place)
        assert.deepEqual(
          items.map(({imageId}) => imageId),
          [GOOD.imageId],
        )
        assert.deepEqual(
          notes.map(({code}) => code),
          ['image-unreadable'],
        )
        assert.equal((await inspect(`${place}:good`)).imageId, GOOD.imageId)
        assert.ok((await verify(place)).layers.length > 0)
        await assert.rejects(inspect(`${place}:bad`), {exitCode: 3})
        await assert.rejects(inspect(place), {exitCode: 3})
      }
    })

  it('is an error of an OCI layout whose index cannot be read', async () => {
    const root = fresh('layout')
    new LayoutBuilder().writeFolder(root)
    writeFileSync(path.join(root, 'index.json'), '{')
    await assert.rejects(list(`oci:${root}`), {code: 'MANIFEST_INVALID'})
  })

  for (const transport of ['inbox', 'appx']) {
    const twoPackages = async () => {
      const source = `docker-archive:${fresh('source.tar')}`
      writeFileSync(source.slice(15), await tarOf(classicMembers(GOOD, ['shop:1'])))
      const place = fresh('packages')
      const made = await convert(source, `${transport}:${place}`, {layers: 'squash', osLayers: 0, name: 'Shop'})
      await convert(source, `${transport}:${place}`, {layers: 'squash', osLayers: 0, name: 'Other'})
      const shop = readdirSync(place).find((name) => name.startsWith(made.artifacts[0]!.identity!))!
      return {place, shop, source}
    }

    it(`does not hide the others in ${transport}: one that cannot be read`, async () => {
      const {place, shop} = await twoPackages()
      const file = transport === 'inbox' ? path.join(place, shop, 'metadata.json') : path.join(place, shop)
      writeFileSync(file, readFileSync(file).subarray(0, 200))
      const {items, notes} = await list(`${transport}:${place}`)
      assert.deepEqual([items.length, notes.map(({code}) => code)], [1, ['package-unreadable']])
      const {faults, layers} = await verify(`${transport}:${place}`)
      assert.deepEqual([faults.length, layers.length], [1, 1])
      assert.match((await inspect(`${transport}:${place}:Other`)).layers.at(-1)!.package!.name, /Other/)
    })
  }

  it('does not hide the others of a folder of packages: two equal files of one, and two different ones', async () => {
    const source = `docker-archive:${fresh('source.tar')}`
    writeFileSync(source.slice(15), await tarOf(classicMembers(GOOD, ['shop:1'])))
    const [place, elsewhere] = [fresh('packages'), fresh('elsewhere')]
    const options = {layers: 'squash' as const, osLayers: 0}
    await convert(source, `appx:${place}`, {...options, name: 'Shop'})
    await convert(source, `appx:${place}`, {...options, name: 'Other'})
    const shop = readdirSync(place).find((name) => name.includes('Shop'))!
    copyFileSync(path.join(place, shop), path.join(place, 'copy.appx'))
    const equal = await list(`appx:${place}`)
    assert.deepEqual([equal.items.length, equal.notes.length], [1, 2])
    const {faults, layers} = await verify(`appx:${place}`)
    assert.deepEqual([faults.map(({code}) => code), layers.length], [['IDENTITY_CLASH', 'IDENTITY_CLASH'], 1])
    await assert.rejects(inspect(`appx:${place}:Shop`), {code: 'IDENTITY_CLASH'})

    const other = partsOf([
      await tarOf([
        ['Files/', ''],
        ['Files/a.txt', 'another'],
      ]),
    ])
    writeFileSync(`${elsewhere}.tar`, await tarOf(classicMembers(other, ['shop:1'])))
    await convert(`docker-archive:${elsewhere}.tar`, `appx:${elsewhere}`, {
      ...options,
      name: 'Shop',
      packageVersion: shop.split('_').at(-1)!.replace('.appx', ''),
    })
    renameSync(
      path.join(
        elsewhere,
        readdirSync(elsewhere).find((name) => name.endsWith('.appx'))!,
      ),
      path.join(place, 'copy.appx'),
    )
    const different = await list(`appx:${place}`)
    assert.deepEqual(
      different.items.map(({names}) => names[0]!.includes('Other')),
      [true],
    )
    assert.deepEqual(
      different.notes.map(({code}) => code),
      ['package-unreadable', 'package-unreadable'],
    )
    await assert.rejects(inspect(`appx:${place}:Shop`), {code: 'IDENTITY_CLASH'})
    await assert.rejects(convert(source, `appx:${place}`, {...options, name: 'Shop'}), {code: 'IDENTITY_CLASH'})
    assert.equal((await inspect(`appx:${place}:Other`)).layers.at(-1)!.package!.name, 'Other')
  })

  it('does not hide the others of a repository of an image registry: its tag leads to no manifest', async () => {
    let failing: string | undefined
    const registry = await startMemoryRegistry((request, response) => {
      if (failing === undefined || request.url?.endsWith(`/manifests/${failing}`) !== true) return false
      response.writeHead(200, {'content-type': 'application/vnd.oci.image.manifest.v1+json'}).end('{')
      return true
    })
    try {
      for (const [tag, parts] of [
        ['good', GOOD],
        ['bad', BAD],
      ] as const) {
        const file = fresh('image.tar')
        writeFileSync(file, await tarOf(classicMembers(parts, [`shop:${tag}`])))
        await convert(`docker-archive:${file}`, `docker://${registry.host}/shop:${tag}`)
      }
      failing = 'bad'
      const {items, notes} = await list(`docker://${registry.host}/shop`)
      assert.deepEqual(
        items.map(({imageId}) => imageId),
        [GOOD.imageId],
      )
      assert.deepEqual(
        notes.map(({code}) => code),
        ['tag-left-out'],
      )
      const all = await convert(`docker://${registry.host}/shop`, `oci:${fresh()}`, {all: true})
      assert.deepEqual(
        [all.artifacts.length, all.losses.map(({code}) => code), all.exact],
        [1, ['tag-left-out'], false],
      )
    } finally {
      await registry.stop()
    }
  })

  it('does not hide the others of an engine: it is asked about in vain', async () => {
    const ids = [sha256('one'), sha256('two')].map((hex) => `sha256:${hex}`)
    const server = await startServer((request, response) => {
      const url = request.url ?? ''
      const json = (status: number, body: object) =>
        response.writeHead(status, {'content-type': 'application/json'}).end(JSON.stringify(body))
      if (url === '/version')
        json(200, {Version: '20.10.24', ApiVersion: '1.41', MinAPIVersion: '1.12', Os: 'linux', Arch: 'amd64'})
      else if (url.endsWith('/info')) json(200, {})
      else if (url.endsWith('/images/json'))
        json(
          200,
          ids.map((Id) => ({Id, RepoTags: null})),
        )
      else if (url.includes(ids[0]!)) json(500, {message: 'layer does not exist'})
      else if (url.endsWith(`${ids[1]!}/json`))
        json(200, {Id: ids[1], RepoTags: ['good:1'], Os: 'linux', Architecture: 'amd64'})
      else json(404, {message: 'no such image'})
    })
    try {
      const options = {engine: {host: `tcp://${server.host}`}}
      const {items, notes} = await list('docker-daemon:', options)
      assert.deepEqual(
        items.map(({names}) => names),
        [['good:1']],
      )
      assert.deepEqual(
        notes.map(({code, subject}) => [code, subject]),
        [['image-unreadable', `docker-daemon:${ids[0]!}`]],
      )
    } finally {
      await server.stop()
    }
  })
})

interface Digests {
  readonly manifest: string
  readonly config: string
}
