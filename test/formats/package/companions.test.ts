import assert from 'node:assert/strict'
import {mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync} from 'node:fs'
import path from 'node:path'
import {checkCompanions} from '../../../src/formats/package/check-companions.js'
import {recordFaults} from '../../../src/formats/package/check-records.js'
import {
  companionBytes,
  companionFile,
  companionFiles,
  companionsJson,
  companionsOf,
  lacksCompanions,
  mergedCompanions,
  writeCompanions,
} from '../../../src/formats/package/companion-files.js'
import type {CompanionsJson, DockerJson} from '../../../src/formats/package/schema.js'
import {FolderFiles} from '../../../src/formats/transport-layout/folder-files.js'
import type {Companions, StoredContent, StoredDocument} from '../../../src/model/content-graph.js'
import {digestOf} from '../../../src/model/digest.js'
import {chunked, collect} from '../../helpers/bytes.js'
import {digest, storedOf} from '../../helpers/stored-packages.js'
import {temporaryFolder} from '../../helpers/temporary-folder.js'

const [MANIFEST, INDEX] = ['application/vnd.oci.image.manifest.v1+json', 'application/vnd.oci.image.index.v1+json']
const [A, B, C] = [digest('a'), digest('b'), digest('c')]

function documentOf(mediaType: string, json: object): StoredDocument {
  const bytes = Buffer.from(JSON.stringify({schemaVersion: 2, mediaType, ...json}))
  return {mediaType, bytes, digest: digestOf(bytes)}
}
const descriptorOf = ({mediaType, digest: own, bytes}: StoredDocument) => ({
  mediaType,
  digest: own,
  size: bytes.byteLength,
})
function blobOf(text: string, mediaType = 'text/plain'): StoredContent {
  const bytes = Buffer.from(text)
  return {descriptor: {mediaType, digest: digestOf(bytes), size: bytes.byteLength}, open: () => chunked(bytes)}
}
const imageOf = (config: StoredContent, layers: readonly StoredContent[], more: object = {}) =>
  documentOf(MANIFEST, {config: config.descriptor, layers: layers.map(({descriptor}) => descriptor), ...more})

const [CONFIG, LAYER] = [
  blobOf('{}', 'application/vnd.oci.image.config.v1+json'),
  blobOf('layer', 'application/vnd.oci.image.layer.v1.tar'),
]
const [OWN_CONFIG, OWN_LAYER] = [blobOf('own config'), blobOf('own layer')]
/** The image of the package, another of the index that it was in, and what refers to it. */
const OWN = imageOf(OWN_CONFIG, [OWN_LAYER])
const SIBLING = imageOf(CONFIG, [LAYER])
const LIST = documentOf(INDEX, {manifests: [OWN, SIBLING].map(descriptorOf)})
const SIGNED = blobOf('signature', 'application/vnd.dev.cosign.simplesigning.v1+json')
const SIGNATURE = imageOf(OWN_CONFIG, [SIGNED], {
  artifactType: 'a/signature',
  subject: descriptorOf(OWN),
  annotations: {by: 'me'},
})

const companions = (change: Partial<Companions> = {}): Companions => ({
  index: LIST,
  content: {documents: [SIBLING, SIGNATURE, LIST], blobs: [CONFIG, LAYER, SIGNED], absent: []},
  referrers: [
    {subject: OWN.digest, descriptor: descriptorOf(SIGNATURE), artifactType: 'a/signature', tag: 'sha256-x.sig'},
  ],
  lacking: [],
  ...change,
})
const contentOnly = (documents: readonly StoredDocument[], blobs: readonly StoredContent[]): Companions => ({
  content: {documents, blobs, absent: []},
  referrers: [],
  lacking: [],
})
const jsonOf = (digests: {
  documents?: readonly string[]
  blobs?: readonly string[]
  referrers?: readonly string[]
  index?: string
}): CompanionsJson => ({
  ...(digests.index === undefined ? {} : {Index: digests.index}),
  Documents: (digests.documents ?? []).map((Digest) => ({MediaType: 'd', Digest, Size: 1})),
  Blobs: (digests.blobs ?? []).map((Digest) => ({MediaType: 'b', Digest, Size: 1})),
  Referrers: (digests.referrers ?? []).map((Digest) => ({Subject: A, Digest, ArtifactType: 'r'})),
})

describe('what metadata.json says of companions', () => {
  it('is each document, blob and referrer, and the index', () => {
    assert.deepEqual(companionsJson(companions()), {
      Index: LIST.digest,
      Documents: [SIBLING, SIGNATURE, LIST].map((each) => ({
        MediaType: each.mediaType,
        Digest: each.digest,
        Size: each.bytes.byteLength,
      })),
      Blobs: [CONFIG, LAYER, SIGNED].map(({descriptor}) => ({
        MediaType: descriptor.mediaType,
        Digest: descriptor.digest,
        Size: descriptor.size,
      })),
      Referrers: [{Subject: OWN.digest, Digest: SIGNATURE.digest, ArtifactType: 'a/signature', Tag: 'sha256-x.sig'}],
    })
  })

  it('is nothing without documents, and has neither index nor tag where there is none', () => {
    assert.equal(companionsJson(undefined), undefined)
    assert.equal(companionsJson(contentOnly([], [SIGNED])), undefined)
    assert.deepEqual(Object.keys(companionsJson(contentOnly([SIBLING], []))!), ['Documents', 'Blobs', 'Referrers'])
    const {tag: _, ...untagged} = companions().referrers[0]!
    assert.deepEqual(Object.keys(companionsJson(companions({referrers: [untagged]}))!.Referrers[0]!), [
      'Subject',
      'Digest',
      'ArtifactType',
    ])
  })

  it('leads to a file for each document and blob', () => {
    assert.equal(companionFile({Digest: A}), `docker/sha256-${'a'.repeat(64)}`)
    assert.deepEqual(
      companionFiles({Companions: jsonOf({documents: [A], blobs: [B], referrers: [C]})}),
      [A, B].map((each) => companionFile({Digest: each})),
    )
    assert.deepEqual(companionFiles({}), [])
  })

  for (const [note, wanted, kept, expected] of [
    ['nothing is wanted', undefined, {documents: []}, false],
    ['all is kept', companions(), {documents: [LIST, SIGNATURE, SIBLING], blobs: [SIGNED, LAYER, CONFIG]}, false],
    ['more is kept', contentOnly([SIBLING], []), {documents: [LIST, SIBLING], blobs: [SIGNED]}, false],
    ['a document lacks', companions(), {documents: [LIST, SIGNATURE], blobs: [SIGNED, LAYER, CONFIG]}, true],
    ['a blob lacks', companions(), {documents: [LIST, SIGNATURE, SIBLING], blobs: [SIGNED, CONFIG]}, true],
    ['nothing is kept', companions(), undefined, true],
  ] as const)
    it(`tells whether the package lacks any: ${note}`, () => {
      const docker: DockerJson =
        kept === undefined
          ? {}
          : {
              Companions: jsonOf({
                documents: kept.documents.map((each: StoredDocument) => each.digest),
                blobs: ('blobs' in kept ? kept.blobs : []).map(({descriptor}) => descriptor.digest),
              }),
            }
      assert.equal(lacksCompanions(wanted, docker), expected)
      if (kept === undefined) assert.equal(lacksCompanions(wanted, undefined), expected)
    })

  it('is all of both where two come together, each once, those that were there first', () => {
    const own = jsonOf({documents: [A, B], blobs: [B], referrers: [C], index: A})
    const theirs = jsonOf({documents: [B, C], blobs: [A], referrers: [A, C], index: C})
    const merged = mergedCompanions(own, theirs)!
    const digests = (list: readonly {Digest: string}[]) => list.map(({Digest}) => Digest)
    assert.deepEqual(
      [merged.Index, digests(merged.Documents), digests(merged.Blobs), digests(merged.Referrers)],
      [A, [B, C, A], [A, B], [A, C]],
    )
    assert.equal(mergedCompanions(jsonOf({}), theirs)!.Index, C)
    assert.ok(!('Index' in mergedCompanions(jsonOf({}), jsonOf({}))!))
    assert.equal(mergedCompanions(own, undefined), own)
    assert.equal(mergedCompanions(undefined, theirs), theirs)
    assert.equal(mergedCompanions(undefined, undefined), undefined)
  })
})

describe('companions in the folder of a package', () => {
  const folder = temporaryFolder()
  /** A package with these companions, written to the disk. */
  async function written(given: Companions, docker: DockerJson = {}) {
    const root = mkdtempSync(path.join(folder.path, 'package-'))
    await writeCompanions(root, given, {})
    mkdirSync(path.join(root, 'docker'), {recursive: true})
    writeFileSync(path.join(root, 'docker/manifest.json'), OWN.bytes)
    const json = companionsJson(given)
    const image = {
      ManifestFile: 'docker/manifest.json',
      ManifestDigest: OWN.digest,
      ...(json === undefined ? {} : {Companions: json}),
      ...docker,
    }
    const stored = storedOf('App', {docker: image, files: new FolderFiles(root, 'App')})
    const fileOf = (own: string) => path.join(root, companionFile({Digest: own}))
    return {root, stored, fileOf}
  }

  it('lie under their digests, and one that is there already stays', async () => {
    const root = mkdtempSync(path.join(folder.path, 'package-'))
    await writeCompanions(root, undefined, {})
    assert.deepEqual(readdirSync(root), [])
    await writeCompanions(root, companions(), {})
    await writeCompanions(root, companions(), {})
    const all = [
      ...companions().content.documents.map((each) => each.digest),
      ...companions().content.blobs.map(({descriptor}) => descriptor.digest),
    ]
    assert.deepEqual(readdirSync(path.join(root, 'docker')).sort(), all.map((each) => each.replace(':', '-')).sort())
    for (const own of all) assert.equal(digestOf(readFileSync(path.join(root, companionFile({Digest: own})))), own)
  })

  it('come back as they were', async () => {
    const {stored} = await written(companions())
    const found = (await companionsOf(stored, {}))!
    assert.deepEqual([found.index?.digest, found.lacking, found.content.absent], [LIST.digest, [], []])
    assert.deepEqual(
      found.content.documents.map(({mediaType, digest: own}) => [mediaType, own]),
      [SIBLING, SIGNATURE, LIST].map((each) => [each.mediaType, each.digest]),
    )
    assert.deepEqual(
      found.content.blobs.map(({descriptor}) => descriptor),
      [CONFIG, LAYER, SIGNED].map(({descriptor}) => descriptor),
    )
    assert.equal((await collect(found.content.blobs[2]!.open())).toString(), 'signature')
    assert.deepEqual(found.referrers, [
      {
        subject: OWN.digest,
        descriptor: {...descriptorOf(SIGNATURE), annotations: {by: 'me'}},
        artifactType: 'a/signature',
        tag: 'sha256-x.sig',
      },
    ])
    await checkCompanions(stored, {})
    assert.equal(await companionsOf(storedOf('App', {docker: {}}), {}), undefined)
    assert.equal(await companionsOf(storedOf('App'), {}), undefined)
  })

  it('are told as lacking where they are missing or damaged, and the others are given all the same', async () => {
    const {stored, fileOf} = await written(companions())
    rmSync(fileOf(LAYER.descriptor.digest))
    writeFileSync(fileOf(SIGNATURE.digest), 'x')
    rmSync(fileOf(LIST.digest))
    const found = (await companionsOf(stored, {}))!
    assert.deepEqual(
      found.lacking.map((each) => each.digest),
      [SIGNATURE.digest, LIST.digest, LAYER.descriptor.digest],
    )
    assert.match(found.lacking[1]!.why, /missing/)
    assert.deepEqual([found.index, found.referrers], [undefined, []])
    assert.deepEqual(
      found.content.documents.map((each) => each.digest),
      [SIBLING.digest],
    )
    assert.deepEqual(
      found.content.blobs.map(({descriptor}) => descriptor.digest),
      [CONFIG.descriptor.digest, SIGNED.descriptor.digest],
    )
  })

  it('are not read where their size is that of no document', async () => {
    const {stored} = await written(contentOnly([SIBLING], []))
    const [document] = stored.docker!.Companions!.Documents
    const sized = (Size: number) => ({
      ...stored,
      docker: {...stored.docker, Companions: {Documents: [{...document!, Size}], Blobs: [], Referrers: []}},
    })
    assert.deepEqual((await companionsOf(sized(20 * 2 ** 20 + 1), {}))!.lacking, [])
    assert.deepEqual(
      (await companionsOf(sized(20 * 2 ** 20), {}))!.lacking.map((each) => each.digest),
      [SIBLING.digest],
    )
  })

  it('are read byte by byte against size and digest', async () => {
    const {stored, fileOf} = await written(companions())
    const json = {MediaType: 'x', Digest: SIGNED.descriptor.digest, Size: SIGNED.descriptor.size}
    assert.equal((await collect(companionBytes(stored, json))).toString(), 'signature')
    await assert.rejects(collect(companionBytes(stored, {...json, Size: 8})), {code: 'SIZE_MISMATCH'})
    writeFileSync(fileOf(json.Digest), 'signaturE')
    const at = {path: `${stored.entryName}/${companionFile(json)}`}
    await assert.rejects(collect(companionBytes(stored, json)), {code: 'DIGEST_MISMATCH', at})
    await assert.rejects(collect(companionBytes(stored, {...json, Digest: A})), {
      code: 'CONFIG_MISSING',
      at: {path: `${stored.entryName}/${companionFile({Digest: A})}`},
    })
  })

  for (const [note, change, docker, code] of [
    ['whole', {}, {}, undefined],
    ['parts of the index lack', {content: {documents: [SIGNATURE, LIST], blobs: [SIGNED], absent: []}}, {}, undefined],
    [
      'the image brings what a referrer names',
      {content: {documents: [SIBLING, SIGNATURE, LIST], blobs: [SIGNED], absent: []}},
      {},
      undefined,
    ],
    [
      'a referrer lacks a blob',
      {content: {documents: [SIBLING, SIGNATURE, LIST], blobs: [CONFIG], absent: []}},
      {},
      'LAYER_MISSING',
    ],
    ['the image is not known that brings what a referrer names', {}, {ManifestFile: undefined}, 'LAYER_MISSING'],
    [
      'the index is no index',
      {
        index: {...SIBLING, mediaType: INDEX},
        content: {documents: [{...SIBLING, mediaType: INDEX}], blobs: [], absent: []},
        referrers: [],
      },
      {},
      'MANIFEST_INVALID',
    ],
    [
      'the index is not listed',
      {content: {documents: [SIBLING, SIGNATURE], blobs: [SIGNED], absent: []}},
      {},
      'METADATA_INVALID',
    ],
    [
      'the referrer is not listed',
      {content: {documents: [SIBLING, LIST], blobs: [], absent: []}},
      {},
      'METADATA_INVALID',
    ],
  ] as const satisfies readonly (readonly [string, Partial<Companions>, object, string | undefined])[])
    it(`are checked with what they name: ${note}`, async () => {
      const {stored} = await written(companions(change), docker as DockerJson)
      if (code === undefined) await checkCompanions(stored, {})
      else
        await assert.rejects(checkCompanions(stored, {}), {
          code,
          ...(code === 'METADATA_INVALID' ? {at: {path: `${stored.entryName}/metadata.json`}} : {}),
        })
    })

  it('may have the manifest of the image, and other documents, as the content of a referrer', async () => {
    for (const named of [OWN, SIBLING]) {
      const signature = documentOf(MANIFEST, {
        config: OWN_CONFIG.descriptor,
        layers: [descriptorOf(named)],
        subject: descriptorOf(OWN),
      })
      const referrers = [{subject: OWN.digest, descriptor: descriptorOf(signature), artifactType: 'x'}]
      const {stored} = await written({...contentOnly([SIBLING, signature], []), referrers})
      await checkCompanions(stored, {})
    }
  })

  it('may have a foreign layer in a referrer that is nowhere', async () => {
    const foreign = {
      ...LAYER,
      descriptor: {...LAYER.descriptor, mediaType: 'application/vnd.docker.image.rootfs.foreign.diff.tar.gzip'},
    }
    const other = imageOf(OWN_CONFIG, [foreign])
    const referrers = [{subject: OWN.digest, descriptor: descriptorOf(other), artifactType: 'x'}]
    const {stored} = await written({...contentOnly([other], []), referrers})
    await checkCompanions(stored, {})
  })
})

describe('what is wrong with the records of a package', () => {
  const pin = (MediaType: string, Compression: 'gzip' | 'zstd'): DockerJson => ({
    Layers: [{DiffID: A, Pins: [{MediaType, Compression, Digest: A, Size: 1, File: 'docker/a'}]}],
  })
  const OCI = 'application/vnd.oci.image.layer.v1.tar'
  const DOCKER = 'application/vnd.docker.image.rootfs.diff.tar'

  for (const [mediaType, compression, isFault] of [
    [`${OCI}+gzip`, 'gzip', false],
    [`${OCI}+zstd`, 'zstd', false],
    [`${OCI}+gzip`, 'zstd', true],
    [DOCKER, 'gzip', false],
    [`${DOCKER}.gzip`, 'gzip', false],
    [`${DOCKER}.gzip`, 'zstd', true],
    ['text/plain', 'gzip', true],
  ] as const)
    it(`is a media type that no layer has: ${mediaType} with ${compression}`, () => {
      assert.equal(recordFaults(pin(mediaType, compression)).length, isFault ? 1 : 0)
    })

  for (const [note, docker, expected] of [
    ['none', {References: ['a'], Companions: jsonOf({documents: [A], referrers: [B], index: A})}, []],
    ['at the top', {Refrences: ['a']}, ['/Refrences']],
    ['of a layer', {Layers: [{DiffID: A}, {DiffID: A, Recip: 'x'}]}, ['/Layers/1/Recip']],
    [
      'of a pin',
      {Layers: [{DiffID: A, Pins: [{...pin(`${OCI}+gzip`, 'gzip').Layers![0]!.Pins![0]!, file: 1}]}]},
      ['/Layers/0/Pins/0/file'],
    ],
    [
      'of a companion',
      {Companions: {...jsonOf({}), index: A, Blobs: [{MediaType: 'a', Digest: A, Size: 1, size: 2}]}},
      ['/Companions/Blobs/0/size', '/Companions/index'],
    ],
    ['that an object has from birth', {toString: 1}, ['/toString']],
    ['with anything below it', {Later: {deep: [1]}}, ['/Later']],
  ] as const)
    it(`is an unknown key: ${note}`, () => {
      const faults = recordFaults(docker as DockerJson)
      assert.deepEqual(
        faults.map((fault) => /unknown key '([^']*)'/.exec(fault)?.[1]),
        expected,
      )
    })
})
