import assert from 'node:assert/strict'
import {mkdirSync, rmSync} from 'node:fs'
import path from 'node:path'
import fc from 'fast-check'
import {decodeLayerTar} from '../../../src/codecs/layer-tar/decode-layer-tar.js'
import {encodeLayerTar} from '../../../src/codecs/layer-tar/encode-layer-tar.js'
import {followingNames} from '../../../src/convert/follow-names.js'
import {withoutOpaque} from '../../../src/convert/opaque.js'
import {digestOf} from '../../../src/model/digest.js'
import {ImageNames} from '../../../src/model/image-names.js'
import type {Layer, LayerForm, PackageMetadata} from '../../../src/model/image.js'
import type {LayerEntry} from '../../../src/model/layer-entry.js'
import {payloadPart} from '../../../src/model/layer-path.js'
import {parseFullName} from '../../../src/model/package-identity.js'
import {UNIX_EPOCH} from '../../../src/model/windows-metadata.js'
import type {StoredPackage} from '../../../src/formats/package/repository.js'
import {openLayout, readIndex} from '../../../src/formats/package/package-entries.js'
import {layerOfPackage} from '../../../src/formats/package/stored-layer.js'
import {writePackage} from '../../../src/formats/package/write-package.js'
import {chunked, collect} from '../../helpers/bytes.js'
import {
  directoryEntry,
  fileEntry,
  FileSystemModel,
  junctionEntry,
  layerOf,
  opaque,
  tombstone,
  UNSTATED,
} from '../../helpers/file-system-model.js'
import {FUZZ_RUNS} from '../../helpers/fuzz.js'
import {temporaryFolder} from '../../helpers/temporary-folder.js'
import {tameLayers} from '../../helpers/timely-layers.js'

/*
 * Layers with any order and any gaps become packages, one on the other, and come back byte for byte; and what their
 * payloads hold, recipes aside, is what a plain file system makes of the layers.
 */

interface Shape {
  readonly tops: readonly string[]
  readonly hasDescriptors: boolean
  readonly form: LayerForm
  readonly skew: bigint
}

const shape: fc.Arbitrary<Shape> = fc.record({
  tops: fc.subarray(['Files', 'Hives', 'UtilityVM', 'UtilityVM/Files', 'UtilityVM/BCD', 'Hives/System_Delta']),
  hasDescriptors: fc.boolean(),
  form: fc.constantFrom('base', 'delta'),
  skew: fc.constantFrom(0n, 1n, 36_000_000_000n),
})

const DESCRIPTOR = Buffer.from('010000801400000000000000000000000000000001020000000000052000000020020000', 'hex')

/** The layer with tops in front of it, where it does not speak of them itself, and with metadata that a gap could lose. */
function shaped(entries: readonly LayerEntry[], {tops, hasDescriptors, skew}: Shape): LayerEntry[] {
  const stated = new Set(entries.flatMap((entry) => (entry.kind === 'frame' ? [] : [entry.path.toUpperCase()])))
  const added = tops
    .filter((top) => !stated.has(top.toUpperCase()))
    .map((top) => (/_Delta$|BCD$/.test(top) ? fileEntry(top, 'hive') : directoryEntry(top)))
  return [...added, ...entries].map((entry): LayerEntry => {
    if (entry.kind !== 'file' && entry.kind !== 'directory') return entry
    const times = {
      creation: UNIX_EPOCH + skew,
      lastAccess: UNIX_EPOCH - skew,
      lastWrite: UNIX_EPOCH,
      change: UNIX_EPOCH + 2n * skew,
    }
    return {...entry, meta: {...entry.meta, times, ...(hasDescriptors ? {securityDescriptor: DESCRIPTOR} : {})}}
  })
}

async function tarLayer(index: number, entries: readonly LayerEntry[]): Promise<Layer & {tar: Buffer}> {
  const title = `layer ${index}`
  const tar = await collect(encodeLayerTar(layerOf(title, entries).entries(), {keepFrames: false}))
  return {
    title,
    tar,
    diffId: digestOf(tar),
    hasContent: true,
    entries: () => decodeLayerTar(chunked(tar, 1000), {title, keepFrames: true}),
  }
}

function metadataOf(index: number): PackageMetadata {
  return {
    identity: parseFullName(`CN=Test_Layer${index}_1.0.0.0`),
    architecture: 'x64',
    isOsImage: false,
    createdTime: '2016-10-12T08:30:00.0000000Z',
    dependencies: [],
  }
}

/**
 * What is to be seen in `Files`; the deletions of a utility VM have no place in a payload. A folder that no entry states
 * is one of a payload all the same, without what lower layers state of it, and may be empty in one and gone in the other.
 */
function seen(model: FileSystemModel, original: FileSystemModel): string[] {
  const unstated = new Set<string>()
  for (const [name, node] of original.nodes)
    if (node.kind === 'directory' && node.mark === UNSTATED) unstated.add(`${name} directory`)
  return model
    .describe(false)
    .filter((line) => line.startsWith('FILES/'))
    .map((line) => line.replace(/ directory .*$/, ' directory'))
    .filter((line) => !unstated.has(line))
}

describe('layers that become a chain of packages', () => {
  const folder = temporaryFolder()
  let count = 0

  async function chain(layers: readonly Layer[], shapes: readonly Shape[]): Promise<StoredPackage[]> {
    const names = new ImageNames(layers, {isWhole: true})
    const packages: StoredPackage[] = []
    for (const [index, layer] of layers.entries()) {
      const metadata = metadataOf(index)
      const followed = withoutOpaque(followingNames(layer, index, names), layers.slice(0, index))
      const draft = {metadata, form: shapes[index]!.form, layer: followed, keepRecipe: true}
      const root = path.join(folder.path, String(count++))
      mkdirSync(root)
      const {stored} = await writePackage(path.join(root, `CN=Test_Layer${index}_1.0.0.0`), draft, {
        lower: [...packages].reverse(),
      })
      packages.push(stored)
    }
    return packages
  }

  /** Asserts that each layer comes back byte for byte, and that the payloads hold what a file system makes of the layers. */
  async function assertExact(all: readonly LayerEntry[][], shapes: readonly Shape[]): Promise<void> {
    const layers = await Promise.all(all.map((entries, index) => tarLayer(index, shaped(entries, shapes[index]!))))
    const [original, payload] = [new FileSystemModel(), new FileSystemModel()]
    for (const layer of layers) await original.apply(layer)
    const packages = await chain(layers, shapes)
    for (const [index, stored] of packages.entries()) {
      const back = await collect(encodeLayerTar(layerOfPackage(stored).entries(), {keepFrames: true}))
      assert.ok(back.equals(layers[index]!.tar), `layer ${index} is another`)
      await payload.apply({
        ...layerOfPackage(stored),
        entries: () => openLayout(stored, readIndex(stored), {}).entries(),
      })
    }
    assert.deepEqual(seen(payload, original), seen(original, original))
    rmSync(folder.path, {recursive: true})
    mkdirSync(folder.path)
  }

  it('come back byte for byte, whatever their order and whatever they leave out', async function () {
    this.timeout(0)
    await fc.assert(fc.asyncProperty(tameLayers, fc.array(shape, {minLength: 4, maxLength: 4}), assertExact), {
      numRuns: Math.ceil(FUZZ_RUNS / 4),
    })
  })

  const PLAIN: Shape = {tops: ['Files', 'Hives'], hasDescriptors: false, form: 'delta', skew: 0n}
  const LINK = junctionEntry('Files/b/a', 0x410)
  const FOLDER = [directoryEntry('Files/b/a'), fileEntry('Files/b/a/a', '1')]

  for (const {title, lower, upper} of [
    {title: 'a link that it hides', lower: [LINK], upper: [opaque('Files/b'), tombstone('Files/b/a/a')]},
    {title: 'a folder that it hides', lower: FOLDER, upper: [opaque('Files/b'), tombstone('Files/b/a/a')]},
    {
      title: 'a link deep in what it hides',
      lower: [junctionEntry('Files/b/a/c', 0x410)],
      upper: [opaque('Files/b'), tombstone('Files/b/A/c/d/e')],
    },
    {
      title: 'a link that it hides, where other things lie now',
      lower: [LINK],
      upper: [opaque('Files/b'), tombstone('Files/b/a/a'), fileEntry('Files/b/c', '1')],
    },
    {
      title: 'a link in whose place it puts a folder',
      lower: [LINK],
      upper: [opaque('Files/b'), tombstone('Files/b/a/a'), directoryEntry('Files/b/a')],
    },
    {
      title: 'a link in a folder that it deletes and makes again',
      lower: [LINK],
      upper: [tombstone('Files/b'), tombstone('Files/b/a/a'), directoryEntry('Files/b')],
    },
  ])
    it(`come back byte for byte where an upper one deletes below ${title}`, async () => {
      await assertExact([[...lower], [...upper]], [PLAIN, PLAIN])
    })

  for (const {title, tops} of [
    {title: 'no top at all', tops: []},
    {title: 'no UtilityVM', tops: ['Files', 'Hives']},
    {title: 'no UtilityVM, but what is in it', tops: ['Files', 'UtilityVM/Files']},
    {title: 'no Files', tops: ['Hives', 'UtilityVM']},
  ])
    for (const form of ['base', 'delta'] as const)
      it(`come back byte for byte with ${title}, as a ${form}`, async () => {
        const entries = [fileEntry('Files/Windows/a', 'a'), fileEntry('UtilityVM/Files/EFI/b', 'b')]
        const how = {tops, hasDescriptors: true, form, skew: 36_000_000_000n}
        const layer = await tarLayer(0, shaped(entries, how))
        const [stored] = await chain([layer], [how])
        const back = await collect(encodeLayerTar(layerOfPackage(stored!).entries(), {keepFrames: true}))
        assert.ok(back.equals(layer.tar))
        const read: string[] = []
        for await (const entry of openLayout(stored!, readIndex(stored!), {}).entries())
          if (entry.kind === 'file' && payloadPart(entry.path) !== 'hives') read.push(entry.path)
        assert.deepEqual(read, ['Files/Windows/a', 'UtilityVM/Files/EFI/b'])
      })
})
