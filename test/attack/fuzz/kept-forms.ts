import {mkdirSync, writeFileSync} from 'node:fs'
import path from 'node:path'
import {gunzipSync, gzipSync} from 'node:zlib'
import {convert} from '../../../src/convert/convert.js'
import {sha256} from '../../helpers/archives.js'
import {LayoutBuilder, OCI} from '../../helpers/layouts.js'
import {makeSignedIndex} from '../../helpers/signed-index.js'
import {judgePackage} from './judge-image.js'
import {mutateBytes} from './mutate-bytes.js'
import {mutateJson} from './mutate-json.js'
import {METADATA, packageParser, readTree, type Files, type PackageForm} from './package-parser.js'
import type {Parser} from './parser.js'
import {Place} from './place.js'
import type {Random} from './random.js'

function recipeFile(files: Files, top: string): string {
  return [...files.keys()].find((name) => name.startsWith(`${top}/docker/recipe`)) ?? ''
}

const recipeText = (files: Files, top: string) => gunzipSync(files.get(recipeFile(files, top))!)

export const recipeForm: PackageForm = {
  make: (random, files, top) =>
    mutateBytes(random, recipeText(files, top), {
      words: ['Files/', '../', '.wh.', '\u0000'],
      inPlace: random.chance(0.6),
    }),
  put(input, files, top) {
    const bytes = gzipSync(input)
    files.set(recipeFile(files, top), bytes)
    const document = path.join(top, METADATA)
    const text = files.get(document)!.toString('utf8')
    files.set(document, Buffer.from(text.replace(/"RecipeDigest":"[^"]*"/, `"RecipeDigest":"sha256:${sha256(bytes)}"`)))
  },
}

const recipe = packageParser({name: 'recipe', reads: 'recipes behind right digests', ...recipeForm})

function pinFile(files: Files, top: string): string {
  const found = [...files.keys()].find((name) => name.startsWith(`${top}/docker/sha256-`) && name.endsWith('.tar.gz'))
  if (found === undefined) throw new Error(`${top} keeps no form of its layer`)
  return found
}

/** The same tar compressed in another way: other levels, members, and facts in the head. */
function compressedAgain(random: Random, tar: Buffer): Buffer {
  const cut = random.chance(0.3) ? random.int(tar.byteLength) : tar.byteLength
  const members = [tar.subarray(0, cut), ...(cut < tar.byteLength ? [tar.subarray(cut)] : [])]
  return Buffer.concat(
    members.map((text) => {
      const gzip = gzipSync(text, {level: random.int(10), strategy: random.int(5)})
      if (random.chance(0.5)) gzip.writeUInt32LE(random.next(), 4)
      if (random.chance(0.5)) gzip[9] = random.pick([0, 3, 10, 11, 255])
      if (random.chance(0.5)) return gzip
      gzip[3] = 0x08
      return Buffer.concat([gzip.subarray(0, 10), Buffer.from('layer.tar\0'), gzip.subarray(10)])
    }),
  )
}

/** The kept compressed form of a layer: first a byte that is 0 where its digest is wrong. */
export const pinForm: PackageForm = {
  make(random, files, top) {
    const stored = files.get(pinFile(files, top))!
    const form = random.chance(0.5) ? compressedAgain(random, gunzipSync(stored)) : stored
    const bytes = random.chance(0.4) ? form : mutateBytes(random, form)
    return Buffer.concat([Buffer.of(random.isPlain ? 1 : random.int(4)), bytes])
  },
  put(input, files, top) {
    const name = pinFile(files, top)
    const bytes = input.subarray(1)
    const old = files.get(name)!
    if (input[0] === 0) {
      files.set(name, bytes)
      return
    }
    // Behind right digests: what it unpacks to is the only thing that tells.
    const [from, to] = [sha256(old), sha256(bytes)]
    files.delete(name)
    files.set(name.replace(from, to), bytes)
    const [document, manifest] = [path.join(top, METADATA), path.join(top, 'docker', 'manifest.json')]
    const before = files.get(manifest)!
    const after = Buffer.from(
      before.toString('utf8').replaceAll(from, to).replaceAll(`"size":${old.byteLength}`, `"size":${bytes.byteLength}`),
    )
    files.set(manifest, after)
    const text = files.get(document)!.toString('utf8')
    files.set(
      document,
      Buffer.from(
        text
          .replaceAll(from, to)
          .replaceAll(sha256(before), sha256(after))
          .replaceAll(`"Size":${old.byteLength},"Compression"`, `"Size":${bytes.byteLength},"Compression"`),
      ),
    )
  },
}

const pins = packageParser({name: 'pins', reads: 'kept forms of layers, behind right digests', ...pinForm})

const PINS = /"Pins":\[(\{[^\]]*\})\]/

const reproducedPins = packageParser({
  name: 'reproduced-pins',
  reads: 'encoders and heads from which forms of layers are made again',
  options: {pins: 'reproduce'},
  make(random, files, top) {
    const text = files.get(path.join(top, METADATA))!.toString('utf8')
    return mutateJson(random, Buffer.from(PINS.exec(text)![1]!))
  },
  put(input, files, top) {
    const document = path.join(top, METADATA)
    const text = files.get(document)!.toString('utf8')
    files.set(document, Buffer.from(text.replace(PINS, () => `"Pins":[${input.toString('utf8')}]`)))
  },
})

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

export const KEPT_PARSERS: readonly Parser[] = [recipe, pins, reproducedPins, keptCompanions]
