import assert from 'node:assert/strict'
import {readFileSync, writeFileSync} from 'node:fs'
import path from 'node:path'
import {gunzipSync} from 'node:zlib'
import {list} from '../../../src/convert/list.js'
import {verify} from '../../../src/convert/verify.js'
import {partsOf, sha256, tarOf, type Member} from '../../helpers/archives.js'
import {LayoutBuilder} from '../../helpers/layouts.js'
import {temporaryFolder} from '../../helpers/temporary-folder.js'

const BASE = gunzipSync(readFileSync('test/vectors/basic/layer.tar.gz'))
const LINKS = gunzipSync(readFileSync('test/vectors/reparse-tombstones/layer.tar.gz'))
const [ONE, TWO] = [partsOf([BASE], {author: 'one'}), partsOf([BASE, LINKS], {author: 'two'})]
const layerName = (layer: Buffer) => `${sha256(layer)}.tar`

/** Two images over one base, as archives name layers by their diffID, with names as `manifest.json` has them. */
function archiveOf(names: readonly (readonly string[])[]): Promise<Buffer> {
  const members = new Map<string, Member[1]>()
  const manifest = [ONE, TWO].map((parts, index) => {
    for (const layer of parts.layers) members.set(layerName(layer), layer)
    members.set(`${sha256(parts.config)}.json`, parts.config)
    const Layers = parts.layers.map(layerName)
    return {Config: `${sha256(parts.config)}.json`, RepoTags: names[index] ?? null, Layers}
  })
  return tarOf([...members, ['manifest.json', JSON.stringify(manifest)]])
}

/** The same as an OCI layout. */
function layoutOf(): LayoutBuilder {
  const layout = new LayoutBuilder()
  for (const [index, parts] of [ONE, TWO].entries())
    layout.manifests.push(
      layout.image(parts, {more: {annotations: {'org.opencontainers.image.ref.name': `v${index}`}}}),
    )
  return layout
}

const EACH_ONCE = BASE.length + LINKS.length

describe('images over one base in one place', () => {
  const folder = temporaryFolder()
  let made = 0

  async function written(names: readonly (readonly string[])[]): Promise<string> {
    const file = path.join(folder.path, `${made++}.tar`)
    writeFileSync(file, await archiveOf(names))
    return file
  }

  it('are verified with each layer read once, and counted once', async () => {
    const file = await written([['app:1'], ['app:2']])
    const {ok, bytes, layers} = await verify(`docker-archive:${file}`)
    assert.deepEqual([ok, bytes, layers.length], [true, EACH_ONCE, 2])
    const layout = path.join(folder.path, 'layout')
    layoutOf().writeFolder(layout)
    const whole = await verify(`oci:${layout}`)
    assert.deepEqual([whole.ok, whole.bytes, whole.layers.length], [true, EACH_ONCE, 2])
  })

  it('are verified alone where one is selected: what the other alone needs is not read', async () => {
    const damaged = await archiveOf([['app:1'], ['app:2']])
    // In a file that only the second image has.
    const at = damaged.indexOf(LINKS) + 512 * 2
    damaged.writeUInt8(damaged.readUInt8(at) ^ 1, at)
    const file = path.join(folder.path, 'damaged.tar')
    writeFileSync(file, damaged)
    for (const [selector, isOk, bytes] of [
      [':app:1', true, BASE.length],
      [':app:2', false, EACH_ONCE],
      ['', false, EACH_ONCE],
    ] as const) {
      const found = await verify(`docker-archive:${file}${selector}`)
      assert.deepEqual([found.ok, found.bytes], [isOk, bytes], selector)
    }
    const layout = path.join(folder.path, 'damaged')
    layoutOf().writeFolder(layout)
    const blob = path.join(layout, 'blobs', 'sha256', sha256(LINKS))
    const bytes = readFileSync(blob)
    bytes.writeUInt8(bytes.readUInt8(1024) ^ 1, 1024)
    writeFileSync(blob, bytes)
    for (const [selector, isOk] of [
      [':v0', true],
      [':v1', false],
      ['', false],
    ] as const)
      assert.equal((await verify(`oci:${layout}${selector}`)).ok, isOk, selector)
  })

  it('that nothing leads to are read where the whole place is asked for', async () => {
    const layout = path.join(folder.path, 'orphan')
    layoutOf().writeFolder(layout)
    writeFileSync(path.join(layout, 'blobs', 'sha256', sha256('other')), 'damaged')
    assert.equal((await verify(`oci:${layout}`)).ok, false)
    assert.equal((await verify(`oci:${layout}:v0`)).ok, true)
  })

  for (const [names, shown] of [
    [[], []],
    [[''], []],
    [['<none>:<none>'], []],
    [['<none>@<none>', '', 'app:1'], ['app:1']],
    [
      ['app:1', 'web:2'],
      ['app:1', 'web:2'],
    ],
  ] as const)
    it(`have the names that are some: ${JSON.stringify(names)}`, async () => {
      const {items} = await list(`docker-archive:${await written([names, ['other:1']])}`, {images: true})
      assert.deepEqual(items.map((item) => item.names), [shown, ['other:1']]) // prettier-ignore
    })
})
