import {gzipSync} from 'node:zlib'
import path from 'node:path'
import {convert} from '../../../src/convert/convert.js'
import {inspect} from '../../../src/convert/inspect.js'
import {
  classicMembers,
  craneMembers,
  hybridMembers,
  partsOf,
  sha256,
  tarOf,
  v1Members,
  type Member,
  type Parts,
} from '../../helpers/archives.js'
import {LayoutBuilder, OCI} from '../../helpers/layouts.js'
import {makeSignedIndex} from '../../helpers/signed-index.js'
import {layersIn} from '../../helpers/windows-images.js'
import {layerOf} from '../../helpers/refusals.js'
import {layerCorpus} from './corpus.js'
import {judgeSource} from './judge-image.js'
import {mutateJson} from './mutate-json.js'
import {mutateTar} from './mutate-tar.js'
import type {Parser} from './parser.js'
import {Place} from './place.js'
import type {Random} from './random.js'

const INDEX_FILE = 'index.json'
const MARKER = Buffer.from('{"imageLayoutVersion":"1.0.0"}')

/** A small image of two layers, whose configuration has the labels of packages. */
async function labelledImage(scratch: string): Promise<Parts> {
  const file = path.join(scratch, 'labelled.tar')
  await convert('inbox:samples/repository:WebServer', `docker-archive:${file}`)
  const layers = await layersIn(file)
  const {config} = await inspect(`docker-archive:${file}`)
  const text = JSON.stringify(config)
  return {...partsOf(layers), config: text, imageId: `sha256:${sha256(text)}`}
}

interface Documents {
  readonly config: Buffer
  readonly manifest?: (own: Buffer) => Buffer
  readonly index?: (own: Buffer) => Buffer
}

/** The files of an OCI layout of one image, each digest made to fit what lies below it. */
function layoutOf(layers: readonly Buffer[], {config, manifest, index}: Documents): Record<string, Uint8Array> {
  const files: Record<string, Uint8Array> = {'oci-layout': MARKER}
  const put = (bytes: Buffer): {digest: string; size: number} => {
    files[`blobs/sha256/${sha256(bytes)}`] = bytes
    return {digest: `sha256:${sha256(bytes)}`, size: bytes.byteLength}
  }
  const own = Buffer.from(
    JSON.stringify({
      schemaVersion: 2,
      mediaType: OCI.manifest,
      config: {mediaType: OCI.config, ...put(config)},
      layers: layers.map((layer) => ({mediaType: OCI.layer, ...put(layer)})),
      annotations: {'org.opencontainers.image.created': '2024-01-02T03:04:05Z'},
    }),
  )
  const stored = manifest?.(own) ?? own
  const top = Buffer.from(
    JSON.stringify({
      schemaVersion: 2,
      mediaType: OCI.index,
      manifests: [
        {
          mediaType: OCI.manifest,
          ...put(stored),
          platform: {os: 'windows', architecture: 'amd64', 'os.version': '10.0.14393.206'},
          annotations: {'org.opencontainers.image.ref.name': 'app:1'},
        },
      ],
    }),
  )
  files[INDEX_FILE] = index?.(top) ?? top
  return files
}

interface ImageParser extends Pick<Parser, 'name' | 'reads'> {
  /** Mutants of one document or layer. */
  readonly make: (random: Random, parts: Parts) => Buffer
  /** The files of the place that holds it. */
  readonly files: (input: Buffer, parts: Parts) => Record<string, Uint8Array> | Promise<Record<string, Uint8Array>>
  readonly transport?: string
  readonly selector?: string
}

function imageParser({name, reads, make, files, transport = 'oci', selector}: ImageParser): Parser {
  return {
    name,
    reads,
    isEndToEnd: true,
    async prepare(scratch) {
      const place = new Place(scratch)
      const parts = await labelledImage(scratch)
      return {
        make: (random) => make(random, parts),
        async run(input) {
          const {reference} = place.begin(transport, await files(input, parts), selector)
          await place.judged(() => judgeSource(reference, {out: place.out, maxUnpackedBytes: 64 * 2 ** 20}))
        },
      }
    },
  }
}

/** A whole configuration; its layers stay what they are. */
const config = imageParser({
  name: 'image-config',
  reads: 'configurations of images',
  make: (random, parts) => mutateJson(random, Buffer.from(parts.config)),
  files: (input, {layers}) => layoutOf(layers, {config: input}),
})

const LABEL = 'io.transship.package'

/** The label that holds what only packages know: JSON inside of JSON, and documents inside of that. */
const label = imageParser({
  name: 'package-label',
  reads: 'labels of images that were packages',
  make: (random, parts) => {
    const {config: own} = JSON.parse(parts.config) as {config: {Labels: Record<string, string>}}
    const text = Buffer.from(own.Labels[LABEL] ?? '{}')
    const outer = JSON.parse(text.toString()) as {Packages: {Document?: string}[]}
    if (random.chance(0.5)) return mutateJson(random, text)
    const chosen = random.pick(outer.Packages)
    chosen.Document = mutateJson(random, Buffer.from(chosen.Document ?? '{}')).toString('utf8')
    return Buffer.from(JSON.stringify(outer))
  },
  files: (input, {layers, config: text}) => {
    const whole = JSON.parse(text) as {config: {Labels: Record<string, string>}}
    whole.config.Labels[LABEL] = input.toString('utf8')
    return layoutOf(layers, {config: Buffer.from(JSON.stringify(whole))})
  },
})

const manifest = imageParser({
  name: 'image-manifest',
  reads: 'manifests of images',
  make(random, {layers, config: text}) {
    let made: Buffer = Buffer.alloc(0)
    layoutOf(layers, {config: Buffer.from(text), manifest: (own) => (made = mutateJson(random, own))})
    return made
  },
  files: (input, {layers, config: text}) => layoutOf(layers, {config: Buffer.from(text), manifest: () => input}),
})

const index = imageParser({
  name: 'image-index',
  reads: 'indexes of OCI layouts',
  make(random, {layers, config: text}) {
    let made: Buffer = Buffer.alloc(0)
    layoutOf(layers, {config: Buffer.from(text), index: (own) => (made = mutateJson(random, own))})
    return made
  },
  files: (input, {layers, config: text}) => layoutOf(layers, {config: Buffer.from(text), index: () => input}),
})

/** A layer behind a right diffID, right digests and sizes; compressed every other time. */
const layer: Parser = {
  name: 'image-layer',
  reads: 'layers behind right digests',
  isEndToEnd: true,
  async prepare(scratch) {
    const place = new Place(scratch)
    const corpus = (await layerCorpus()).filter((tar) => tar.byteLength < 60_000)
    const below = await layerOf([
      ['Files/', ''],
      ['Files/below.txt', 'of a layer below'],
    ])
    return {
      make: (random) => Buffer.concat([Buffer.of(random.int(2)), mutateTar(random, random.pick(corpus), corpus)]),
      async run(input) {
        const tar = input.subarray(1)
        const parts = partsOf([below, tar])
        const stored = input[0] === 0 ? tar : gzipSync(tar)
        const builder = new LayoutBuilder()
        const layers = [
          builder.blob(OCI.layer, below),
          builder.blob(input[0] === 0 ? OCI.layer : `${OCI.layer}+gzip`, stored),
        ]
        const image = builder.image(parts, {layers})
        const files: Record<string, Uint8Array> = {'oci-layout': MARKER, ...Object.fromEntries(builder.files)}
        files[INDEX_FILE] = Buffer.from(JSON.stringify({schemaVersion: 2, manifests: [image]}))
        const {reference} = place.begin('oci', files)
        await place.judged(() => judgeSource(reference, {out: place.out, maxUnpackedBytes: 64 * 2 ** 20}))
      },
    }
  },
}

const DOCUMENTS = ['manifest.json', 'repositories', 'index.json', '/json', '.json']

/** The documents of archives of every form, and the archives themselves. */
const archive: Parser = {
  name: 'image-archive',
  reads: 'archives of images of every form',
  isEndToEnd: true,
  async prepare(scratch) {
    const place = new Place(scratch)
    const layers = [
      await layerOf([
        ['Files/', ''],
        ['Files/a', 'x'],
      ]),
      await layerOf([
        ['Files/', ''],
        ['Files/b', 'y'],
      ]),
    ]
    const parts = partsOf(layers)
    const forms: readonly Member[][] = [
      classicMembers(parts),
      craneMembers(parts),
      hybridMembers(parts, {compressed: true}),
      hybridMembers(parts, {withManifestJson: false}),
      v1Members(parts),
    ]
    const whole = await Promise.all(forms.map((members) => tarOf(members)))
    return {
      async make(random) {
        if (random.chance(0.3)) return mutateTar(random, random.pick(whole), whole)
        const members = [...random.pick(forms)]
        for (let count = random.few(); count > 0; count--) {
          const at = random.int(members.length)
          const [name, body] = members[at]!
          if (typeof body === 'string' && DOCUMENTS.some((end) => name.endsWith(end)))
            members[at] = [name, mutateJson(random, Buffer.from(body))]
        }
        return tarOf(members)
      },
      async run(input) {
        const {reference} = place.begin('docker-archive', {'image.tar': input}, 'image.tar')
        await place.judged(() => judgeSource(reference, {out: place.out, maxUnpackedBytes: 64 * 2 ** 20}))
      },
    }
  },
}

/** An index with attestations, signatures and SBOMs: whatever refers to whatever. */
const companions: Parser = {
  name: 'companions',
  reads: 'indexes with referrers, and what packages keep of them',
  isEndToEnd: true,
  async prepare(scratch) {
    const place = new Place(scratch)
    const {blobs, documents, index: top} = await makeSignedIndex()
    const order = documents.map(({digest}) => digest)
    return {
      // Which document, and what stands in it then.
      make(random) {
        const at = random.int(order.length)
        return Buffer.concat([Buffer.of(at), mutateJson(random, documents[at]!.bytes)])
      },
      async run(input) {
        const changed = input.subarray(1)
        const files: Record<string, Uint8Array> = {'oci-layout': MARKER}
        for (const [digest, bytes] of blobs) files[`blobs/sha256/${digest.slice(7)}`] = bytes
        // Every digest of what was changed is made to fit, from the changed document up.
        const renamed = new Map<string, string>()
        const sizes = new Map<string, number>()
        const entries: object[] = []
        for (const [at, {type, bytes, digest, tag}] of documents.entries()) {
          let text = (at === input[0] ? changed : bytes).toString('utf8')
          for (const [from, to] of renamed) text = text.replaceAll(from, to)
          for (const [from, size] of sizes) text = withSize(text, from, size)
          const made = at === input[0] && renamed.size === 0 ? changed : Buffer.from(text)
          const own = `sha256:${sha256(made)}`
          renamed.set(digest, own)
          sizes.set(own, made.byteLength)
          files[`blobs/sha256/${own.slice(7)}`] = made
          const name = digest === top.digest ? {'org.opencontainers.image.ref.name': tag ?? '1'} : undefined
          entries.push({
            mediaType: type,
            digest: own,
            size: made.byteLength,
            ...(name === undefined ? {} : {annotations: name}),
          })
        }
        files[INDEX_FILE] = Buffer.from(JSON.stringify({schemaVersion: 2, manifests: entries}))
        const {reference} = place.begin('oci', files)
        const options = {out: place.out, maxUnpackedBytes: 64 * 2 ** 20, platform: 'windows/amd64'}
        await place.judged(() => judgeSource(`${reference}:1`, options))
      },
    }
  },
}

/** The size beside a digest, wherever that stands. */
function withSize(text: string, digest: string, size: number): string {
  return text.replaceAll(new RegExp(`("digest":\\s*"${digest}",\\s*"size":\\s*)\\d+`, 'g'), `$1${size}`)
}

export const IMAGE_PARSERS: readonly Parser[] = [config, label, manifest, index, layer, archive, companions]
