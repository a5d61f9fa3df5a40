import assert from 'node:assert/strict'
import {mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync} from 'node:fs'
import path from 'node:path'
import fc from 'fast-check'
import {decodeLayerTar} from '../../../src/codecs/layer-tar/decode-layer-tar.js'
import {encodeLayerTar} from '../../../src/codecs/layer-tar/encode-layer-tar.js'
import {findPackageLabel, formatPackageLabel} from '../../../src/convert/package-label.js'
import {digestOf} from '../../../src/model/digest.js'
import type {PackageMetadata} from '../../../src/model/image.js'
import {formatFullName} from '../../../src/model/package-identity.js'
import {decodeDocument, encodeDocument} from '../../../src/formats/package/metadata.js'
import {layerOfPackage} from '../../../src/formats/package/stored-layer.js'
import {writePackage} from '../../../src/formats/package/write-package.js'
import {FolderFiles} from '../../../src/formats/transport-layout/folder-files.js'
import {collect} from '../../helpers/bytes.js'
import {FUZZ_RUNS} from '../../helpers/fuzz.js'
import {oddLayout, writeOddLayout} from '../../helpers/odd-layouts.js'
import {temporaryFolder} from '../../helpers/temporary-folder.js'

const metadata: fc.Arbitrary<PackageMetadata> = fc.record(
  {
    identity: fc.record({
      publisher: fc.constantFrom('CN=Contoso', 'CN=Contoso Ltd, O=Con_toso, C=US', 'CN=Müller'),
      name: fc.constantFrom('Shop', 'web.app-2', 'x-1'),
      version: fc.constantFrom('1.0.0.0', '0.0.0.1', '65535.65535.65535.65535'),
    }),
    friendlyName: fc.string({minLength: 1, maxLength: 30}),
    description: fc.string({maxLength: 30, unit: 'grapheme'}),
    architecture: fc.constantFrom('x64', 'x86', 'arm64', 'neutral'),
    osVersion: fc.constantFrom('10.0.14393.206', '10.0.20348.1'),
    osFeatures: fc.array(fc.constantFrom('win32k', 'other'), {maxLength: 2}),
    isOsImage: fc.boolean(),
    isDeleted: fc.boolean(),
    createdTime: fc.constantFrom('2016-10-12T08:30:00.1234567Z', '2016-10-12T08:30:00Z'),
    dependencies: fc.array(
      fc.constant({publisher: 'CN=Microsoft', name: 'WindowsServerCore', version: '10.0.14393.206'}),
      {maxLength: 1},
    ),
    attachments: fc.dictionary(fc.constantFrom('version.wcx', 'note.txt'), fc.uint8Array({maxLength: 20})),
  },
  {requiredKeys: ['identity', 'architecture', 'isOsImage', 'createdTime', 'dependencies']},
)

function treeOf(root: string): Record<string, string> {
  const files = readdirSync(root, {recursive: true, withFileTypes: true})
  return Object.fromEntries(
    files.map((child) => {
      const file = path.join(child.parentPath, child.name)
      return [path.relative(root, file), child.isDirectory() ? 'folder' : readFileSync(file).toString('base64')]
    }),
  )
}

describe('a package that becomes a layer of an image', () => {
  const folder = temporaryFolder()

  it('comes back file by file: carriers, times, deletions, metadata', async function () {
    this.timeout(0)
    let count = 0
    await fc.assert(
      fc.asyncProperty(oddLayout, metadata, async (layout, facts) => {
        const base = path.join(folder.path, String(count++))
        const fullName = formatFullName(facts.identity)
        const original = path.join(base, 'original', fullName)
        mkdirSync(original, {recursive: true})
        const index = writeOddLayout(original, layout)
        const payload = {form: 'delta' as const, entries: 0, bytes: 0, digest: digestOf(index)}
        const {attachments = {}, ...stated} = facts
        for (const [name, bytes] of Object.entries(attachments)) writeFileSync(path.join(original, name), bytes)
        const text = encodeDocument(stated, payload, undefined).toString().replace('"Entries":0,"Bytes":0,', '')
        const document = Buffer.from(text.endsWith('\r\n') ? text : `${text}\r\n`)
        writeFileSync(path.join(original, 'metadata.json'), document)

        const stored = {
          entryName: fullName,
          files: new FolderFiles(original, fullName),
          ...decodeDocument(document, fullName),
        }
        const layer = layerOfPackage(stored)
        const tar = await collect(encodeLayerTar(layer.entries(), {keepFrames: true}))
        const diffId = digestOf(tar)
        assert.ok(layer.package !== undefined)
        const label = formatPackageLabel([{metadata: layer.package, form: 'delta', diffId}])
        const [labelled] = findPackageLabel(label) ?? []
        assert.ok(labelled !== undefined)

        const back = path.join(base, 'back')
        mkdirSync(back)
        const again = {
          title: fullName,
          diffId,
          hasContent: true,
          entries: () => decodeLayerTar(chunks(tar), {title: fullName, keepFrames: true}),
        }
        await writePackage(
          path.join(back, fullName),
          {metadata: labelled.metadata, form: labelled.form, layer: again, keepRecipe: true},
          {lower: []},
        )
        assert.deepEqual(treeOf(path.join(back, fullName)), treeOf(original))
        rmSync(base, {recursive: true})
      }),
      {numRuns: FUZZ_RUNS},
    )
  })
})

// eslint-disable-next-line @typescript-eslint/require-await
async function* chunks(bytes: Buffer): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.byteLength; at += 777) yield bytes.subarray(at, at + 777)
}
