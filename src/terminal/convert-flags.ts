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

/** Flags of `convert` that choose what to build from the source and how to store it. */
export const convertFlags = {
  ...readingFlags,
  layers: Flags.custom<LayersChoice>({
    parse: flagText(parseLayers),
    summary: 'Merge all layers into one package or layer, or keep one for each.',
    description:
      'Default: squash for packages and transport layouts, chain for images. Chain links the packages by dependencies and ' +
      'loses nothing. A range merges only those layers, both ends included; the base is 0.',
    helpValue: 'squash[:FROM..TO]|chain',
    helpGroup: 'CONTENT',
  })(),
  'os-layers': Flags.custom<number | 'auto'>({
    parse: flagText(parseOsLayers),
    summary: 'Number of lowest layers that are the operating system.',
    description: 'Default: auto, which looks for evidence in the layers; --dry-run shows the result.',
    helpValue: 'auto|N',
    helpGroup: 'CONTENT',
  })(),
  'with-base': Flags.boolean({
    summary: 'Squash in the operating system too, so that the result stands alone.',
    description: 'Merges registry changes into the hives of the OS. Same as --layers squash --os-layers 0.',
    exclusive: ['without-base', 'os-layers'],
    helpGroup: 'CONTENT',
  }),
  'without-base': Flags.boolean({
    summary: 'Write the OS package as a stub: its identity without its content.',
    helpGroup: 'CONTENT',
  }),
  all: Flags.boolean({
    summary: 'Convert every image or package of the source, or the index that a tag names.',
    description:
      'Image registries and OCI layouts get an index as it is, with all its images and attestations and with the same digest.',
    helpGroup: 'CONTENT',
  }),
  'keep-recipe': Flags.boolean({
    summary: 'Store a recipe with the result, so that you can convert it back byte for byte.',
    description: 'On by default.',
    allowNo: true,
    helpGroup: 'CONTENT',
  }),
  pins: Flags.option({
    options: ['keep', 'reproduce', 'none'] as const,
    summary: 'What packages keep of compressed layers, so that image digests come back.',
    description:
      'keep (the default): the compressed bytes. reproduce: how to make them again, where that is proven to give the same bytes; else the bytes. none: nothing, and the image comes back with another manifest digest.',
    helpGroup: 'DIGEST',
  })(),
  referrers: Flags.option({
    options: ['copy', 'none'] as const,
    summary: 'What to do with signatures, bills of materials and other artifacts that refer to an image.',
    description:
      'copy (the default): they travel with the image wherever its digest stays the same. none: they stay behind.',
    helpGroup: 'DIGEST',
  })(),
  companions: Flags.option({
    options: ['all', 'documents', 'none'] as const,
    summary: 'What packages keep of the index that an image is in, so that its digest comes back.',
    description:
      'documents (the default): the index, manifests and configurations, without the layers of other images. all: the layers too, so that the index can be written again. none: nothing.',
    helpGroup: 'DIGEST',
  })(),
  'os-name': Flags.string({
    summary: 'Name of the OS package.',
    description:
      "Default: the name in the operating system's own SOFTWARE hive; transship ignores names and labels of images.",
    helpValue: 'NAME',
    helpGroup: 'IDENTITY',
  }),
  'os-version': Flags.string({
    summary: 'Version of the OS package, four numbers (default: from its SOFTWARE hive).',
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
    summary: 'Name for the new image, instead of the names in the source (repeatable).',
    description:
      'Not allowed when DESTINATION names the image. With docker://HOST/NAME and no tag, give tags of that repository.',
    helpValue: 'NAME:TAG',
    multiple: true,
    multipleNonGreedy: true,
    helpGroup: 'IDENTITY',
  }),
  compression: Flags.custom<CompressionChoice>({
    parse: flagText(parseCompression),
    summary: 'Layer compression; default: same as the source.',
    helpValue: 'none|gzip|zstd[:LEVEL]',
    helpGroup: 'STORAGE',
  })(),
  'archive-format': Flags.option({
    options: ['v1', 'docker', 'hybrid'] as const,
    summary: 'Format of a docker-archive; default: hybrid, which every engine loads.',
    helpGroup: 'STORAGE',
  })(),
  'manifest-format': Flags.option({
    options: ['docker', 'oci'] as const,
    summary: 'Format of the image manifest; default: same as the source, else OCI.',
    helpGroup: 'STORAGE',
  })(),
  replace: Flags.boolean({
    summary: 'Overwrite whatever differs at the destination.',
    description:
      'transship never rewrites what is already equal, and never replaces a package that other packages were made on.',
    helpGroup: 'STORAGE',
  }),
  strict: Flags.boolean({summary: 'Exit with 3 and write nothing if anything would be lost.'}),
  concurrency: Flags.integer({
    summary: 'Number of tasks to run at once; never changes the output.',
    helpValue: 'N',
    min: 1,
    max: 1024,
  }),
  'source-date-epoch': Flags.integer({
    summary: 'Use this time, in seconds since 1970, wherever the source has none, for reproducible output.',
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
  readonly referrers: ConvertOptions['referrers']
  readonly companions: ConvertOptions['companions']
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

/** The library options for these flags. Flags that were not given stay absent, so that defaults apply. */
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
    referrers: flags.referrers,
    companions: flags.companions,
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
