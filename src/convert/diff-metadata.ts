import {formatFullName} from '../model/package-identity.js'
import type {Image, PackageMetadata} from '../model/image.js'
import {labelledLayers} from './labelled-layers.js'

/** Something that is known on both sides and not the same. */
export interface MetadataDifference {
  /** `platform.osVersion`, `config.Env`, `package.identity` … */
  readonly field: string
  /** JSON values; absent = not set. */
  readonly left?: unknown
  readonly right?: unknown
}

export interface MetadataDiff {
  readonly differences: readonly MetadataDifference[]
  /** What only one side knows at all, so that there was nothing to compare. */
  readonly notCompared: readonly string[]
}

export interface MetadataDiffOptions {
  /** Times of creation are not compared. */
  readonly ignoreTimes?: boolean
}

/** Labels that transship itself writes tell how the image was stored, not what it is. */
const OWN_LABEL = 'io.transship.'
/** Follow from how the layers are cut, which converting may change. */
const LAYER_FIELDS = new Set(['rootfs', 'history'])
const TIME_FIELDS = new Set(['created', 'package.createdTime'])

/** Platform, image configuration and package facts, each as far as both sides have it. */
export function diffMetadata(left: Image, right: Image, options: MetadataDiffOptions): MetadataDiff {
  const notCompared: string[] = []
  const platform = [platformFields(left), platformFields(right)] as const
  const config = bothOr(configFields(left), configFields(right), 'image configuration', notCompared)
  const packaged = bothOr(packageFields(left), packageFields(right), 'package', notCompared)
  const differences = [platform, config, packaged].flatMap(([one, other]) => [...compare(one, other)])
  return {
    differences: differences.filter(({field}) => options.ignoreTimes !== true || !TIME_FIELDS.has(field)),
    notCompared,
  }
}

type Fields = ReadonlyMap<string, unknown>
const NO_FIELDS: Fields = new Map()

function bothOr(
  left: Fields | undefined,
  right: Fields | undefined,
  title: string,
  notCompared: string[],
): readonly [Fields, Fields] {
  if (left !== undefined && right !== undefined) return [left, right]
  if (left !== right) notCompared.push(`Only the ${left === undefined ? 'right' : 'left'} side has a known ${title}.`)
  return [NO_FIELDS, NO_FIELDS]
}

function* compare(left: Fields, right: Fields): Generator<MetadataDifference> {
  for (const field of [...new Set([...left.keys(), ...right.keys()])].sort()) {
    const [one, other] = [left.get(field), right.get(field)]
    if (canonical(one) === canonical(other)) continue
    yield {field, ...(isAbsent(one) ? {} : {left: one}), ...(isAbsent(other) ? {} : {right: other})}
  }
}

/** JSON with sorted keys; what is null or empty counts as not set, since tools differ in how they write nothing. */
function canonical(value: unknown): string {
  if (isAbsent(value)) return ''
  return JSON.stringify(value, (_key, inner: unknown) =>
    typeof inner === 'object' && inner !== null && !Array.isArray(inner)
      ? Object.fromEntries(Object.entries(inner).sort(([one], [other]) => (one < other ? -1 : 1)))
      : inner,
  )
}

function isAbsent(value: unknown): boolean {
  if (value === undefined || value === null || value === '' || value === false) return true
  return typeof value === 'object' && Object.keys(value).length === 0
}

function platformFields({platform}: Image): Fields {
  return new Map(Object.entries(platform).map(([name, value]) => [`platform.${name}`, value as unknown]))
}

/** Each field, those of `config` and each label by itself. */
function configFields({config}: Image): Fields | undefined {
  if (config === undefined) return undefined
  const fields = new Map<string, unknown>()
  for (const [name, value] of entriesOf(JSON.parse(new TextDecoder().decode(config.bytes)))) {
    if (LAYER_FIELDS.has(name)) continue
    if (name !== 'config') fields.set(name, value)
    else for (const [inner, set] of entriesOf(value)) addSetting(fields, inner, set)
  }
  return fields
}

function addSetting(fields: Map<string, unknown>, name: string, value: unknown): void {
  if (name !== 'Labels') {
    fields.set(`config.${name}`, value)
    return
  }
  for (const [label, text] of entriesOf(value)) {
    if (!label.startsWith(OWN_LABEL)) fields.set(`config.Labels.${label}`, text)
  }
}

function entriesOf(value: unknown): [string, unknown][] {
  return typeof value === 'object' && value !== null ? Object.entries(value) : []
}

/** Of the topmost package, which is what a reference to packages selects, or of the label that an image keeps it in. */
function packageFields(image: Image): Fields | undefined {
  const top = image.layers.at(-1)
  const metadata = top?.package ?? labelledLayers(image)[image.layers.length - 1]?.metadata
  return metadata === undefined ? undefined : fieldsOf(metadata)
}

function fieldsOf(metadata: PackageMetadata): Fields {
  const {identity, friendlyName, description, architecture, osVersion, osFeatures} = metadata
  return new Map<string, unknown>([
    ['package.identity', formatFullName(identity)],
    ['package.friendlyName', friendlyName],
    ['package.description', description],
    ['package.architecture', architecture],
    ['package.osVersion', osVersion],
    ['package.osFeatures', osFeatures],
    ['package.isOsImage', metadata.isOsImage],
    ['package.createdTime', metadata.createdTime],
    ['package.dependencies', metadata.dependencies.map(formatFullName)],
  ])
}
