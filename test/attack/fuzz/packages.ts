import {mkdirSync, readdirSync, readFileSync, writeFileSync} from 'node:fs'
import path from 'node:path'
import {gunzipSync, gzipSync} from 'node:zlib'
import {convert} from '../../../src/convert/convert.js'
import {verify} from '../../../src/convert/verify.js'
import {hybridMembers, partsOf, sha256, tarOf} from '../../helpers/archives.js'
import {LayoutBuilder, OCI} from '../../helpers/layouts.js'
import {layerOf} from '../../helpers/refusals.js'
import {makeSignedIndex} from '../../helpers/signed-index.js'
import {unpackLayout, vectorIndex} from '../../helpers/vectors.js'
import {judgePackage} from './judge-image.js'
import {mutateBytes} from './mutate-bytes.js'
import {mutateJson, mutateJsonLines} from './mutate-json.js'
import {mutateXml} from './mutate-xml.js'
import type {Parser, PreparedParser} from './parser.js'
import {Place} from './place.js'
import type {Random} from './random.js'
import {repacked} from './repack.js'

const METADATA = 'metadata.json'
const INDEX = 'payload-index.jsonl'

type Files = Map<string, Buffer>

function readTree(root: string): Files {
  const files: Files = new Map()
  for (const entry of readdirSync(root, {recursive: true, withFileTypes: true}))
    if (entry.isFile()) {
      const file = path.join(entry.parentPath, entry.name)
      files.set(path.relative(root, file), readFileSync(file))
    }
  return files
}

/** A repository of packages with recipes, a pin and companions; small. */
async function makeRepository(scratch: string): Promise<{root: string; top: string}> {
  const root = path.join(scratch, 'repository')
  const layers = [
    await layerOf([
      ['Files/', ''],
      ['Files/below.txt', 'below'],
    ]),
    await layerOf([
      ['Files/', ''],
      ['Files/b/', ''],
      ['Files/b/c.txt', 'text'],
      ['Files/d', {hardLink: 'Files/b/c.txt'}],
      ['Files/e', {symlink: 'C:\\x'}],
      ['Files/b/.wh.gone', ''],
    ]),
  ]
  const file = path.join(scratch, 'image.tar')
  const parts = partsOf(layers, {os: 'windows'})
  writeFileSync(file, await tarOf(hybridMembers(parts, {compressed: true, withManifestJson: false})))
  const report = await convert(`oci-archive:${file}`, `inbox:${root}`, {layers: 'chain', osLayers: 0})
  const top = report.artifacts.at(-1)?.identity ?? ''
  return {root, top}
}

const NATIVE = {root: 'samples/repository', top: 'CN=Contoso_WebServer_1.0.0.0'}

interface PackageParser extends Pick<Parser, 'name' | 'reads'> {
  readonly make: (random: Random, files: Files, top: string) => Buffer
  /** Packages that never were images, which the samples have. */
  readonly isNative?: true
  /** Puts the input in, with every digest above it made to fit. */
  readonly put: (input: Buffer, files: Files, top: string) => void
}

function packageParser({name, reads, make, put, isNative}: PackageParser): Parser {
  return {
    name,
    reads,
    isEndToEnd: true,
    async prepare(scratch): Promise<PreparedParser> {
      const place = new Place(scratch)
      const {root, top} = isNative === true ? NATIVE : await makeRepository(scratch)
      const files = readTree(root)
      for (const name of [...files.keys()])
        if (name.startsWith('CN=Contoso_Shop_') && isNative === true) files.delete(name)
      return {
        make: (random) => make(random, files, top),
        async run(input) {
          const changed = new Map(files)
          put(input, changed, top)
          const {reference} = place.begin('inbox', Object.fromEntries(changed))
          await place.judged(() => judgePackage(`${reference}:${top}`, {out: place.out}))
        },
      }
    },
  }
}

const jsonOf = (files: Files, name: string) =>
  JSON.parse(files.get(name)?.toString('utf8') ?? '{}') as Record<string, unknown>

/** The digest of a payload is that of its index: states it wherever it stands. */
function sealPayload(files: Files, name: string): void {
  const document = path.join(name, METADATA)
  const old = JSON.stringify(jsonOf(files, document))
  const wanted = `sha256:${sha256(files.get(path.join(name, INDEX)) ?? '')}`
  const before = /"Payload":\{[^}]*"Digest":"(sha256:[0-9a-f]+)"/.exec(old)?.[1]
  if (before === undefined) return
  for (const [file, bytes] of files)
    if (file.endsWith(METADATA)) files.set(file, Buffer.from(bytes.toString('utf8').replaceAll(before, wanted)))
}

const metadataForm: Pick<PackageParser, 'make' | 'put'> = {
  make: (random, files, top) => mutateJson(random, files.get(path.join(top, METADATA))!),
  put(input, files, top) {
    files.set(path.join(top, METADATA), input)
  },
}

const metadata = packageParser({
  name: 'package-metadata',
  reads: 'metadata of packages, with pins and recipes',
  ...metadataForm,
})

const nativeMetadata = packageParser({
  name: 'native-metadata',
  reads: 'metadata of packages that never were images',
  isNative: true,
  ...metadataForm,
})

const repository = packageParser({
  name: 'repository-document',
  reads: 'documents of repositories',
  make: (random, files) => mutateJson(random, files.get('repository.json')!),
  put(input, files) {
    files.set('repository.json', input)
  },
})

const indexForm: Pick<PackageParser, 'make' | 'put'> = {
  make: (random, files, top) => mutateJsonLines(random, files.get(path.join(top, INDEX))!),
  put(input, files, top) {
    files.set(path.join(top, INDEX), input)
    sealPayload(files, top)
  },
}

const payloadIndex = packageParser({
  name: 'payload-index',
  reads: 'indexes of payloads that were layers, behind right digests',
  ...indexForm,
})

const nativeIndex = packageParser({
  name: 'native-index',
  reads: 'indexes of payloads that never were layers, behind right digests',
  isNative: true,
  ...indexForm,
})

/** Which file of the payload, and its bytes. */
const payloadForm: Pick<PackageParser, 'make' | 'put'> = {
  make(random, files, top) {
    const names = [...files.keys()].filter((name) => name.startsWith(`${top}/`) && !/docker|\.json/.test(name)).sort()
    const name = random.pick(names)
    const bytes = mutateBytes(random, files.get(name)!, {inPlace: random.chance(0.6)})
    return Buffer.concat([Buffer.of(names.indexOf(name)), bytes])
  },
  put(input, files, top) {
    const names = [...files.keys()].filter((name) => name.startsWith(`${top}/`) && !/docker|\.json/.test(name)).sort()
    const name = names[input[0] ?? 0] ?? ''
    const bytes = input.subarray(1)
    files.set(name, bytes)
    const own = name.slice(top.length + 1)
    const lines = (files.get(path.join(top, INDEX)) ?? Buffer.alloc(0)).toString('utf8').split('\n')
    const sealed = lines.map((line) => {
      if (line === '' || (JSON.parse(line) as {p: string}).p !== own) return line
      return line.replace(/"s":\d+/, `"s":${bytes.byteLength}`).replace(/"d":"[0-9a-f]+"/, `"d":"${sha256(bytes)}"`)
    })
    files.set(path.join(top, INDEX), Buffer.from(sealed.join('\n')))
    sealPayload(files, top)
  },
}

const payload = packageParser({
  name: 'package-payload',
  reads: 'files of payloads that were layers, behind right digests',
  ...payloadForm,
})

const nativePayload = packageParser({
  name: 'native-payload',
  reads: 'files of payloads that never were layers, behind right digests',
  isNative: true,
  ...payloadForm,
})

function recipeFile(files: Files, top: string): string {
  return [...files.keys()].find((name) => name.startsWith(`${top}/docker/recipe`)) ?? ''
}

const recipe = packageParser({
  name: 'recipe',
  reads: 'recipes behind right digests',
  make(random, files, top) {
    const plain = gunzipSync(files.get(recipeFile(files, top))!)
    return mutateBytes(random, plain, {words: ['Files/', '../', '.wh.', '\u0000'], inPlace: random.chance(0.6)})
  },
  put(input, files, top) {
    const bytes = gzipSync(input)
    files.set(recipeFile(files, top), bytes)
    const document = path.join(top, METADATA)
    const text = files.get(document)!.toString('utf8')
    files.set(document, Buffer.from(text.replace(/"RecipeDigest":"[^"]*"/, `"RecipeDigest":"sha256:${sha256(bytes)}"`)))
  },
})

/** The kept compressed form of a layer; its digest is made to fit, or not. */
const pins = packageParser({
  name: 'pins',
  reads: 'kept forms of layers',
  make(random, files, top) {
    const name = [...files.keys()].find(
      (file) => file.startsWith(`${top}/docker/`) && /pin|\.gz$/.test(file) && !file.includes('recipe'),
    )
    const bytes = files.get(name ?? '') ?? Buffer.from('none')
    return Buffer.concat([Buffer.of(random.int(3)), mutateBytes(random, bytes)])
  },
  put(input, files, top) {
    const name = [...files.keys()].find(
      (file) => file.startsWith(`${top}/docker/`) && /pin|\.gz$/.test(file) && !file.includes('recipe'),
    )
    if (name === undefined) return
    const bytes = input.subarray(1)
    const old = files.get(name) ?? Buffer.alloc(0)
    files.set(name, bytes)
    if (input[0] === 0) return
    // Behind a right digest: what it unpacks to is the only thing that tells.
    for (const [file, text] of files)
      if (file.endsWith('.json'))
        files.set(
          file,
          Buffer.from(
            text
              .toString('utf8')
              .replaceAll(sha256(old), sha256(bytes))
              .replaceAll(`"Size":${old.byteLength},"Compression"`, `"Size":${bytes.byteLength},"Compression"`),
          ),
        )
  },
})

/** Bare transport layouts have no digests at all: every file is reached as it is. */
const layout: Parser = {
  name: 'transport-layout',
  reads: 'files of bare transport layouts',
  isEndToEnd: true,
  prepare(scratch) {
    const place = new Place(scratch)
    const trees = (['basic', 'reparse-tombstones', 'streams-sparse'] as const).map((vector) => {
      const root = unpackLayout(vector, path.join(scratch, 'vectors'))
      writeFileSync(path.join(root, INDEX), vectorIndex(vector, root))
      return readTree(root)
    })
    const small = trees.map((files) => new Map([...files].filter(([, bytes]) => bytes.byteLength < 100_000)))
    return {
      make(random) {
        const at = random.int(small.length)
        const names = [...small[at]!.keys()].sort()
        const name = random.pick(names)
        const original = small[at]!.get(name)!
        const bytes = name === INDEX ? mutateJsonLines(random, original) : mutateBytes(random, original)
        return Buffer.concat([Buffer.of(at, names.indexOf(name)), bytes])
      },
      async run(input) {
        const files = new Map(small[input[0] ?? 0])
        const name = [...files.keys()].sort()[input[1] ?? 0] ?? ''
        files.set(name, input.subarray(2))
        const {reference} = place.begin('layout', Object.fromEntries(files))
        await place.judged(async () => {
          await verify(reference)
          await judgePackage(reference, {out: place.out})
        })
      },
    }
  },
}

/** Package files of transship's own, changed anywhere, or in one part with the block map made to fit. */
const appx: Parser = {
  name: 'appx',
  reads: 'package files, and their parts behind right hashes',
  isEndToEnd: true,
  async prepare(scratch) {
    const place = new Place(scratch)
    const {root, top} = await makeRepository(scratch)
    const folder = path.join(scratch, 'packages')
    await convert(`inbox:${root}:${top}`, `appx:${folder}`, {layers: 'chain'})
    const names = readdirSync(folder).filter((name) => name.endsWith('.appx'))
    const whole = new Map(names.map((name) => [name, readFileSync(path.join(folder, name))]))
    const name = names.find((each) => each.startsWith(top)) ?? names[0] ?? ''
    const original = whole.get(name)!
    return {
      async make(random) {
        if (random.chance(0.5)) return mutateBytes(random, original)
        return repacked(original, (part, bytes) => {
          if (random.chance(0.7)) return bytes
          if (part.endsWith('.xml')) return mutateXml(random, bytes)
          if (part.endsWith('.json')) return mutateJson(random, bytes)
          if (part.endsWith('.jsonl')) return mutateJsonLines(random, bytes)
          return mutateBytes(random, bytes)
        })
      },
      async run(input) {
        const files = {...Object.fromEntries(whole), [name]: input}
        const {reference} = place.begin('appx', files, name)
        await place.judged(() => judgePackage(reference, {out: place.out}))
      },
    }
  },
}

/** Packages that keep an index, signatures and SBOMs; one of those documents is another, under its right digest. */
const keptCompanions: Parser = {
  name: 'kept-companions',
  reads: 'companions that packages keep',
  isEndToEnd: true,
  async prepare(scratch) {
    const place = new Place(scratch)
    const {blobs, documents, index} = await makeSignedIndex()
    const builder = new LayoutBuilder()
    for (const [digest, bytes] of blobs) builder.files.set(`blobs/sha256/${digest.slice(7)}`, bytes)
    const entries = documents.map(({type, bytes, digest}) => ({
      ...builder.blob(type, bytes),
      ...(digest === index.digest ? {annotations: {'org.opencontainers.image.ref.name': '1'}} : {}),
    }))
    const source = path.join(scratch, 'index')
    mkdirSync(path.join(source, 'blobs', 'sha256'), {recursive: true})
    for (const [file, bytes] of builder.files) writeFileSync(path.join(source, file), bytes)
    writeFileSync(path.join(source, 'oci-layout'), '{"imageLayoutVersion":"1.0.0"}')
    writeFileSync(
      path.join(source, 'index.json'),
      JSON.stringify({schemaVersion: 2, mediaType: OCI.index, manifests: entries}),
    )
    const root = path.join(scratch, 'kept')
    const report = await convert(`oci:${source}:1`, `inbox:${root}`, {
      layers: 'chain',
      osLayers: 0,
      platform: 'windows/amd64',
    })
    const top = report.artifacts.at(-1)?.identity ?? ''
    const files = readTree(root)
    const names = [...files.keys()].filter((name) => name.startsWith(`${top}/docker/sha256-`)).sort()
    return {
      make(random) {
        const name = random.pick(names)
        return Buffer.concat([Buffer.of(names.indexOf(name), random.int(2)), mutateJson(random, files.get(name)!)])
      },
      async run(input) {
        const changed = new Map(files)
        const name = names[input[0] ?? 0] ?? ''
        const bytes = input.subarray(2)
        if (input[1] === 0) changed.set(name, bytes)
        else {
          const [from, to] = [path.basename(name).slice(7), sha256(bytes)]
          changed.delete(name)
          changed.set(path.join(top, 'docker', `sha256-${to}`), bytes)
          const document = path.join(top, METADATA)
          const old = files.get(name)!.byteLength
          const text = changed.get(document)!.toString('utf8').replaceAll(from, to)
          changed.set(
            document,
            Buffer.from(text.replaceAll(`${to}","Size":${old}`, `${to}","Size":${bytes.byteLength}`)),
          )
        }
        const {reference} = place.begin('inbox', Object.fromEntries(changed))
        await place.judged(() => judgePackage(`${reference}:${top}`, {out: place.out, platform: 'windows/amd64'}))
      },
    }
  },
}

export const PACKAGE_PARSERS: readonly Parser[] = [
  metadata,
  nativeMetadata,
  repository,
  payloadIndex,
  nativeIndex,
  payload,
  nativePayload,
  recipe,
  pins,
  keptCompanions,
  layout,
  appx,
]
