import {readdirSync, readFileSync, writeFileSync} from 'node:fs'
import path from 'node:path'
import {convert} from '../../../src/convert/convert.js'
import type {ConvertOptions} from '../../../src/convert/options.js'
import {hybridMembers, partsOf, sha256, tarOf} from '../../helpers/archives.js'
import {layerOf} from '../../helpers/refusals.js'
import {judgePackage} from './judge-image.js'
import type {Parser, PreparedParser} from './parser.js'
import {Place} from './place.js'
import type {Random} from './random.js'

export const METADATA = 'metadata.json'
export const INDEX = 'payload-index.jsonl'

export type Files = Map<string, Buffer>

export function readTree(root: string): Files {
  const files: Files = new Map()
  for (const entry of readdirSync(root, {recursive: true, withFileTypes: true}))
    if (entry.isFile()) {
      const file = path.join(entry.parentPath, entry.name)
      files.set(path.relative(root, file), readFileSync(file))
    }
  return files
}

/** A repository of packages with recipes, a pin and companions; small. */
export async function makeRepository(
  scratch: string,
  options: ConvertOptions = {},
): Promise<{root: string; top: string}> {
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
  const report = await convert(`oci-archive:${file}`, `inbox:${root}`, {layers: 'chain', osLayers: 0, ...options})
  const top = report.artifacts.at(-1)?.identity ?? ''
  return {root, top}
}

const NATIVE = {root: 'samples/repository', top: 'CN=Contoso_WebServer_1.0.0.0'}

/** What is changed of a package. */
export interface PackageForm {
  readonly make: (random: Random, files: Files, top: string) => Buffer
  /** Puts the input in, with every digest above it made to fit. */
  readonly put: (input: Buffer, files: Files, top: string) => void
}

export interface PackageParser extends PackageForm, Pick<Parser, 'name' | 'reads'> {
  /** Packages that never were images, which the samples have. */
  readonly isNative?: true
  /** How the packages are made. */
  readonly options?: ConvertOptions
}

export function packageParser({name, reads, make, put, isNative, options}: PackageParser): Parser {
  return {
    name,
    reads,
    isEndToEnd: true,
    async prepare(scratch): Promise<PreparedParser> {
      const place = new Place(scratch)
      const {root, top} = isNative === true ? NATIVE : await makeRepository(scratch, options)
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

export const jsonOf = (files: Files, name: string) =>
  JSON.parse(files.get(name)?.toString('utf8') ?? '{}') as Record<string, unknown>

/** The digest of a payload is that of its index: states it wherever it stands. */
export function sealPayload(files: Files, name: string): void {
  const document = path.join(name, METADATA)
  const old = JSON.stringify(jsonOf(files, document))
  const wanted = `sha256:${sha256(files.get(path.join(name, INDEX)) ?? '')}`
  const before = /"Payload":\{[^}]*"Digest":"(sha256:[0-9a-f]+)"/.exec(old)?.[1]
  if (before === undefined) return
  for (const [file, bytes] of files)
    if (file.endsWith(METADATA)) files.set(file, Buffer.from(bytes.toString('utf8').replaceAll(before, wanted)))
}
