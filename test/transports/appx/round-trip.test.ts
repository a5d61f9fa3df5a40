import assert from 'node:assert/strict'
import {execFileSync} from 'node:child_process'
import {mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync} from 'node:fs'
import path from 'node:path'
import fc from 'fast-check'
import {convert, inspect, verify} from '../../../src/index.js'
import {encodeLayerTar} from '../../../src/codecs/layer-tar/encode-layer-tar.js'
import {digestOf} from '../../../src/model/digest.js'
import {parseFullName} from '../../../src/model/package-identity.js'
import {readPackageFile} from '../../../src/transports/appx/read-package.js'
import {writeContainer} from '../../../src/transports/appx/write-container.js'
import {decodeDocument, encodeDocument} from '../../../src/formats/package/metadata.js'
import type {LayoutFiles} from '../../../src/formats/transport-layout/layout-files.js'
import {layerOfPackage} from '../../../src/formats/package/stored-layer.js'
import {FolderFiles} from '../../../src/formats/transport-layout/folder-files.js'
import {collect} from '../../helpers/bytes.js'
import {FUZZ_RUNS} from '../../helpers/fuzz.js'
import {oddLayout, writeOddLayout} from '../../helpers/odd-layouts.js'
import {topPackage} from '../../helpers/round-trip.js'
import {temporaryFolder} from '../../helpers/temporary-folder.js'
import {requireTool} from '../../helpers/tools.js'
import {treeOf} from '../../helpers/trees.js'

const FULL_NAME = 'CN=Test_Layer_1.0.0.0'

/** The same as `treeOf`, through the interface by which layouts are read. */
function treeIn(files: LayoutFiles, folder = ''): Record<string, string> {
  const {folders, files: names} = files.list(folder)
  const at = (name: string) => (folder === '' ? name : `${folder}/${name}`)
  return {
    ...Object.fromEntries(
      names.map((name) => [at(name), Buffer.from(files.findSmall(at(name), 2 ** 20, name)!).toString('base64')]),
    ),
    ...Object.assign({}, ...folders.map((name) => ({[at(name)]: 'folder', ...treeIn(files, at(name))}))),
  } as Record<string, string>
}

describe('packages in AppX containers', () => {
  const folder = temporaryFolder()
  let count = 0
  const fresh = () => {
    const made = path.join(folder.path, String(count++))
    mkdirSync(made)
    return made
  }

  it('bring an image back with its ID, its layers and its bytes', async () => {
    const place = fresh()
    const there = await convert('docker-archive:samples/shop.tar', `appx:${place}/x`, {layers: 'chain'})
    const back = await convert(topPackage(there), `docker-archive:${place}/back.tar`)
    for (const report of [there, back]) assert.deepEqual([report.exact, report.losses], [true, []])
    assert.deepEqual((await verify(`appx:${place}/x`)).faults, [])
    assert.ok(readFileSync(`${place}/back.tar`).equals(readFileSync('samples/shop.tar')))
  })

  it('come back from an image byte for byte', async () => {
    const place = fresh()
    const {artifacts} = await convert('inbox:samples/repository:Shop', `appx:${place}/x`)
    assert.equal(artifacts.length, 3)
    await convert(artifacts.at(-1)!.reference, `docker-archive:${place}/image.tar`)
    await convert(`docker-archive:${place}/image.tar`, `appx:${place}/y`, {layers: 'chain'})
    assert.deepEqual(treeOf(`${place}/y`), treeOf(`${place}/x`))
  })

  it('give a repository back file by file', async () => {
    const place = fresh()
    await convert('inbox:samples/repository:Shop', `inbox:${place}/before`)
    await convert(`inbox:${place}/before:Shop`, `appx:${place}/x`)
    await convert(`appx:${place}/x:Shop`, `inbox:${place}/after`)
    assert.deepEqual(treeOf(`${place}/after`), treeOf(`${place}/before`))
  })

  it('are the same bytes at every concurrency, and whenever they are made', async () => {
    const place = fresh()
    for (const concurrency of [1, 2, 7])
      await convert('inbox:samples/repository:Shop', `appx:${place}/${concurrency}`, {concurrency})
    assert.deepEqual(treeOf(`${place}/2`), treeOf(`${place}/1`))
    assert.deepEqual(treeOf(`${place}/7`), treeOf(`${place}/1`))
  })

  it('are taken by unzip and Python, and by a block map check of another hand', async function () {
    requireTool(this, 'unzip')
    requireTool(this, 'python3')
    const place = fresh()
    await convert('docker-archive:samples/shop.tar', `appx:${place}/x`, {layers: 'chain'})
    for (const name of readdirSync(`${place}/x`)) {
      const file = path.join(place, 'x', name)
      execFileSync('unzip', ['-tqq', file])
      execFileSync('python3', [path.resolve('test/codecs/appx/check-block-map.py'), file])
    }
  })

  it('are read as the folder that they were made of, whatever lies in it', async function () {
    this.timeout(0)
    await fc.assert(
      fc.asyncProperty(oddLayout, async (layout) => {
        const place = fresh()
        const root = path.join(place, FULL_NAME)
        mkdirSync(root)
        const index = writeOddLayout(root, layout)
        for (const odd of ['"quoted"', 'a*b', 'xn--name', 'AppxManifest.xml'])
          writeFileSync(path.join(root, odd), `content of ${odd}`)
        mkdirSync(path.join(root, 'empty?', 'inner'), {recursive: true})
        const metadata = {
          identity: parseFullName(FULL_NAME),
          architecture: 'x64',
          isOsImage: false,
          createdTime: '2016-10-12T08:30:00.0000000Z',
          dependencies: [],
        }
        const facts = {form: 'delta', entries: 1, bytes: 1, digest: digestOf(index)} as const
        const document = encodeDocument(metadata, facts, undefined)
        writeFileSync(path.join(root, 'metadata.json'), document)
        const file = path.join(place, 'x.appx')
        await writeContainer(root, file, {metadata})
        const found = await readPackageFile(file)
        assert.deepEqual(treeIn(found.files), treeOf(root))
        const disk = {
          entryName: FULL_NAME,
          files: new FolderFiles(root, FULL_NAME),
          ...decodeDocument(document, FULL_NAME),
        }
        const expected = await collect(encodeLayerTar(layerOfPackage(disk).entries(), {keepFrames: true}))
        const tar = await collect(encodeLayerTar(layerOfPackage(found).entries(), {keepFrames: true}))
        assert.ok(tar.equals(expected))
        found.close()
        rmSync(place, {recursive: true})
      }),
      {numRuns: Math.ceil(FUZZ_RUNS / 5)},
    )
  })

  it('show a flip of any byte as a fault', async function () {
    this.timeout(0)
    const place = fresh()
    await convert('docker-archive:samples/shop.tar', `appx:${place}/x`, {layers: 'chain'})
    const original = readFileSync(`${place}/x/CN=contoso_shop_1.2.0.0.appx`)
    const file = path.join(place, 'flipped.appx')
    const {imageId} = await inspect(`appx:${place}/x/CN=contoso_shop_1.2.0.0.appx`)
    assert.ok(imageId !== undefined)
    // A prime: all kinds of places are met.
    for (let at = 0; at < original.length; at += 97) {
      const bytes = Buffer.from(original)
      bytes[at] = bytes[at]! ^ (1 << (at % 8))
      writeFileSync(file, bytes)
      const {faults} = await verify(`appx:${file}`)
      assert.ok(
        faults.some(({code}) => code !== 'DEPENDENCY_MISSING'),
        `byte ${at}`,
      )
    }
  })
})
