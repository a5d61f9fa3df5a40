import {Flags} from '@oclif/core'
import {
  parseCompression,
  parseLayers,
  parseOsLayers,
  type CompressionChoice,
  type LayersChoice,
} from '../convert/option-text.js'
import type {ConvertOptions} from '../convert/options.js'
import {flagText} from './flag-text.js'
import {networkOptions, type NetworkFlags} from './network-flags.js'
import {readingFlags} from './reading-flags.js'
import {unpackFlagOptions, type UnpackFlags} from './unpack-flags.js'

/** Flags of `convert` that say what is made of the source and how it is stored. */
export const convertFlags = {
  ...readingFlags,
  layers: Flags.custom<LayersChoice>({
    parse: flagText(parseLayers),
    summary: 'One package (or layer) of all layers, or one each, linked by dependencies.',
    description:
      'Default: squash towards packages and transport layouts, chain towards images. Chain loses nothing. A range merges ' +
      'those layers only, both ends included; the base is 0.',
    helpValue: 'squash[:FROM..TO]|chain',
    helpGroup: 'WHAT IS MADE',
  })(),
  'os-layers': Flags.custom<number | 'auto'>({
    parse: flagText(parseOsLayers),
    summary: 'How many of the lowest layers are the operating system.',
    description: 'Default: auto, by evidence in the layers; --dry-run tells which.',
    helpValue: 'auto|N',
    helpGroup: 'WHAT IS MADE',
  })(),
  'with-base': Flags.boolean({
    summary: 'Squash the operating system in as well, so that the result stands alone.',
    description: 'The hives of the OS take in what the layers change. The same as --layers squash --os-layers 0.',
    exclusive: ['without-base', 'os-layers'],
    helpGroup: 'WHAT IS MADE',
  }),
  'without-base': Flags.boolean({
    summary: 'Write the OS package as a stub: its identity without its bits.',
    helpGroup: 'WHAT IS MADE',
  }),
  all: Flags.boolean({
    summary: 'Convert everything the source holds, or every image of the index that a tag names.',
    helpGroup: 'WHAT IS MADE',
  }),
  'keep-recipe': Flags.boolean({
    summary: 'Keep with the result what makes the way back exact, byte for byte.',
    description: 'On by default.',
    allowNo: true,
    helpGroup: 'WHAT IS MADE',
  }),
  pins: Flags.option({
    options: ['keep', 'reproduce', 'none'] as const,
    summary: 'What packages keep of compressed layers, so that image digests come back.',
    description:
      'keep (the default): the compressed bytes. reproduce: how to make them again, where that is proven to give the same bytes; else the bytes. none: nothing, and the image comes back with another manifest digest.',
    helpGroup: 'WHAT IS MADE',
  })(),
  'os-name': Flags.string({
    summary: 'Name of the OS package.',
    description:
      "Default: what the operating system's own SOFTWARE hive says; names and labels of images are not believed.",
    helpValue: 'NAME',
    helpGroup: 'IDENTITY',
  }),
  'os-version': Flags.string({
    summary: 'Version of the OS package, four numbers; default: as its SOFTWARE hive says.',
    helpValue: 'A.B.C.D',
    helpGroup: 'IDENTITY',
  }),
  name: Flags.string({summary: 'Name of the package.', helpValue: 'NAME', helpGroup: 'IDENTITY'}),
  publisher: Flags.string({
    summary: 'Publisher of the package, e.g. CN=Contoso.',
    helpValue: 'CN=NAME',
    helpGroup: 'IDENTITY',
  }),
  'package-version': Flags.string({
    summary: 'Version of the package, four numbers.',
    helpValue: 'A.B.C.D',
    helpGroup: 'IDENTITY',
  }),
  tag: Flags.string({
    summary: 'Name of the image written, in place of the names of the source; may be repeated.',
    description:
      'Not where DESTINATION names the image. For docker://HOST/NAME without a tag, tags of that repository.',
    helpValue: 'NAME:TAG',
    multiple: true,
    multipleNonGreedy: true,
    helpGroup: 'IDENTITY',
  }),
  compression: Flags.custom<CompressionChoice>({
    parse: flagText(parseCompression),
    summary: 'Compression of layers; default: as the source stores them.',
    helpValue: 'none|gzip|zstd[:LEVEL]',
    helpGroup: 'STORAGE',
  })(),
  'archive-format': Flags.option({
    options: ['v1', 'docker', 'hybrid'] as const,
    summary: 'Form of a docker-archive; default: hybrid, which every engine loads.',
    helpGroup: 'STORAGE',
  })(),
  'manifest-format': Flags.option({
    options: ['docker', 'oci'] as const,
    summary: 'Form of the image manifest; default: as the source has it, else OCI.',
    helpGroup: 'STORAGE',
  })(),
  replace: Flags.boolean({
    summary: 'Overwrite what is at the destination and differs.',
    description:
      'What is equal is left as it is, with or without. A package that others were made on is not replaced by another.',
    helpGroup: 'STORAGE',
  }),
  strict: Flags.boolean({summary: 'Refuse to lose anything (exit 3), and write nothing then.'}),
  concurrency: Flags.integer({
    summary: 'How much is done at once; changes no byte.',
    helpValue: 'N',
    min: 1,
    max: 1024,
  }),
  'source-date-epoch': Flags.integer({
    summary: 'Seconds since 1970 for every time that is not of the source, for reproducible output.',
    helpValue: 'SECONDS',
    min: 0,
    env: 'SOURCE_DATE_EPOCH',
  }),
}

interface ConvertFlags extends NetworkFlags, UnpackFlags {
  readonly layers: LayersChoice | undefined
  readonly 'os-layers': number | 'auto' | undefined
  readonly 'with-base': boolean
  readonly 'without-base': boolean
  readonly all: boolean
  readonly 'keep-recipe': boolean | undefined
  readonly pins: ConvertOptions['pins']
  readonly 'os-name': string | undefined
  readonly 'os-version': string | undefined
  readonly name: string | undefined
  readonly publisher: string | undefined
  readonly 'package-version': string | undefined
  readonly tag: readonly string[] | undefined
  readonly platform: string | undefined
  readonly base: readonly string[] | undefined
  readonly parent: readonly string[] | undefined
  readonly 'accept-base-mismatch': boolean
  readonly compression: CompressionChoice | undefined
  readonly 'archive-format': ConvertOptions['archiveFormat']
  readonly 'manifest-format': ConvertOptions['manifestFormat']
  readonly replace: boolean
  readonly strict: boolean
  readonly concurrency: number | undefined
  readonly 'source-date-epoch': number | undefined
}

/** The library's options that these flags stand for; what was not given stays absent, so that its default holds. */
export function convertOptions(flags: ConvertFlags): ConvertOptions {
  const osLayers = flags['os-layers'] === 'auto' ? undefined : flags['os-layers']
  const given = {
    ...flags.layers,
    bases: flags.base,
    parents: flags.parent,
    osLayers,
    osName: flags['os-name'],
    osVersion: flags['os-version'],
    name: flags.name,
    publisher: flags.publisher,
    packageVersion: flags['package-version'],
    tags: flags.tag,
    platform: flags.platform,
    ...flags.compression,
    archiveFormat: flags['archive-format'],
    manifestFormat: flags['manifest-format'],
    concurrency: flags.concurrency,
    keepRecipe: flags['keep-recipe'],
    pins: flags.pins,
    sourceDateEpoch: flags['source-date-epoch'],
  }
  return {
    ...withoutUndefined(given),
    acceptBaseMismatch: flags['accept-base-mismatch'],
    ...networkOptions(flags),
    ...unpackFlagOptions(flags),
    withBase: flags['with-base'],
    withoutBase: flags['without-base'],
    all: flags.all,
    replace: flags.replace,
    strict: flags.strict,
  }
}

type Given<T> = {[K in keyof T]?: Exclude<T[K], undefined>}

function withoutUndefined<T extends object>(values: T): Given<T> {
  return Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined)) as Given<T>
}
