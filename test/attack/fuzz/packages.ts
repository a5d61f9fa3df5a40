import {writeFileSync} from 'node:fs'
import path from 'node:path'
import {verify} from '../../../src/convert/verify.js'
import {sha256} from '../../helpers/archives.js'
import {unpackLayout, vectorIndex} from '../../helpers/vectors.js'
import {judgePackage} from './judge-image.js'
import {mutateBytes} from './mutate-bytes.js'
import {mutateJson, mutateJsonLines} from './mutate-json.js'
import {METADATA, INDEX, readTree, type PackageForm, packageParser, sealPayload} from './package-parser.js'
import type {Parser} from './parser.js'
import {Place} from './place.js'

export const metadataForm: PackageForm = {
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

export const indexForm: PackageForm = {
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
export const payloadForm: PackageForm = {
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

export const PACKAGE_PARSERS: readonly Parser[] = [
  metadata,
  nativeMetadata,
  repository,
  payloadIndex,
  nativeIndex,
  payload,
  nativePayload,
  layout,
]
